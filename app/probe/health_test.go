package probe

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

const ourAddress = "192.0.2.7"

// healthy is a world in which everything is well with 192.0.2.7.
func healthy(t *testing.T) *world {
	w := newWorld(t)
	w.company("canary.test", &mta{hello: func(*client, string, string) string { return "250 mx.test at your service, [" + ourAddress + "]" }})
	w.company("second.test", &mta{})
	w.zone("probe.test. IN A "+ourAddress, "7.2.0.192.in-addr.arpa. IN PTR Probe.test.")
	listZone(w, "bl.test")
	return w
}

// listZone is a blocklist that passes its test.
func listZone(w *world, zone string) {
	w.zone("2.0.0.127."+zone+". IN A 127.0.0.2", zone+". IN NS ns."+zone+".")
}

func healthOf(t *testing.T, w *world, o HealthOptions, change ...func(*Config)) Health {
	if o.Canaries == nil {
		o.Canaries = []string{"canary.test", "second.test"}
	}
	if o.Zones == nil {
		o.Zones = []string{"bl.test"}
	}
	return w.prober(change...).Health(context.Background(), o)
}

func finding(t *testing.T, h Health, part string) Finding {
	t.Helper()
	for _, f := range h.Findings {
		if f.Part == part {
			return f
		}
	}
	t.Fatalf("no finding about %s in %+v", part, h)
	return Finding{}
}

func TestHealthOfAGoodAddress(t *testing.T) {
	h := healthOf(t, healthy(t), HealthOptions{})
	require.True(t, h.Well())
	require.Equal(t, Yes, h.Port25)
	require.Empty(t, h.Listed)
	for _, part := range []string{"port 25", "HELO name", "reverse DNS", "blocklist"} {
		f := finding(t, h, part)
		require.Equal(t, Yes, f.OK, "%+v", f)
		require.Empty(t, f.Mend)
	}
	require.Contains(t, finding(t, h, "port 25").Text, "mx.canary.test [10.9.0.1] greets: 220 mx.test ESMTP")
	require.Contains(t, finding(t, h, "reverse DNS").Text, ourAddress, "the address that the canary saw")
}

func TestCanaryTellsOurAddressInItsOwnWay(t *testing.T) {
	for said, seen := range map[string]string{
		"mx.test at your service, [192.0.2.7]":       "192.0.2.7",
		"mx.test Hello probe.test [192.0.2.7]":       "192.0.2.7",
		"mx.test Hello [IPv6:2001:db8::7]":           "2001:db8::7",
		"mx.test hello":                              "",
		"mx.test [not an address] [999.1.1.1]":       "",
		"mx.test at your service, [169.254.169.254]": "",
		"mx.test, [192.0.2.7] [192.0.2.8]":           "192.0.2.7",
	} {
		t.Run(said, func(t *testing.T) {
			w := newWorld(t)
			w.company("canary.test", &mta{hello: func(*client, string, string) string { return "250 " + said }})
			f := finding(t, healthOf(t, w, HealthOptions{Canaries: []string{"canary.test"}}), "reverse DNS")
			if seen == "" {
				require.Equal(t, Unsure, f.OK)
				require.Contains(t, f.Text, "not known from here")
				return
			}
			require.Contains(t, f.Text, seen)
		})
	}
}

func TestPort25IsClosedWhenNoCanaryCanBeReached(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"one", "two"} {
		w.zone(name+".test. IN MX 1 mx."+name+".test.", "mx."+name+".test. IN A 10.0.0.8")
	}
	h := healthOf(t, w, HealthOptions{Canaries: []string{"one.test", "two.test"}})
	require.Equal(t, No, h.Port25)
	require.False(t, h.Well())
	f := finding(t, h, "port 25")
	require.Contains(t, f.Text, "mx.one.test [10.0.0.8]: ")
	require.Contains(t, f.Mend, "PROBE_PROXY")
	require.Equal(t, Unsure, finding(t, h, "reverse DNS").OK)
	require.Contains(t, finding(t, h, "reverse DNS").Mend, "PROBE_PUBLIC_ADDRESSES")
}

