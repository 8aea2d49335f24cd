package finder

import (
	"context"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"beagle/app/probe"
)

// server is a Prober of one scripted mail server for all domains, and a Memory.
type server struct {
	mu      sync.Mutex
	domain  probe.Domain            // State "" is ok
	all     probe.AcceptAllAnswer   // Verdict "" is no
	answers map[string]probe.Answer // by local part; the rest is rest
	rest    probe.Answer            // zero is a clean no
	missing map[string]bool         // domains that do not exist
	wait    time.Duration           // of each Check
	groups  bool                    // it takes questions in groups

	asked     []string
	lookups   int
	questions int
	busy, max int
	known     Known
	facts     *probe.Domain
	kept      *probe.AcceptAllAnswer
	recallErr error
}

var clock = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func (s *server) Lookup(_ context.Context, domain string) probe.Domain {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookups++
	d := s.domain
	d.Name = domain
	if d.State == "" {
		d.State, d.Hosts = probe.StateOK, []probe.Host{{Name: "mx." + domain}}
	}
	if s.missing[domain] {
		d.State = probe.StateDomainNotFound
	}
	d.CheckedAt, d.TTL = clock, time.Hour
	return d
}

func (s *server) AcceptAllBeside(ctx context.Context, d probe.Domain, addresses []string) (probe.AcceptAllAnswer, []probe.Answer) {
	s.mu.Lock()
	s.questions++
	a := s.all
	s.mu.Unlock()
	if a.Verdict == "" {
		a.Verdict, a.Reason = probe.No, probe.MailboxNotFound
	}
	a.At = clock
	if a.Verdict != probe.No || !s.groups || len(addresses) == 0 {
		return a, nil
	}
	return a, s.CheckGroup(ctx, d, addresses)
}

func (s *server) CheckGroup(ctx context.Context, d probe.Domain, addresses []string) []probe.Answer {
	var out []probe.Answer
	for _, address := range addresses {
		if out = append(out, s.Check(ctx, d, address)); !s.groups {
			break
		}
	}
	return out
}

func (s *server) Check(_ context.Context, _ probe.Domain, address string) probe.Answer {
	local, _, _ := strings.Cut(address, "@")
	s.mu.Lock()
	s.asked = append(s.asked, local)
	s.busy++
	s.max = max(s.max, s.busy)
	a, ok := s.answers[local]
	if !ok {
		a = s.rest
	}
	s.mu.Unlock()
	time.Sleep(s.wait)
	s.mu.Lock()
	s.busy--
	s.mu.Unlock()
	if a.Status == "" {
		a = no
	}
	a.Address, a.At = address, clock
	return a
}

func (s *server) Recall(context.Context, string) (Known, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.known
	k.Patterns = maps.Clone(s.known.Patterns)
	return k, s.recallErr
}

func (s *server) Remember(_ context.Context, facts probe.Domain, a *probe.AcceptAllAnswer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.facts = &facts
	if a != nil {
		s.kept = a
	}
	return nil
}

var (
	yes     = probe.Answer{Status: probe.Valid, Reason: probe.MailboxExists, Code: 250, Text: "2.1.5 Ok", Lines: []probe.Line{{From: "C", Text: "RCPT TO:<…>"}, {From: "S", Text: "250 2.1.5 Ok"}}}
	no      = probe.Answer{Status: probe.Invalid, Reason: probe.MailboxNotFound, Code: 550, Enhanced: "5.1.1", Text: "5.1.1 User unknown"}
	full    = probe.Answer{Status: probe.Valid, Reason: probe.MailboxFull, Code: 552}
	off     = probe.Answer{Status: probe.Invalid, Reason: probe.MailboxDisabled, Code: 550}
	grey    = probe.Answer{Status: probe.Unknown, Reason: probe.Greylisted, Code: 451, RetryAfter: 7 * time.Minute}
	blocked = probe.Answer{Status: probe.Unknown, Reason: probe.BlockedByServer, Code: 550}
	unclear = probe.Answer{Status: probe.Unknown, Reason: probe.RejectedUnclear, Code: 550, Text: "not taken"}
)

func (s *server) finder() *Finder {
	return New(s, s, Options{Now: func() time.Time { return clock }})
}

// find asks a fresh finder for John Smith at acme.com.
func (s *server) find(t *testing.T) Result {
	t.Helper()
	return s.finder().Find(context.Background(), john)
}

var john = Person{First: "John", Last: "Smith", Domain: "acme.com"}
