package main

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"beagle/app/config"
	"beagle/app/mailworld"

	"github.com/stretchr/testify/require"
)

// examined runs the doctor on a machine whose world of mail servers is simulated, without services.
func examined(t *testing.T, vars map[string]string) (string, error) {
	world := mailworld.Gallery(mailworld.Options{})
	require.NoError(t, world.Start())
	defer func() { require.NoError(t, world.Close()) }()
	all := map[string]string{"DNS_SERVER": world.DNSAddr(), "PROBE_SMTP_PORT": strconv.Itoa(world.SMTPPort()), "PROBE_ALLOW_PRIVATE": "true",
		"PROBE_HELO": "accurate.test", "DNSBL_ZONES": "accurate.test", "PROBE_CANARIES": "accurate.test"}
	for name, value := range vars {
		all[name] = value
	}
	c, err := config.Parse(all)
	require.NoError(t, err)
	var out strings.Builder
	err = doctor(context.Background(), &out, c)
	return out.String(), err
}

func TestDoctorSaysWhatIsWrongAndHowToMendIt(t *testing.T) {
	out, err := examined(t, map[string]string{"PROBE_CANARIES": "refused.test", "PROBE_HELO": "worker", "PROBE_PUBLIC_ADDRESSES": "192.0.2.7", "REQUEST_TIMEOUT": "1m"})
	require.ErrorContains(t, err, "3 checks failed")
	require.Contains(t, out, "-     services: DATABASE_URL is not set")
	require.Contains(t, out, "?     REQUEST_TIMEOUT 1m0s is not below the 30s of most routers")
	require.Contains(t, out, "BAD   port 25: mx1.refused.test [127.64.")
	require.Contains(t, out, "or set PROBE_PROXY=socks5://")
	require.Contains(t, out, "BAD   HELO name: worker is not a name in the public DNS")
	require.Contains(t, out, "BAD   reverse DNS: 192.0.2.7 has no PTR record")
	require.Contains(t, out, "?     blocklist: accurate.test does not answer as a blocklist does")
}

func TestDoctorTellsAnOpenPortAndDoesNotCallTheUnknownBad(t *testing.T) {
	out, err := examined(t, map[string]string{"PROBE_CANARIES": "implicit-mx.test", "PROBE_HELO": "implicit-mx.test"})
	require.NoError(t, err)
	require.Contains(t, out, "ok    port 25: implicit-mx.test [127.64.")
	require.Contains(t, out, "greets: 220 ")
	require.Contains(t, out, "ok    HELO name: implicit-mx.test resolves to 127.64.")
	require.Contains(t, out, "?     reverse DNS: our public address is not known from here")
	require.Contains(t, out, "Set PROBE_PUBLIC_ADDRESSES")
}