func TestPort25IsNotCalledClosedOnOneCanarysWord(t *testing.T) {
	w := newWorld(t)
	w.zone("dead.test. IN MX 1 mx.dead.test.", "mx.dead.test. IN A 10.0.0.8")
	require.Equal(t, Unsure, healthOf(t, w, HealthOptions{Canaries: []string{"dead.test", "gone.test"}}).Port25, "the other was not found")
	require.Equal(t, No, healthOf(t, w, HealthOptions{Canaries: []string{"dead.test"}}).Port25, "where there is only one, its word counts")
	w.company("alive.test", &mta{banner: "554 not you"})
	require.Equal(t, Yes, healthOf(t, w, HealthOptions{Canaries: []string{"dead.test", "alive.test"}}).Port25, "a refusal shows an open port")
	require.Equal(t, Unsure, healthOf(t, w, HealthOptions{Canaries: []string{"gone.test"}}).Port25)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	require.Equal(t, Unsure, w.prober().Health(ended, HealthOptions{Canaries: []string{"dead.test"}}).Port25, "nobody waited for the answer")
}

func TestPort25SilenceIsClosed(t *testing.T) {
	w := newWorld(t)
	w.zone("dead.test. IN MX 1 mx.dead.test.", "mx.dead.test. IN A 10.0.0.8")
	w.hosts["10.0.0.8"] = "silent"
	require.Equal(t, No, healthOf(t, w, HealthOptions{Canaries: []string{"dead.test"}}, brief).Port25)
}

func TestHeloNames(t *testing.T) {
	for helo, want := range map[string]struct {
		ok   Tri
		text string
	}{
		"probe.test":        {Yes, "resolves to " + ourAddress},
		"[192.0.2.7]":       {No, "address literal"},
		"ip-10-0-0-1":       {No, "not a name in the public DNS"},
		"worker.local":      {No, "not a name in the public DNS"},
		"host.localdomain":  {No, "not a name in the public DNS"},
		"unknown.test":      {No, "does not resolve"},
		"undecided.test":    {Unsure, "SERVFAIL"},
		"v6only.probe.test": {Yes, "2001:db8::7"},
	} {
		t.Run(helo, func(t *testing.T) {
			w := healthy(t)
			w.zone("v6only.probe.test. IN AAAA 2001:db8::7").oddly("undecided.test. A", rcode(dns.RcodeServerFailure))
			f := finding(t, healthOf(t, w, HealthOptions{}, func(c *Config) { c.Helo = helo }), "HELO name")
			require.Equal(t, want.ok, f.OK, "%+v", f)
			require.Contains(t, f.Text, want.text)
			require.Equal(t, want.ok != Yes, f.Mend != "")
		})
	}
}

func TestReverseDNS(t *testing.T) {
	for name, c := range map[string]struct {
		zone []string
		ok   Tri
		text string
	}{
		"no PTR":                     {[]string{"probe.test. IN A 192.0.2.9"}, No, "192.0.2.9 has no PTR record"},
		"another name":               {[]string{"9.2.0.192.in-addr.arpa. IN PTR dyn-9.isp.test.", "probe.test. IN A 192.0.2.9"}, No, "is called dyn-9.isp.test, and we greet as probe.test"},
		"a name that leads away":     {[]string{"9.2.0.192.in-addr.arpa. IN PTR probe.test.", "probe.test. IN A 192.0.2.10"}, No, "does not lead back"},
		"one of several leads back":  {[]string{"9.2.0.192.in-addr.arpa. IN PTR other.test.", "9.2.0.192.in-addr.arpa. IN PTR probe.test.", "probe.test. IN A 192.0.2.9"}, Yes, "leads back to it"},
		"a resolver that cannot say": {nil, Unsure, "SERVFAIL"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.zone(c.zone...)
			if c.zone == nil {
				w.oddly("9.2.0.192.in-addr.arpa. PTR", rcode(dns.RcodeServerFailure))
			}
			f := finding(t, healthOf(t, w, HealthOptions{Canaries: []string{"gone.test"}, Addresses: addresses("192.0.2.9")}), "reverse DNS")
			require.Equal(t, c.ok, f.OK, "%+v", f)
			require.Contains(t, f.Text, c.text)
			require.Equal(t, c.ok != Yes, f.Mend != "")
		})
	}
}

