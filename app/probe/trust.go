package probe

import (
	"context"
	"time"
)

// Some servers, tired of being asked, begin to take every name. A yes is checked by an invented name after waryAfter
// refusals, then after twice as many, and so on.
const (
	waryAfter = 8
	maxWary   = 512
)

// trust is how far the yes of a host is believed for one domain.
type trust struct {
	refused   int       // names since an invented one was refused last
	wary      int       // how many make a yes doubtful
	liesUntil time.Time // it took an invented name after refusing others
}

// takesAll is the verdict on a yes that invented names get too, from a server that may know better another time.
var takesAll = verdict{status: AcceptAll, reason: AcceptsAll, retry: busyRetry}

// distrust looks at a yes from a backup host. Backups often accept any name, and the answer to AcceptAll may come from the
// primary; so the backup is asked for an invented name, once per domain.
func (p *Prober) distrust(ctx context.Context, d Domain, out outcome, notes *transcript) outcome {
	accepts, known := p.memory.backupAccepts(out.host, d.Name)
	if !known {
		notes.add("I", "this is a backup server: does it accept an invented name too?")
		control := p.control(ctx, d, out.host, notes)
		switch {
		case control.status == Valid:
			accepts = true
		case control.status == Unknown && control.reason != RejectedUnclear:
			out.verdict = unknown(control.reason, max(control.retry, busyRetry))
			return out
		}
		p.memory.learnBackup(out.host, d.Name, accepts)
	}
	if accepts {
		out.verdict = takesAll
	}
	return out
}

// doubt looks at a yes from a host that has refused many names of the domain.
func (p *Prober) doubt(ctx context.Context, d Domain, out outcome, notes *transcript) outcome {
	control, lies := p.memory.doubtful(out.host, d.Name)
	if !lies && !control {
		return out
	}
	if !lies {
		notes.add("I", "this server has refused many names: does it still refuse an invented one?")
		c := p.control(ctx, d, out.host, notes)
		if c.status == Unknown && c.reason != RejectedUnclear {
			out.verdict = unknown(c.reason, max(c.retry, busyRetry))
			return out
		}
		lies = c.status == Valid
		p.memory.controlled(out.host, d.Name, lies)
	}
	if lies {
		out.verdict = takesAll
	}
	return out
}

// control asks a host for an invented name of the domain.
func (p *Prober) control(ctx context.Context, d Domain, host string, notes *transcript) outcome {
	return p.askHost(ctx, hostNamed(d.Hosts, host), newQuestion(p.names.given(), d.Name, notes))
}

func hostNamed(hosts []Host, name string) Host {
	for _, h := range hosts {
		if h.Name == name {
			return h
		}
	}
	return Host{Name: name}
}

// trust must be called with mu held.
func (m *memory) trust(host, domain string) *trust {
	key := host + " " + domain
	t, ok := m.trusts.Get(key)
	if !ok {
		t = &trust{wary: waryAfter}
		m.trusts.Add(key, t)
	}
	return t
}

// refuse counts a name that a host refused.
func (m *memory) refuse(host, domain string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trust(host, domain).refused++
}

// doubtful says whether a yes of the host needs a control, and whether it is known to be worth nothing.
func (m *memory) doubtful(host, domain string) (control, lies bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.trust(host, domain)
	return t.refused >= t.wary, time.Now().Before(t.liesUntil)
}

// controlled remembers what became of a control: a host that refused the invented name is trusted for twice as long.
func (m *memory) controlled(host, domain string, accepted bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.trust(host, domain)
	t.refused = 0
	if accepted {
		t.liesUntil = time.Now().Add(lessonFor)
		return
	}
	t.wary = min(2*t.wary, maxWary)
}
