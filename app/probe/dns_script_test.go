package probe

import (
	"net"
	"strings"

	"github.com/miekg/dns"
)

// Beginnings of a hostile reply: what kind it is.
const (
	sayRecords   = iota // records as the script says
	sayRaw              // a header that fits, and the script's bytes after it
	sayCut              // records, with the bit that says that they are cut short
	sayForged           // a reply of another ID, then records
	sayOther            // a reply to another question, then records
	sayNothing          //
	sayCode             // the code that follows, then records
	sayJunk             // the script's bytes
	sayHuge             // over TCP, one record again and again until the message is full
	sayHalf             // over TCP, a message that ends before its time
	sayQuestion         // the question as it came
	sayStrangers        // records of a name that nobody asked for
	sayKinds
)

// Records of a script: what is written after a kind of record.
const (
	recMX = iota
	recA
	recAAAA
	recCNAME
	recDNAME
	recSOA
	recOther
	recWrongClass
	recKinds
)

// These are in records of names that nobody asked for, as stranger.test is.
const strangersAddress, strangersAddress6 = "9.9.9.9", "2620:fe::fe"

// targets are names that records lead to; "" is the name that was asked for.
var targets = []string{"", "mx.acme.test.", "mx2.acme.test.", "acme.test.", "alias.test.", "loop.test.", ".", "10.0.0.1.", "ACME.test.", `sp\032ace.test.`, `cr\013\010lf.test.`,
	`nul\000.test.`, strings.Repeat("a123456789.", 22) + "test.", strings.Repeat("a", 63) + ".test.", `\255\254.test.`, "xn--brcke-lva.test.", "_tcp.acme.test.", "localhost.", "-.test."}

var addresses4 = []string{"8.8.8.8", "127.0.0.1", "10.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255", "100.64.0.1", "192.168.1.1", "172.16.0.1", "198.18.0.1", "1.1.1.1"}

var addresses6 = []string{"2606:4700::1", "::1", "::", "::ffff:127.0.0.1", "::127.0.0.1", "2002:7f00:1::1", "64:ff9b::7f00:1", "2001:0:7f00:1::1", "fd00::1", "fe80::1", "ff02::1", "fd00:ec2::254", "2620:fe::9"}

// said reads a script: a byte says the kind of reply, then come records; see record. What is past its end is 0.
type said struct {
	q      *dns.Msg
	script []byte
	udp    bool
	short  bool // over TCP, less comes than was said
	last   string
}

func (r *said) byte() byte {
	if len(r.script) == 0 {
		return 0
	}
	b := r.script[0]
	r.script = r.script[1:]
	return b
}

// make gives the messages that are sent.
func (r *said) make() [][]byte {
	m := new(dns.Msg).SetReply(r.q)
	switch r.byte() % sayKinds {
	case sayRaw:
		head := []byte{byte(r.q.Id >> 8), byte(r.q.Id), 0x81, 0x80, 0, 1, 0, r.byte(), 0, r.byte(), 0, r.byte()}
		return [][]byte{append(head, r.script...)}
	case sayCut:
		m.Truncated = true
	case sayForged:
		forged := new(dns.Msg).SetRcode(r.q, dns.RcodeNameError)
		forged.Id++
		return append(packed(forged), r.records(m)...)
	case sayOther:
		other := new(dns.Msg).SetReply(r.q)
		other.Question[0].Name = "stranger.test."
		other.Answer = append(other.Answer, r.stranger("acme.test."))
		return append(packed(other), r.records(m)...)
	case sayNothing:
		return nil
	case sayCode:
		m.Rcode = int(r.byte() % 24)
	case sayJunk:
		return [][]byte{r.script}
	case sayHuge:
		return r.huge(m)
	case sayHalf:
		r.short = true
	case sayQuestion:
		return packed(r.q)
	case sayStrangers:
		for range 1 + r.byte()%4 {
			m.Answer = append(m.Answer, r.stranger("stranger.test."))
		}
	}
	return r.records(m)
}

