package main

import (
	"context"
	"fmt"
	"net"
	"net/smtp"
	"strconv"
	"strings"
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

// compare runs the plain approach on the world's first people, as many at once as the workers ask, and prints how much slower it is.
func (b *benchmark) compare(ctx context.Context, o *opened, truths []mailworld.Truth) {
	if b.baseline <= 0 {
		return
	}
	b.stop()
	b.procs = nil
	atOnce := b.workers * o.Config.Worker.Concurrency * o.Config.Worker.RecordServers
	truths = truths[:min(len(truths), b.baseline)]
	right, took := plainRun(ctx, b.world, truths, atOnce)
	speed := float64(len(truths)) / took.Seconds()
	printf(b.out, "plain approach, %d rows, %d at once: %.1f s, %.1f rows per second, %d right; the pipeline is %.1f times as fast\n",
		len(truths), atOnce, took.Seconds(), speed, right, b.speed/speed)
}

// plainRun asks for people, atOnce of them at a time, and returns how many it found rightly and how long it took.
func plainRun(ctx context.Context, w *mailworld.World, truths []mailworld.Truth, atOnce int) (right int, took time.Duration) {
	p := newPlainFinder(w)
	next := make(chan mailworld.Truth)
	var mu sync.Mutex
	var wg sync.WaitGroup
	began := time.Now()
	for range atOnce {
		wg.Go(func() {
			for t := range next {
				if found := p.find(ctx, t); found != "" && strings.EqualFold(found, t.Email) {
					mu.Lock()
					right++
					mu.Unlock()
				}
			}
		})
	}
	for _, t := range truths {
		if t.Person != nil {
			next <- t
		}
	}
	close(next)
	wg.Wait()
	return right, time.Since(began)
}

// find returns the first address, by frequency, that the server accepts; "" for nobody.
func (p *plainFinder) find(ctx context.Context, t mailworld.Truth) string {
	ranked, err := finder.Rank(finder.Person{First: t.Person.First, Last: t.Person.Last, Domain: t.Company.Domain}, nil)
	if err != nil {
		return ""
	}
	for _, r := range ranked[:min(len(ranked), plainForms)] {
		switch taken, all, err := p.ask(ctx, t.Company.Domain, r.Email); {
		case err != nil:
			return ""
		case all:
			return ranked[0].Email
		case taken:
			return r.Email
		}
	}
	return ""
}

// ask holds one conversation about one address: is it accepted, and is everything?
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
	if c.Rcpt(address) != nil {
		return false, false, c.Quit()
	}
	all = c.Rcpt("x9q7kz2v@"+domain) == nil
	return true, all, c.Quit()
}
