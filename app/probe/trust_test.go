package probe

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHostThatBeginsToTakeEverythingIsNotBelieved(t *testing.T) {
	w := newWorld(t)
	var lies bool
	m := w.company("acme.test", &mta{rcpt: func(c *client, address string) string {
		if lies {
			return "250 ok"
		}
		return honest(c, address)
	}})
	p := w.prober()
	for i := range waryAfter {
		require.Equal(t, Invalid, check(p, fmt.Sprintf("nobody%d@acme.test", i)).Status)
	}
	lies = true
	for range 2 {
		a := check(p, absent+"@acme.test")
		require.Equal(t, want{AcceptAll, AcceptsAll}, want{a.Status, a.Reason}, "%+v", a)
		require.Positive(t, a.RetryAfter)
	}
	require.Equal(t, int64(waryAfter+3), m.rcpts.Load(), "one control is enough")
}

func TestHonestHostIsControlledLessAndLess(t *testing.T) {
	w := newWorld(t)
	m := w.company("acme.test", &mta{})
	p := w.prober()
	controls := func() int64 { return m.rcpts.Load() }
	ask := func(refusals int) (extra int64) {
		before := controls()
		for i := range refusals {
			require.Equal(t, Invalid, check(p, fmt.Sprintf("nobody%d@acme.test", i)).Status)
		}
		require.Equal(t, Valid, check(p, here+"@acme.test").Status)
		return controls() - before - int64(refusals) - 1
	}
	require.Equal(t, int64(0), ask(waryAfter-1))
	require.Equal(t, int64(1), ask(1))
	require.Equal(t, int64(0), ask(waryAfter))
	require.Equal(t, int64(1), ask(waryAfter))
}

func TestControlThatGetsNoAnswerLeavesTheYesUnknown(t *testing.T) {
	w := newWorld(t)
	var later bool
	w.company("acme.test", &mta{rcpt: func(c *client, address string) string {
		if later && address != here+"@acme.test" {
			return "451 4.7.1 Greylisted, try again later"
		}
		return honest(c, address)
	}})
	p := w.prober()
	for i := range waryAfter {
		require.Equal(t, Invalid, check(p, fmt.Sprintf("nobody%d@acme.test", i)).Status)
	}
	later = true
	a := check(p, here+"@acme.test")
	require.Equal(t, want{Unknown, Greylisted}, want{a.Status, a.Reason})
	require.Positive(t, a.RetryAfter)
}

func TestOneDomainsRefusalsDoNotCastDoubtOnAnotherOfTheSameHost(t *testing.T) {
	w := newWorld(t)
	w.zone("one.test. IN MX 1 mx.host.test.", "two.test. IN MX 1 mx.host.test.", "mx.host.test. IN A 10.0.0.1")
	m := w.at("10.0.0.1", &mta{})
	p := w.prober()
	for i := range waryAfter {
		require.Equal(t, Invalid, check(p, fmt.Sprintf("nobody%d@one.test", i)).Status)
	}
	require.Equal(t, Valid, check(p, here+"@two.test").Status)
	require.Equal(t, int64(waryAfter+1), m.rcpts.Load())
}