// records adds what the rest of the script says.
func (r *said) records(m *dns.Msg) [][]byte {
	for len(r.script) > 0 && len(m.Answer) < 64 {
		rr := r.record()
		if rr.Header().Rrtype == dns.TypeSOA {
			m.Ns = append(m.Ns, rr)
		} else {
			m.Answer = append(m.Answer, rr)
		}
	}
	return packed(m)
}

// huge repeats one record with ever other preferences and addresses.
func (r *said) huge(m *dns.Msg) [][]byte {
	if m.Truncated = r.udp; r.udp {
		return packed(m)
	}
	one := r.record()
	for i := range hugeRecords {
		rr := dns.Copy(one)
		switch rr := rr.(type) {
		case *dns.MX:
			rr.Preference = uint16(i)
			rr.Mx = "h" + strings.Repeat("x", i%20) + "." + rr.Mx
		case *dns.A:
			rr.A = net.IPv4(8, 8, byte(i>>8), byte(i))
		}
		m.Answer = append(m.Answer, rr)
	}
	m.Compress = true
	return packed(m)
}

const hugeRecords = 1000

// record is a kind, an owner (the name asked for, or the target of the last alias), a lifetime and what the kind needs.
func (r *said) record() dns.RR {
	kind, owner, life := r.byte()%recKinds, r.q.Question[0].Name, r.byte()
	if life&1 == 1 && r.last != "" {
		owner = r.last
	}
	h := dns.RR_Header{Name: owner, Class: dns.ClassINET, Ttl: uint32(life) << (life % 25)}
	typed := func(t uint16) dns.RR_Header { h.Rrtype = t; return h }
	switch kind {
	case recMX:
		return &dns.MX{Hdr: typed(dns.TypeMX), Preference: uint16(r.byte()) << 8, Mx: r.target()}
	case recA:
		return &dns.A{Hdr: typed(dns.TypeA), A: net.ParseIP(pick(addresses4, r.byte()))}
	case recAAAA:
		return &dns.AAAA{Hdr: typed(dns.TypeAAAA), AAAA: net.ParseIP(pick(addresses6, r.byte())).To16()}
	case recCNAME:
		r.last = r.target()
		return &dns.CNAME{Hdr: typed(dns.TypeCNAME), Target: r.last}
	case recDNAME:
		return &dns.DNAME{Hdr: typed(dns.TypeDNAME), Target: r.target()}
	case recSOA:
		return &dns.SOA{Hdr: typed(dns.TypeSOA), Ns: "ns.test.", Mbox: "hm.test.", Minttl: uint32(r.byte()) << 24}
	case recWrongClass:
		h.Class = dns.ClassCHAOS
		return &dns.MX{Hdr: typed(dns.TypeMX), Mx: "stranger.test."}
	}
	return &dns.TXT{Hdr: typed(dns.TypeTXT), Txt: []string{string(r.script[:min(len(r.script), 200)])}}
}

// stranger is a record of an owner that has nothing to do with the question.
func (r *said) stranger(owner string) dns.RR {
	h := dns.RR_Header{Name: owner, Rrtype: r.q.Question[0].Qtype, Class: dns.ClassINET, Ttl: 60}
	switch h.Rrtype {
	case dns.TypeMX:
		return &dns.MX{Hdr: h, Mx: "stranger.test."}
	case dns.TypeA:
		return &dns.A{Hdr: h, A: net.ParseIP(strangersAddress)}
	}
	return &dns.AAAA{Hdr: h, AAAA: net.ParseIP(strangersAddress6)}
}

func (r *said) target() string {
	if name := pick(targets, r.byte()); name != "" {
		return name
	}
	return r.q.Question[0].Name
}

func pick(list []string, n byte) string { return list[int(n)%len(list)] }

// packed is a message on the wire; none where it cannot be written.
func packed(m *dns.Msg) [][]byte {
	wire, err := m.Pack()
	if err != nil {
		return nil
	}
	return [][]byte{wire}
}

