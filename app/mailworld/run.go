package mailworld

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	dnsStopTimeout  = 3 * time.Second
	maxGreylisted   = 200_000 // triplets remembered; beyond that all are forgotten
	maxOpenSessions = 20_000  // connections beyond that are closed at once
)

// run is a world between Start and Close: its sockets, its memory and its figures.
type run struct {
	counters
	world *World

	port    int
	dnsAddr string
	shared  map[string]string // world ip -> address of the listener that stands for it; nil where 127.64.0.0/16 is bound
	tls     *tls.Config

	quit      chan struct{}
	closed    bool
	wg        sync.WaitGroup
	listeners []net.Listener
	dns       []*dns.Server

	connMu sync.Mutex
	conns  map[net.Conn]struct{}

	greyMu sync.Mutex
	grey   map[string]time.Time // first contact of a triplet
}

func newRun(w *World) (*run, error) {
	r := &run{
		world: w, quit: make(chan struct{}), conns: map[net.Conn]struct{}{}, grey: map[string]time.Time{},
		counters: counters{hosts: make([]hostCounters, len(w.hosts))},
	}
	var err error
	if r.tls, err = selfSigned(); err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	bound, err := r.bind()
	if err != nil {
		return nil, err
	}
	if err := r.startDNS(); err != nil {
		return nil, errors.Join(err, r.close())
	}
	for l, h := range bound {
		r.wg.Add(1)
		go r.accept(l, h)
	}
	return r, nil
}

func (r *run) close() error {
	r.closed = true
	close(r.quit)
	var errs []error
	ctx, cancel := context.WithTimeout(context.Background(), dnsStopTimeout)
	defer cancel()
	for _, s := range r.dns {
		errs = append(errs, s.ShutdownContext(ctx))
	}
	for _, l := range r.listeners {
		errs = append(errs, l.Close())
	}
	r.connMu.Lock()
	for c := range r.conns {
		_ = c.Close()
	}
	r.connMu.Unlock()
	r.wg.Wait()
	return errors.Join(errs...)
}

// accept serves one host until its listener is closed.
func (r *run) accept(l net.Listener, h *host) {
	defer r.wg.Done()
	for {
		conn, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if !r.pause(10 * time.Millisecond) { // out of file descriptors: others may close some
				return
			}
			continue
		}
		if !r.track(conn) {
			_ = conn.Close()
			continue
		}
		r.wg.Add(1)
		go r.serve(conn, h)
	}
}

func (r *run) serve(conn net.Conn, h *host) {
	defer r.wg.Done()
	defer r.forget(conn)
	c := &r.hosts[h.index]
	c.connections.Add(1)
	r.connections.Add(1)
	c.add()
	r.add()
	s := newSession(r, h, conn)
	s.done = sync.OnceFunc(func() {
		c.done()
		r.done()
	})
	defer s.done()
	s.serve()
}

func (r *run) track(conn net.Conn) bool {
	r.connMu.Lock()
	defer r.connMu.Unlock()
	if r.closing() || len(r.conns) >= maxOpenSessions {
		return false
	}
	r.conns[conn] = struct{}{}
	return true
}

func (r *run) forget(conn net.Conn) {
	_ = conn.Close()
	r.connMu.Lock()
	delete(r.conns, conn)
	r.connMu.Unlock()
}

func (r *run) closing() bool {
	select {
	case <-r.quit:
		return true
	default:
		return false
	}
}

// pause waits; false means that the world is closing.
func (r *run) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.quit:
		return false
	}
}

// greylisted says how long a triplet still has to wait; 0 when it may pass.
func (r *run) greylisted(triplet string, now time.Time) time.Duration {
	r.greyMu.Lock()
	defer r.greyMu.Unlock()
	first, known := r.grey[triplet]
	if !known {
		if len(r.grey) >= maxGreylisted {
			clear(r.grey)
		}
		r.grey[triplet], first = now, now
	}
	return max(0, first.Add(r.world.options.GreylistFor).Sub(now))
}
