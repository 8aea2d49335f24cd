package finder

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"beagle/app/probe"
)

// Finder answers questions about people. It is safe for concurrent use.
type Finder struct {
	prober  Prober
	memory  Memory
	opts    Options
	overlay *overlay
	gates   gates

	calibration atomic.Pointer[Calibration]
}

// New makes a Finder. A nil memory keeps what is learned in this process only.
func New(p Prober, m Memory, o Options) *Finder {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxCandidates <= 0 {
		o.MaxCandidates = DefaultMaxCandidates
	}
	o.MaxCandidates = min(o.MaxCandidates, maxRanked/rareFactor)
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Finder{prober: p, memory: m, opts: o, overlay: newOverlay()}
}

// Find answers with the best verified address of a person.
//
// Email is set with StatusValid and StatusAcceptAll. With StatusUnknown it is set only when the
// domain's pattern is known (or Options.NoSMTP) and then is the likeliest address, unverified, with a
// Score of at most capUnverified; with ReasonAmbiguous it is the mailbox that answered.
// A doubt that colleagues' addresses may settle is StatusUnknown with RetryAfter, once (see Person.Alone).
// Unusable input is StatusUnknown with ReasonBadInput; StatusNotFound means that the domain takes no
// mail or that the server refused every address this name is likely to have; ReasonPatternUnknown with
// StatusUnknown, that others are left.
func (f *Finder) Find(ctx context.Context, p Person) Result {
	q := f.question(p)
	return q.find(ctx, p)
}

// FindAll is Find without stopping at the first answer that can be trusted: every ranked candidate is
// asked (twice Options.MaxCandidates at most) and its verdict stands in Evidence.Candidates. It still stops
// when the host refuses, delays or does not answer.
func (f *Finder) FindAll(ctx context.Context, p Person) Result {
	q := f.question(p)
	q.all = true
	return q.find(ctx, p)
}

// question is one question under way.
type question struct {
	f        *Finder
	all      bool
	alone    bool // Person.Alone
	offline  bool // Options.NoSMTP, as it was when the question began
	name     Name
	spelt    Name   // weighed by how the domain is known to write names
	holder   string // who is asked for, as the overlay tells people apart
	domain   string
	region   string
	trust    float64 // P(the domain is the person's employer's): 1 unless it comes from a company's name
	trustWhy string
	known    Known
	facts    probe.Domain
	unkept   bool // facts are news, and not remembered yet
	answer   *probe.AcceptAllAnswer
	recent   bool // answer was remembered, not asked now
	post     posterior
	cands    []candidate
	asked    []asked
	beside   []asked // answers that came with the accept-all answer
	trouble  *asked  // the answer that ended the asking
	res      Result
}

// asked is a candidate with the server's answer.
type asked struct {
	candidate
	address string
	probe.Answer
	earlier bool
}

func (f *Finder) question(p Person) *question {
	return &question{f: f, trust: 1, alone: p.Alone, offline: f.opts.NoSMTP != nil && f.opts.NoSMTP()}
}

// find is Find's way: name, domain, what is known, what the servers say, the rule that decides.
func (q *question) find(ctx context.Context, p Person) Result {
	if !q.read(p) || !q.locate(ctx, p) {
		return q.finish()
	}
	q.region = regionOf(q.domain)
	if n, err := parseName(p.First, p.Last, p.Full, q.region); err == nil {
		q.name = n
	}
	q.recall(ctx)
	if q.open() {
		if !q.f.gates.enter(ctx, q.domain) {
			q.unknown(string(probe.Timeout), defaultRetry)
			return q.finish()
		}
		q.recall(ctx)
		if !q.open() { // somebody else found out meanwhile: no need to queue
			q.f.gates.leave(q.domain)
		} else {
			defer q.f.gates.leave(q.domain)
		}
	}
	q.investigate(ctx)
	return q.finish()
}

// investigate asks DNS, then the accept-all question, then the candidates, as far as needed.
func (q *question) investigate(ctx context.Context) {
	defer q.keepFacts(ctx)
	if !q.learnFacts(ctx) {
		return
	}
	q.spelt = q.name.under(q.f.overlay.habits(q.domain, q.known.Spellings))
	q.cands = rank(q.spelt, q.post)
	switch {
	case len(q.cands) == 0:
		q.refuse("No address can be made of this name.")
	case q.offline:
		q.guess(ReasonPort25Closed, 0)
	case !q.learnAcceptAll(ctx, q.firstGroup()):
	case q.answer.Verdict == probe.Yes:
		q.acceptAll()
	default:
		best := q.cands[0]
		q.res.Evidence.Guess = &Guess{best.local + "@" + q.domain, round3(q.post.calibrated(best) * rightStillThere)}
		q.ask(ctx)
	}
}

// read reads the name; false when it cannot be used.
func (q *question) read(p Person) bool {
	n, err := ParseName(p.First, p.Last, p.Full)
	if err != nil {
		q.refuse(err.Error())
		return false
	}
	q.name = n
	q.holder = holderOf(n)
	return true
}

// holderOf identifies a person at one domain by the plainest form of the name.
func holderOf(n Name) string {
	text := func(p Part) string {
		switch {
		case len(p.Forms) > 0:
			return asciiLetters(p.Forms[0].Text)
		case len(p.Initials) > 0:
			return p.Initials[0].Text
		}
		return ""
	}
	return text(n.First) + " " + text(n.Last)
}

// refuse ends a question that makes no sense.
func (q *question) refuse(sentence string) {
	q.res.Status, q.res.Reason, q.res.Sentence = StatusUnknown, ReasonBadInput, sentence
	q.rule(RuleBadInput)
}

// unknown ends a question that nobody can answer now.
func (q *question) unknown(reason string, retry time.Duration) {
	q.res.Status, q.res.Reason, q.res.RetryAfter = StatusUnknown, reason, max(retry, 0)
	q.rule(RuleRefused)
}

// finish completes the result's texts and evidence.
func (q *question) finish() Result {
	q.res.Domain = q.domain
	q.res.First, q.res.Last = q.name.First.Text, q.name.Last.Text
	if q.res.Sentence == "" {
		q.res.Sentence = Sentence(q.res.Reason)
	}
	q.evidence()
	return q.res
}
