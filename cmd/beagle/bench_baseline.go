package main

import (
	"context"
	"fmt"
	"net"
	"net/smtp"
	"strconv"
	"sync"
	"time"

	"beagle/app/finder"
	"beagle/app/mailworld"
)

// The plain approach that the pipeline is compared with: one connection for each address, the catch-all question asked
// beside each, nothing shared between rows.
const (
	plainForms   = 10              // addresses asked of one person, by how frequent their forms are
	plainTimeout = 5 * time.Second // of one conversation, as PROBE_TIMEOUT is in the pipeline
)

// plainFinder asks as scripts do.
type plainFinder struct {
	dns  net.Resolver
	port string
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

func newPlainFinder(w *mailworld.World) *plainFinder {
	p := &plainFinder{port: strconv.Itoa(w.SMTPPort()), dial: w.Dial}
	p.dns = net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, w.DNSAddr())
	}}
	return p
}

// plainRun asks for people, atOnce of them at a time: what it says of each, and when each was answered.
func plainRun(ctx context.Context, w *mailworld.World, truths []mailworld.Truth, atOnce int) (t tally, c course) {
	p := newPlainFinder(w)
	next := make(chan mailworld.Truth)
	var mu sync.Mutex
	var wg sync.WaitGroup
	began := time.Now()
	for range atOnce {
		wg.Go(func() {
			for truth := range next {
				email, status := p.find(ctx, truth)
				mu.Lock()
				t.add(truth, email, status, 0)
				c = append(c, time.Since(began))
				mu.Unlock()
			}
		})
	}
	for _, truth := range truths {
		if truth.Person != nil {
			next <- truth
		}
	}
	close(next)
	wg.Wait()
	return t, c
}

// find returns the first address, by frequency, that the server accepts, with the status that scripts give.
func (p *plainFinder) find(ctx context.Context, t mailworld.Truth) (email, status string) {
	ranked, err := finder.Rank(finder.Person{First: t.Person.First, Last: t.Person.Last, Domain: t.Company.Domain}, nil)
	if err != nil || len(ranked) == 0 {
		return "", finder.StatusUnknown
	}
	for _, r := range ranked[:min(len(ranked), plainForms)] {
		switch taken, all, err := p.ask(ctx, t.Company.Domain, r.Email); {
		case err != nil:
			return "", finder.StatusUnknown
		case all:
			return ranked[0].Email, finder.StatusAcceptAll
		case taken:
			return r.Email, finder.StatusValid
		}
	}
	return "", finder.StatusNotFound
}

// ask holds one conversation about one address: is everything accepted, and else, is it?
func (p *plainFinder) ask(ctx context.Context, domain, address string) (taken, all bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, plainTimeout)
	defer cancel()
	mx, err := p.dns.LookupMX(ctx, domain)
	if err != nil || len(mx) == 0 {
		return false, false, fmt.Errorf("no mail server of %s: %w", domain, err)
	}
	ips, err := p.dns.LookupHost(ctx, mx[0].Host)
	if err != nil {
		return false, false, err
	}
	conn, err := p.dial(ctx, "tcp", net.JoinHostPort(ips[0], p.port))
	if err != nil {
		return false, false, err
	}
	defer conn.Close()
	if until, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(until)
	}
	c, err := smtp.NewClient(conn, mx[0].Host)
	if err != nil {
		return false, false, err
	}
	if err = c.Hello("bench.example"); err != nil {
		return false, false, err
	}
	if err = c.Mail("probe@bench.example"); err != nil {
		return false, false, err
	}
	if all = c.Rcpt("x9q7kz2v@"+domain) == nil; !all {
		taken = c.Rcpt(address) == nil
	}
	return taken, all, c.Quit()
}
