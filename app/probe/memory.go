package probe

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Bounds of what is remembered of hosts.
const (
	hostMemory       = 20_000           // hosts
	lessonFor        = 10 * time.Minute // how long a limit or a dead address is believed
	maxBackupDomains = 1_000            // of one backup host
	learnedAfter     = time.Second      // a session idle for longer may have been dropped for that, which teaches nothing
)

// memory is what MX hosts taught us lately: that they rest after failures, how many recipients they take, whether they
// want TLS, and which of their addresses did not answer.
type memory struct {
	mu        sync.Mutex
	hosts     *lru.Cache[string, *hostFacts]
	trusts    *lru.Cache[string, *trust] // by host and domain
	restAfter int
	restFor   time.Duration
	pace      time.Duration // between two new sessions to one host
}

type hostFacts struct {
	failures int
	until    time.Time // rests until then
	trial    bool      // one caller is finding out whether the rest is over
	rested   int       // rests in a row
	reason   Reason    // why it rests
	begun    time.Time // see start

	lesson     time.Time // when the following was learned last
	perTx      int       // recipients a transaction takes; 0 = not known
	perSession int
	tls        bool
	apart      bool // its replies to a group were not in order
	deadIPs    []string
	accepts    map[string]bool // as a backup: domain → accepts invented names
}

func newMemory(c Config) (*memory, error) {
	hosts, err := lru.New[string, *hostFacts](hostMemory)
	if err != nil {
		return nil, fmt.Errorf("make host memory: %w", err)
	}
	trusts, err := lru.New[string, *trust](hostMemory)
	if err != nil {
		return nil, fmt.Errorf("make host memory: %w", err)
	}
	return &memory{hosts: hosts, trusts: trusts, restAfter: c.RestAfter, restFor: c.RestFor, pace: time.Minute / time.Duration(c.SessionsPerMinute)}, nil
}

// facts must be called with mu held.
func (m *memory) facts(host string) *hostFacts {
	f, ok := m.hosts.Get(host)
	if !ok {
		f = &hostFacts{}
		m.hosts.Add(host, f)
	}
	if !f.lesson.IsZero() && time.Since(f.lesson) > lessonFor {
		*f = hostFacts{failures: f.failures, until: f.until, trial: f.trial, rested: f.rested, reason: f.reason, begun: f.begun}
	}
	return f
}

// resting says for how long a host is to be left alone, 0 = it may be asked, and why.
func (m *memory) resting(host string) (time.Duration, Reason) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.facts(host)
	if f.failures < m.restAfter {
		return 0, ""
	}
	return max(time.Until(f.until), 0), f.reason
}

// mayDial is resting for somebody who is about to connect. When the rest is over one caller is let through; the others
// wait for what it finds, which it must report by failed, works or undecided.
func (m *memory) mayDial(host string) (time.Duration, Reason) {
	left, why := m.resting(host)
	if left > 0 || why == "" {
		return left, why
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.facts(host)
	if f.trial {
		return m.restFor, why
	}
	f.trial = true
	return 0, ""
}

// failed counts a failure; left is how long the host rests from now on, 0 when it does not. Each rest in a row is longer.
func (m *memory) failed(host string, why Reason) (left time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.facts(host)
	f.failures++
	f.trial, f.reason = false, why
	if f.failures < m.restAfter {
		return 0
	}
	left = restTime(m.restFor, f.rested)
	f.rested++
	f.until = time.Now().Add(left)
	return left
}

// maxRest is the longest rest of a host that fails again and again.
const maxRest = 15 * time.Minute

// restTime doubles with each rest in a row, less a random part up to a half, so that processes do not come back together.
func restTime(standard time.Duration, rested int) time.Duration {
	long := min(standard<<min(rested, 16), max(maxRest, standard))
	return long - rand.N(long/2+1)
}

// rests is what another process found out: the host is to be left alone for so long.
func (m *memory) rests(host string, why Reason, left time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.facts(host)
	f.failures, f.trial, f.reason = max(f.failures, m.restAfter), false, why
	f.until = time.Now().Add(left)
}

func (m *memory) works(host string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.facts(host)
	f.failures, f.rested, f.trial = 0, 0, false
}

// undecided gives a trial back that came to no end, because the caller's context did.
func (m *memory) undecided(host string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.facts(host).trial = false
}

// limits are the recipients that one transaction and one session of a host take.
func (m *memory) limits(host string, c *Config) (perTx, perSession int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.facts(host)
	perTx, perSession = c.RCPTsPerTransaction, c.RCPTsPerSession
	if f.perTx > 0 {
		perTx = min(perTx, f.perTx)
	}
	if f.perSession > 0 {
		perSession = min(perSession, f.perSession)
	}
	return perTx, perSession
}

// learn changes the facts of a host for lessonFor.
func (m *memory) learn(host string, change func(*hostFacts)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.facts(host)
	f.lesson = time.Now()
	change(f)
}

// apart reports whether a host must be asked for one address at a time.
func (m *memory) apart(host string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.facts(host).apart
}

func (m *memory) wantsTLS(host string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.facts(host).tls
}

// order puts addresses that did not answer lately last.
func (m *memory) order(h Host) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	dead := m.facts(h.Name).deadIPs
	ips := slices.Clone(h.IPs)
	slices.SortStableFunc(ips, func(a, b string) int { return rank(dead, a) - rank(dead, b) })
	return ips
}

func rank(dead []string, ip string) int { return slices.Index(dead, ip) + 1 }

// markIP remembers whether an address answered.
func (m *memory) markIP(host, ip string, alive bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.facts(host)
	at := slices.Index(f.deadIPs, ip)
	switch {
	case alive && at >= 0:
		f.deadIPs = slices.Delete(f.deadIPs, at, at+1)
	case !alive && at < 0 && len(f.deadIPs) < maxIPs:
		f.deadIPs = append(f.deadIPs, ip)
		f.lesson = time.Now()
	}
}

// backupAccepts is what is known of a backup host: does it accept invented names of domain?
func (m *memory) backupAccepts(host, domain string) (accepts, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	accepts, known = m.facts(host).accepts[domain]
	return accepts, known
}

func (m *memory) learnBackup(host, domain string, accepts bool) {
	m.learn(host, func(f *hostFacts) {
		if f.accepts == nil || len(f.accepts) >= maxBackupDomains {
			f.accepts = map[string]bool{}
		}
		f.accepts[domain] = accepts
	})
}