func TestBlocklists(t *testing.T) {
	for name, c := range map[string]struct {
		zone   []string
		ok     Tri
		text   string
		listed bool
	}{
		"not listed":                 {nil, Yes, "does not list 1 of our addresses", false},
		"listed, with the reason":    {[]string{"7.2.0.192.bl.test. IN A 127.0.0.4", `7.2.0.192.bl.test. IN TXT "see https://bl.test/192.0.2.7"`}, No, "127.0.0.4, see https://bl.test/192.0.2.7", true},
		"listed, without a reason":   {[]string{"7.2.0.192.bl.test. IN A 127.0.0.10", "7.2.0.192.bl.test. IN A 127.0.0.11"}, No, "127.0.0.10, 127.0.0.11", true},
		"a refusal is no listing":    {[]string{"7.2.0.192.bl.test. IN A 127.255.255.254"}, Unsure, "refuses to answer us (127.255.255.254)", false},
		"an answer that makes none":  {[]string{"7.2.0.192.bl.test. IN A 198.51.100.1"}, Unsure, "not a blocklist's", false},
		"a zone that lists everyone": {[]string{"1.0.0.127.bl.test. IN A 127.0.0.2"}, Unsure, "lists everything", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := healthy(t)
			w.zone(c.zone...)
			h := healthOf(t, w, HealthOptions{})
			f := finding(t, h, "blocklist")
			require.Equal(t, c.ok, f.OK, "%+v", f)
			require.Contains(t, f.Text, c.text)
			require.Equal(t, c.listed, len(h.Listed) == 1)
			require.Equal(t, !c.listed, h.Well())
		})
	}
	t.Run("a zone that refuses our resolver says nothing", func(t *testing.T) {
		w := healthy(t)
		w.zone("2.0.0.127.zen.test. IN A 127.255.255.254", "7.2.0.192.zen.test. IN A 127.255.255.254")
		h := healthOf(t, w, HealthOptions{Zones: []string{"zen.test", "dead.test", "not a zone"}})
		require.Empty(t, h.Listed)
		require.True(t, h.Well())
		require.Len(t, h.Findings, 6)
		for _, f := range h.Findings[3:] {
			require.Equal(t, Unsure, f.OK)
			require.Contains(t, f.Mend, "DNSBL_ZONES")
		}
	})
	t.Run("IPv6 by nibbles", func(t *testing.T) {
		w := healthy(t)
		name := strings.TrimSuffix(strings.Repeat("0.", 20), ".") // of 2001:db8::7, after its own digits
		w.zone("7.0.0.0." + name + ".8.b.d.0.1.0.0.2.bl.test. IN A 127.0.0.3")
		h := healthOf(t, w, HealthOptions{Addresses: addresses("2001:db8::7")})
		require.Equal(t, []string{"2001:db8::7 by bl.test"}, h.Listed)
	})
}

func TestHealthIsBoundedAndEndsWithTheProber(t *testing.T) {
	w := healthy(t)
	p := w.prober()
	many := make([]string, 50)
	for i := range many {
		many[i] = "canary.test"
	}
	h := p.Health(context.Background(), HealthOptions{Canaries: many, Zones: many, Addresses: addresses(ourAddress)})
	require.LessOrEqual(t, len(h.Findings), 3+maxZones)
	require.NoError(t, p.Close())
	require.Equal(t, Unsure, p.Health(context.Background(), HealthOptions{}).Port25)
	require.WithinDuration(t, time.Now(), h.At, time.Minute)
}
