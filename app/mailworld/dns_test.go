package mailworld

import (
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

func lookup(t *testing.T, w *World, net, name string, kind uint16) (*dns.Msg, error) {
	t.Helper()
	c := dns.Client{Net: net, Timeout: 500 * time.Millisecond}
	m, _, err := c.Exchange(new(dns.Msg).SetQuestion(dns.Fqdn(name), kind).SetEdns0(1232, false), w.DNSAddr())
	return m, err
}

func TestDNSAnswersEachBehaviour(t *testing.T) {
	w := started(t, Gallery(Options{}))
	for _, c := range []struct {
		name  string
		kind  uint16
		rcode int
		want  string // the answers' data, each after a space
	}{
		{"accurate.test", dns.TypeMX, dns.RcodeSuccess, " 10 mx1.accurate.test."},
		{"AccuRate.TEST", dns.TypeMX, dns.RcodeSuccess, " 10 mx1.accurate.test."},
		{"accurate.test", dns.TypeA, dns.RcodeSuccess, ""},
		{"mx1.accurate.test", dns.TypeA, dns.RcodeSuccess, " 127.64.0.1"},
		{"mx1.accurate.test", dns.TypeAAAA, dns.RcodeSuccess, ""},
		{"mx9.accurate.test", dns.TypeA, dns.RcodeNameError, ""},
		{"test", dns.TypeMX, dns.RcodeNameError, ""},
		{"elsewhere.example", dns.TypeMX, dns.RcodeNameError, ""},
		{"nxdomain.test", dns.TypeMX, dns.RcodeNameError, ""},
		{"null-mx.test", dns.TypeMX, dns.RcodeSuccess, " 0 ."},
		{"null-mx.test", dns.TypeA, dns.RcodeSuccess, " " + hostsOf(w, NullMX)[0].ip.String()},
		{"no-mx.test", dns.TypeMX, dns.RcodeSuccess, ""},
		{"no-mx.test", dns.TypeA, dns.RcodeSuccess, ""},
		{"implicit-mx.test", dns.TypeMX, dns.RcodeSuccess, ""},
		{"implicit-mx.test", dns.TypeA, dns.RcodeSuccess, " " + hostsOf(w, ImplicitMX)[0].ip.String()},
		{"backup-mx.test", dns.TypeMX, dns.RcodeSuccess, " 10 mx1.backup-mx.test. 20 mx2.backup-mx.test."},
		{"servfail.test", dns.TypeMX, dns.RcodeServerFailure, ""},
		{"alias-mx.test", dns.TypeMX, dns.RcodeSuccess, " 10 mail.alias-mx.test."},
		{"mail.alias-mx.test", dns.TypeA, dns.RcodeSuccess, " mx1.alias-mx.test. " + hostsOf(w, AliasMX)[0].ip.String()},
		{"mail.alias-mx.test", dns.TypeCNAME, dns.RcodeSuccess, " mx1.alias-mx.test."},
		{"unresolvable-mx.test", dns.TypeMX, dns.RcodeSuccess, " 10 mx1.unresolvable-mx.test."},
		{"mx1.unresolvable-mx.test", dns.TypeA, dns.RcodeNameError, ""},
		{"implicit-v6.test", dns.TypeA, dns.RcodeSuccess, ""},
		{"implicit-v6.test", dns.TypeAAAA, dns.RcodeSuccess, " " + v6Of(hostsOf(w, ImplicitV6)[0].ip).String()},
		{"mx1.v6-only.test", dns.TypeA, dns.RcodeSuccess, ""},
		{"mx1.v6-only.test", dns.TypeAAAA, dns.RcodeSuccess, " " + v6Of(hostsOf(w, V6Only)[0].ip).String()},
		{"dns-refused.test", dns.TypeMX, dns.RcodeRefused, ""},
		{"mx1.unroutable-mx.test", dns.TypeA, dns.RcodeSuccess, " 169.254.169.254"},
		{"mx-servfail.test", dns.TypeMX, dns.RcodeSuccess, " 10 mx1.mx-servfail.test."},
		{"mx1.mx-servfail.test", dns.TypeA, dns.RcodeServerFailure, ""},
		{"xn--brcke-lva.test", dns.TypeMX, dns.RcodeSuccess, " 10 mx1.xn--brcke-lva.test."},
	} {
		for _, net := range []string{"udp", "tcp"} {
			m, err := lookup(t, w, net, c.name, c.kind)
			require.NoError(t, err)
			require.Equal(t, c.rcode, m.Rcode, c.name)
			got := ""
			for _, rr := range m.Answer {
				got += " " + strings.TrimPrefix(rr.String(), rr.Header().String())
			}
			require.Equal(t, c.want, got, c.name)
			if c.want == "" && c.rcode != dns.RcodeServerFailure && c.rcode != dns.RcodeRefused {
				require.Len(t, m.Ns, 1, "a negative answer carries an SOA")
			}
		}
	}
	require.Equal(t, 62, w.Stats().DNSQueries)
}

func TestDNSSilentDomainNeverAnswers(t *testing.T) {
	w := started(t, Gallery(Options{}))
	_, err := lookup(t, w, "udp", "dns-silent.test", dns.TypeMX)
	require.True(t, isTimeout(err), err)
}

func TestDNSTruncatedDomainAnswersOverTCPOnly(t *testing.T) {
	w := started(t, Gallery(Options{}))
	m, err := lookup(t, w, "udp", "dns-truncated.test", dns.TypeMX)
	require.NoError(t, err)
	require.True(t, m.Truncated)
	require.Empty(t, m.Answer)
	m, err = lookup(t, w, "tcp", "dns-truncated.test", dns.TypeMX)
	require.NoError(t, err)
	require.Len(t, m.Answer, 1)
}

func TestDNSRefusesWhatIsNoQuestion(t *testing.T) {
	w := started(t, Gallery(Options{}))
	m := new(dns.Msg).SetQuestion("accurate.test.", dns.TypeMX)
	m.Question[0].Qclass = dns.ClassCHAOS
	answer, err := dns.Exchange(m, w.DNSAddr())
	require.NoError(t, err)
	require.Equal(t, dns.RcodeRefused, answer.Rcode)
}
