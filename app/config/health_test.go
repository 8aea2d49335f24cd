package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWaysOfAskingMailServers(t *testing.T) {
	c, err := Parse(map[string]string{"PROBE_SOURCE_ADDRESSES": "192.0.2.10, 2001:db8::1", "PROBE_PUBLIC_ADDRESSES": "198.51.100.1"})
	require.NoError(t, err)
	require.Len(t, c.Probe.Sources(), 2)
	require.Equal(t, "2001:db8::1", c.Probe.Sources()[1].String())
	require.Len(t, c.Health.PublicAddresses(), 1)
	require.Equal(t, ProbeAuto, c.Health.Mode)
	require.NotEmpty(t, c.Health.Canaries)
	for name, wrong := range map[string]string{"PROBE_SOURCE_ADDRESSES": "mail.example.com", "PROBE_PUBLIC_ADDRESSES": "0.0.0.0", "PROBE_MODE": "loud",
		"PROBE_HEALTH_EVERY": "1s", "PROBE_SESSIONS_PER_MINUTE": "0"} {
		_, err := Parse(map[string]string{name: wrong})
		require.ErrorContains(t, err, name)
	}
	_, err = Parse(map[string]string{"PROBE_SOURCE_ADDRESSES": "192.0.2.10", "PROBE_PROXY": "socks5://proxy.example:1080"})
	require.ErrorContains(t, err, "PROBE_PROXY")
}
