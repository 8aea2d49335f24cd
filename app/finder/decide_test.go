package finder

import (
	"context"
	"testing"
	"time"

	"beagle/app/probe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// scripted answers each address by a draw, so that every kind of answer meets every other.
type scripted struct {
	server
	draw func(address string) probe.Answer
	most func() int // how many of a group are answered
}

func (s *scripted) CheckGroup(ctx context.Context, d probe.Domain, addresses []string) []probe.Answer {
	var out []probe.Answer
	for _, address := range addresses[:min(s.most(), len(addresses))] {
		out = append(out, s.Check(ctx, d, address))
	}
	return out
}

func (s *scripted) Check(_ context.Context, _ probe.Domain, address string) probe.Answer {
	a := s.draw(address)
	a.Address, a.At = address, clock
	return a
}

// anyKnown draws what is known of a domain's patterns.
func anyKnown(t *rapid.T) Known {
	k := Known{Patterns: map[string]Count{}}
	for _, id := range []string{"F.L", "fL", "F", "L", "LF"} {
		if rapid.Bool().Draw(t, id) {
			k.Patterns[id] = Count{Hits: rapid.IntRange(0, 9).Draw(t, "hits"), Misses: rapid.IntRange(0, 9).Draw(t, "misses")}
		}
	}
	return k
}

// TestNotFoundIsSaidOnlyWhenAllWasRefusedInClearWords: whatever the server answers and whatever was known before, "not found" needs a
// clear no to each question that was asked, a host that refuses invented names, and nothing likely left unasked. One question that was
// limited, delayed or not answered makes it unknown.
func TestNotFoundIsSaidOnlyWhenAllWasRefusedInClearWords(t *testing.T) {
	names := []string{"John Smith", "Lotte van der Meer", "Jürgen Müller-Schröder", "Mariana Guimarães Teixeira", "Wang Xiaoming", "Ann Berg"}
	limited := probe.Answer{Status: probe.Unknown, Reason: probe.ServerUnavailable, RetryAfter: time.Minute}
	silent := probe.Answer{Status: probe.Unknown, Reason: probe.Timeout}
	rapid.Check(t, func(t *rapid.T) {
		s := &scripted{}
		s.known = anyKnown(t)
		s.all = probe.AcceptAllAnswer{Verdict: probe.No, Reason: rapid.SampledFrom([]probe.Reason{probe.MailboxNotFound, probe.RejectedUnclear}).Draw(t, "invented")}
		trouble := rapid.SampledFrom([]probe.Answer{grey, blocked, limited, silent}).Draw(t, "trouble")
		at := rapid.IntRange(-12, 24).Draw(t, "trouble at")
		rest := rapid.SampledFrom([]probe.Answer{no, no, unclear}).Draw(t, "rest")
		s.most = func() int { return rapid.IntRange(1, groupMost).Draw(t, "answered") }
		asked := 0
		s.draw = func(string) probe.Answer {
			if asked++; asked == at+1 {
				return trouble
			}
			return rest
		}
		q := New(s, s, Options{Now: func() time.Time { return clock }}).question(Person{Alone: rapid.Bool().Draw(t, "alone")})
		r := q.find(context.Background(), Person{Full: rapid.SampledFrom(names).Draw(t, "name"), Domain: "acme.test"})
		if at >= 0 && asked > at {
			require.Equal(t, StatusUnknown, r.Status, "a question was not answered: %s", r.Evidence.Rule)
			require.Equal(t, string(trouble.Reason), r.Reason)
		}
		if r.Status != StatusNotFound {
			return
		}
		require.Nil(t, q.trouble)
		require.Equal(t, probe.No, q.answer.Verdict)
		require.NotEmpty(t, q.asked)
		refused := map[string]bool{}
		for _, a := range q.asked {
			require.True(t, a.no() || a.unclear() && q.unclearMeansNo(), "%s: %s %s", a.local, a.Status, a.Reason)
			refused[a.local] = true
		}
		left := 0.0
		for _, c := range q.cands {
			if !refused[c.local] && !c.numbered {
				left += c.p
				require.False(t, q.post.usually(c), "%s is usual and was not asked", c.local)
			}
		}
		require.LessOrEqual(t, left, restAllowed*q.mass())
	})
}
