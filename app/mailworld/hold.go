package mailworld

import "sync"

// Hold makes the mail servers of a domain keep back what they have to say, until release is called: a list stands still at its rows
// there for as long as somebody wants to look. PROBE_TIMEOUT must be longer than that.
func (w *World) Hold(domain string) (release func()) {
	gate := make(chan struct{})
	w.held.Store(domain, gate)
	return sync.OnceFunc(func() {
		w.held.CompareAndDelete(domain, gate)
		close(gate)
	})
}

// mayTalk waits while a domain is held; false means that the world is closing.
func (r *run) mayTalk(domain string) bool {
	gate, held := r.world.held.Load(domain)
	if !held {
		return true
	}
	select {
	case <-gate.(chan struct{}):
		return true
	case <-r.quit:
		return false
	}
}
