package finder

import (
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"beagle/app/probe"
)

// Bounds of the overlay: some 50 MB when every domain in it is a large one.
const (
	overlayDomains   = 1024
	overlayAddresses = 256 // of one domain
	answerKeep       = time.Hour
)

// overlay is what this process learned itself, so that the next row on a domain profits before the
// database does. It holds addresses, not sums: an address counts once however often it is seen, and
// what Memory recalls is merged by taking the larger count of the two, never their sum.
type overlay struct {
	mu      sync.Mutex
	domains *lru.Cache[string, *domainNotes]
}

// domainNotes is the overlay's part about one domain.
type domainNotes struct {
	facts     *probe.Domain
	acceptAll *probe.AcceptAllAnswer
	seen      map[string]seen
	order     []string // addresses, oldest first
	waited    map[string]bool
}

// seen is one address that was asked here.
type seen struct {
	pattern string // template id, "" when it taught nothing
	hit     bool
	soft    bool   // it answered under a loose form, but may be somebody else's: neither hit nor miss
	holder  string // whose it was found to be
	spelt   spelt  // how a confirmed one writes the name
	answer  probe.Answer
}

func newOverlay() *overlay {
	cache, err := lru.New[string, *domainNotes](overlayDomains)
	if err != nil {
		panic("finder: overlay size must be positive")
	}
	return &overlay{domains: cache}
}

// notes returns a domain's notes, making them; the caller holds mu.
func (o *overlay) notes(domain string) *domainNotes {
	n, ok := o.domains.Get(domain)
	if !ok {
		n = &domainNotes{seen: map[string]seen{}}
		o.domains.Add(domain, n)
	}
	return n
}

// merge adds what this process knows to what Memory recalled.
func (o *overlay) merge(domain string, k Known) Known {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, ok := o.domains.Get(domain)
	if !ok {
		return k
	}
	if n.facts != nil && (k.Facts == nil || n.facts.CheckedAt.After(k.Facts.CheckedAt)) {
		k.Facts = n.facts
	}
	if n.acceptAll != nil && (k.AcceptAll == nil || n.acceptAll.At.After(k.AcceptAll.At)) {
		k.AcceptAll = n.acceptAll
	}
	merged := make(map[string]Count, len(k.Patterns))
	for id, c := range n.counts() {
		merged[id] = c
	}
	for id, c := range k.Patterns {
		m := merged[id]
		merged[id] = Count{Hits: max(m.Hits, c.Hits), Misses: max(m.Misses, c.Misses)}
	}
	k.Patterns = merged
	return k
}

// counts sums up the addresses seen, by template.
func (n *domainNotes) counts() map[string]Count {
	out := map[string]Count{}
	for _, s := range n.seen {
		c := out[s.pattern]
		switch {
		case s.pattern == "", s.soft:
			continue
		case s.hit:
			c.Hits++
		default:
			c.Misses++
		}
		out[s.pattern] = c
	}
	return out
}

// habits sums up how the confirmed addresses of a domain write names: those confirmed here, and others that are known.
func (o *overlay) habits(domain string, known map[string]Spelling) habits {
	o.mu.Lock()
	defer o.mu.Unlock()
	var h habits
	var here map[string]seen
	if n, ok := o.domains.Peek(domain); ok {
		here = n.seen
	}
	for _, s := range here {
		if s.hit {
			h.add(s.spelt)
		}
	}
	for address, s := range known {
		if !here[address].hit {
			h.add(s.spelt)
		}
	}
	return h
}

// wait reports whether a person's question may wait for what colleagues' teach: once.
func (o *overlay) wait(domain, holder string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.notes(domain)
	if n.waited == nil || len(n.waited) >= overlayAddresses {
		n.waited = map[string]bool{}
	}
	if n.waited[holder] {
		return false
	}
	n.waited[holder] = true
	return true
}

// keep notes facts and an accept-all answer.
func (o *overlay) keep(facts probe.Domain, acceptAll *probe.AcceptAllAnswer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.notes(facts.Name)
	n.facts = &facts
	if acceptAll != nil {
		n.acceptAll = acceptAll
	}
}

// learn notes one address; the oldest is forgotten beyond the bound. A holder once known stays.
func (o *overlay) learn(domain, address string, s seen) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.write(domain, address, s)
}

func (o *overlay) write(domain, address string, s seen) {
	s.answer.Lines = nil
	n := o.notes(domain)
	old, known := n.seen[address]
	switch {
	case known && !s.hit && !s.soft && s.answer.Status == probe.Valid: // what was concluded stays
		s.hit, s.soft, s.holder, s.pattern, s.spelt = old.hit, old.soft, old.holder, old.pattern, old.spelt
	case !known:
		n.order = append(n.order, address)
	}
	n.seen[address] = s
	if len(n.order) > overlayAddresses {
		delete(n.seen, n.order[0])
		n.order = n.order[1:]
	}
}

// claim notes that an address is holder's; false when it was found to be somebody else's before.
func (o *overlay) claim(domain, address string, s seen) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if old := o.notes(domain).seen[address]; old.hit && old.holder != "" && old.holder != s.holder {
		return false
	}
	o.write(domain, address, s)
	return true
}

// softly counts the other addresses under a template that answered but could not be told to be the
// person's: each alone may be a namesake's, several are a pattern.
func (o *overlay) softly(domain, id, except string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	if notes, ok := o.domains.Peek(domain); ok {
		for address, s := range notes.seen {
			if s.soft && s.pattern == id && address != except {
				n++
			}
		}
	}
	return n
}

// asked returns what is remembered of an address.
func (o *overlay) asked(domain, address string) (seen, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, ok := o.domains.Peek(domain)
	if !ok {
		return seen{}, false
	}
	s, ok := n.seen[address]
	return s, ok
}
