package probe

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"sync"
)

// AcceptAll asks whether the domain's server tells names apart: it is asked for an invented name, and when it takes that
// one, for a second of another shape. Yes needs both, No needs a refusal, and all else is Unsure. Nothing is remembered here.
func (p *Prober) AcceptAll(ctx context.Context, d Domain) AcceptAllAnswer {
	out, _ := p.AcceptAllBeside(ctx, d, nil)
	return out
}

// AcceptAllBeside is AcceptAll that asks for addresses of the domain in the same go, as CheckGroup does. Where the verdict is No there
// are answers to the first of them, or none; otherwise their answers would be worth nothing, and there are none.
func (p *Prober) AcceptAllBeside(ctx context.Context, d Domain, addresses []string) (AcceptAllAnswer, []Answer) {
	out := AcceptAllAnswer{Verdict: Unsure, At: p.cfg.now(), Servers: d.servers()}
	if _, reason, decided := d.Verdict(); decided {
		out.Reason = reason
		if d.State == StateDNSFailed {
			out.RetryAfter = dnsRetryAfter
		}
		return out, nil
	}
	if sayYesToAll[d.Provider] {
		out.Verdict, out.Reason = Yes, NotVerifiableProvider
		return out, nil
	}
	group := p.CheckGroup(ctx, d, append([]string{p.names.given() + "@" + d.Name}, addresses...))
	out.Probes = group[:1:1]
	if !out.weigh(group[0]) {
		if out.Verdict == No {
			return out, group[1:]
		}
		return out, nil
	}
	again := p.Check(ctx, d, p.names.initial()+"@"+d.Name)
	out.Probes = append(out.Probes, again)
	if out.weigh(again) {
		out.Verdict, out.Reason = Yes, AcceptsAll
	}
	return out, nil
}

// weigh takes one answer in; it is true when the answer was a yes and the next name should be asked.
func (out *AcceptAllAnswer) weigh(a Answer) bool {
	second := len(out.Probes) > 1
	refused := a.Status == Invalid || a.Status == Unknown && a.Reason == RejectedUnclear
	switch {
	case a.Status == Valid && (a.Code == 250 || a.Code == 251):
		return true
	case refused && second: // one shape was taken and the other was not: it flips, or it filters by shape
		out.Reason, out.RetryAfter = NotVerifiable, busyRetry
	case refused:
		out.Verdict, out.Reason = No, a.Reason
	default:
		out.Reason, out.RetryAfter = a.Reason, a.RetryAfter
	}
	return false
}

// inventor makes up local parts that look like people's and belong to nobody: two of the usual shapes, from syllables
// that are drawn at random, more than 10^10 of each.
type inventor struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func newInventor(seed uint64) *inventor {
	if seed != 0 {
		return &inventor{rng: rand.New(rand.NewPCG(seed, ^seed))}
	}
	var b [32]byte
	_, _ = crand.Read(b[:]) // never fails (crypto/rand)
	return &inventor{rng: rand.New(rand.NewPCG(binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:16])))}
}

// given is the shape given.surname.
func (n *inventor) given() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.word(3) + "." + n.word(3)
}

// initial is the shape fsurname.
func (n *inventor) initial() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.pick("abcdefghjklmnprstvw") + n.word(5)
}

// word is of so many syllables, about 40 kinds each, and an ending.
func (n *inventor) word(syllables int) string {
	var b strings.Builder
	for range syllables {
		b.WriteString(n.pick("bdfgklmnprstvz"))
		b.WriteString(n.pick("aeiou"))
	}
	b.WriteString(n.pick("klmnrst"))
	return b.String()
}

func (n *inventor) pick(letters string) string {
	i := n.rng.IntN(len(letters))
	return letters[i : i+1]
}