// script joins replies: to MX, A and AAAA, then to each asked once more.
func script(replies ...[]byte) (out []byte) {
	for _, r := range replies {
		out = append(append(out, r...), scriptEnd)
	}
	return out
}

// hostileScripts are where the fuzzing begins: an honest domain, and each way of not being one.
var hostileScripts = [][]byte{
	script([]byte{sayRecords, recMX, 0, 10, 1, recMX, 0, 20, 2}, []byte{sayRecords, recA, 0, 0, recA, 0, 1}, []byte{sayRecords, recAAAA, 0, 0, recAAAA, 0, 3}),
	script([]byte{sayRecords, recMX, 0, 0, 6}),
	script([]byte{sayCode, 3}), script([]byte{sayCode, 2}), script([]byte{sayCode, 1}), script([]byte{sayCode, 23}),
	script([]byte{sayRecords, recCNAME, 0, 4, recMX, 1, 10, 1}, []byte{sayRecords, recA, 0, 0}),
	script([]byte{sayRecords, recCNAME, 0, 0}), script([]byte{sayRecords, recCNAME, 0, 4, recCNAME, 1, 5, recCNAME, 1, 4}), script([]byte{sayRecords, recDNAME, 0, 4}),
	script([]byte{sayCut, recMX, 0, 10, 1}, []byte{sayCut, recA, 0, 0}, []byte{sayCut}),
	script([]byte{sayForged, recMX, 0, 10, 1}, []byte{sayForged, recA, 0, 0}, []byte{sayOther, recAAAA, 0, 0}),
	script([]byte{sayOther, recMX, 0, 10, 1}, []byte{sayRecords, recA, 0, 0}),
	script([]byte{sayNothing}), script([]byte{sayJunk, 'j', 'u', 'n', 'k'}), script([]byte{sayQuestion}), script([]byte{sayHalf, recMX, 0, 10, 1}),
	script([]byte{sayHuge, recMX, 0, 10, 1}, []byte{sayHuge, recA, 0, 0}, []byte{sayHuge, recAAAA, 0, 3}),
	script([]byte{sayStrangers, 3}, []byte{sayStrangers, 3}), script([]byte{sayStrangers, 3, recMX, 0, 10, 1}, []byte{sayStrangers, 3, recA, 0, 1}, []byte{sayStrangers, 3}),
	script([]byte{sayRecords, recMX, 0, 10, 9, recMX, 0, 10, 10, recMX, 0, 10, 11, recMX, 0, 10, 12, recMX, 0, 10, 7, recMX, 0, 10, 14}, []byte{sayRecords, recA, 0, 0}),
	script([]byte{sayRecords, recWrongClass, 0}, []byte{sayRecords, recA, 0, 0}),
	script([]byte{sayRecords, recWrongClass, 0, recOther, 0}, []byte{sayRecords, recSOA, 0, 255}),
	script([]byte{sayRecords}, []byte{sayRecords, recA, 0, 1, recA, 0, 3}, []byte{sayRecords, recAAAA, 0, 1, recAAAA, 0, 7}),
	// Compression: a question that points at itself, and an answer whose name and target point at each other.
	script([]byte{sayRaw, 0, 0, 0, 0xc0, 12, 0, 15, 0, 1}),
	script([]byte{sayRaw, 1, 0, 0, 4, 'a', 'c', 'm', 'e', 4, 't', 'e', 's', 't', 0, 0, 15, 0, 1, 0xc0, 29, 0, 15, 0, 1, 0, 0, 0, 60, 0, 4, 0, 10, 0xc0, 27}),
	script([]byte{sayRaw, 1, 0, 0, 4, 'a', 'c', 'm', 'e', 4, 't', 'e', 's', 't', 0, 0, 15, 0, 1, 0xc0, 12, 0, 15, 0, 1, 0, 0, 0, 60, 0, 5, 0, 10, 0, 0xc0, 12}),
	script([]byte{sayRaw, 255, 255, 255, 4, 'a', 'c', 'm', 'e', 4, 't', 'e', 's', 't', 0, 0, 15, 0, 1}),
}
