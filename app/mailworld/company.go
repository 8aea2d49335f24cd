package mailworld

import (
	"fmt"
	"net/netip"
	"strings"
)

const hostsPerNet = 250 // MX hosts in one 127.64.x.0/24

// Person is an invented person at a company.
type Person struct {
	First, Last, Full string
	Middle            string   // an initial or a second given name; "" for most
	Email             string   // "" = has no mailbox here
	Aliases           []string // further addresses that reach the same mailbox
	Culture           string
	Title, City       string
	FullMailbox       bool // the mailbox exists and is over its quota
	Disabled          bool // Email was switched off: a working address no more
	Busy              bool // the mailbox exists and its server says it gets too much mail just now
}

// Company is an invented company with one mail domain.
type Company struct {
	Name, Domain string
	Behaviour    Behaviour
	Pattern      string // template id that most people's addresses follow, such as "F.L" or "fL"
	People       []Person
	Roles        []string // local parts of mailboxes that belong to no person
}

// roles are the mailboxes that every company has. RFC 5321 4.5.1 demands postmaster.
func roles() []string { return []string{"info", "sales", "support", "postmaster"} }

type boxState int

const (
	noBox boxState = iota
	openBox
	fullBox
	disabledBox
	busyBox
)

// mailboxes lists what a company's server knows: local part in lower case to the state of that mailbox.
func mailboxes(c *Company) map[string]boxState {
	boxes := map[string]boxState{}
	for _, role := range c.Roles {
		boxes[role] = openBox
	}
	for _, p := range c.People {
		if p.Email == "" {
			continue
		}
		state := p.state()
		boxes[localOf(p.Email)] = state
		for _, alias := range p.Aliases {
			boxes[localOf(alias)] = state
		}
	}
	return boxes
}

func (p Person) state() boxState {
	switch {
	case p.Email == "":
		return noBox
	case p.Disabled:
		return disabledBox
	case p.FullMailbox:
		return fullBox
	case p.Busy:
		return busyBox
	}
	return openBox
}

func localOf(address string) string {
	local, _, _ := strings.Cut(address, "@")
	return strings.ToLower(local)
}

// host is one MX host: an address of its own and the manners of the server on it.
type host struct {
	index   int
	name    string
	ip      netip.Addr
	domain  string
	boxes   map[string]boxState
	manners manners
	voice   *voice
}

// settle gives a company its hosts, addresses and DNS zone.
func (w *World) settle(c *Company) {
	traits := c.Behaviour.traits()
	z := newZone(c.Domain, traits.dns)
	boxes := mailboxes(c)
	if traits.dns.absent {
		return
	}
	for i, m := range traits.hosts {
		h := &host{
			index: len(w.hosts), name: fmt.Sprintf("mx%d.%s", i+1, c.Domain), ip: hostAddr(len(w.hosts)),
			domain: c.Domain, boxes: boxes, manners: m, voice: voiceOf(c),
		}
		w.hosts = append(w.hosts, h)
		z.addHost(h, i)
	}
	w.zones[z.apex] = z
}

// hostAddr is the address of the n-th MX host: 127.64.0.1, 127.64.0.2, ...
func hostAddr(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, byte(64 + n/hostsPerNet/256), byte(n / hostsPerNet % 256), byte(n%hostsPerNet + 1)})
}

// v6Prefix holds the IPv6 addresses of the world. No system has them: only World.Dial reaches a host there.
var v6Prefix = netip.MustParsePrefix("fd00:6d77::/32")

// v6Of is a host's IPv6 address: v6Prefix with its IPv4 address at the end.
func v6Of(v4 netip.Addr) netip.Addr {
	b, last := v6Prefix.Addr().As16(), v4.As4()
	copy(b[12:], last[:])
	return netip.AddrFrom16(b)
}

// v4Of inverts v6Of; every other address is returned as it is.
func v4Of(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil || !v6Prefix.Contains(addr) {
		return ip
	}
	b := addr.As16()
	return netip.AddrFrom4([4]byte(b[12:])).String()
}
