package finder

import (
	"context"
	"strings"
	"time"

	"beagle/app/probe"
)

// How long facts are kept at most, whatever their TTL says, and how long an accept-all answer is believed.
const (
	factsAtMost   = 7 * 24 * time.Hour
	acceptAllKeep = 7 * 24 * time.Hour
	unsureKeep    = time.Minute     // an accept-all question that got no answer and no hint when to ask again
	defaultRetry  = 5 * time.Minute // when nobody said when to come back
)

// locate finds the mail domain of a person: from the domain cell, the address, or the company's name.
func (q *question) locate(ctx context.Context, p Person) bool {
	var problem string
	for _, from := range []struct{ source, text string }{{"domain", p.Domain}, {"email", p.Email}} {
		if strings.TrimSpace(from.text) == "" {
			continue
		}
		d, err := cleanDomain(from.text)
		if err == nil {
			q.domain, q.res.Evidence.DomainSource = d, from.source
			return true
		}
		if problem == "" {
			problem = "The " + from.source + " (" + clip(strings.TrimSpace(from.text), 60) + ") is not a mail domain."
		}
	}
	if strings.TrimSpace(p.Company) != "" {
		return q.locateCompany(ctx, p.Company)
	}
	if problem == "" {
		problem = sentenceNoDomain
	}
	q.refuse(problem)
	return false
}

// maxDomainText bounds what is looked at as a domain.
const maxDomainText = 2048

func cleanDomain(s string) (string, error) {
	if len(s) > maxDomainText {
		return "", &Refusal{ReasonBadInput, "The domain is too long."}
	}
	return probe.CleanDomain(s)
}

// recall reads what is known of the domain: from Memory, and from this process.
func (q *question) recall(ctx context.Context) {
	var k Known
	if q.f.memory != nil {
		var err error
		if k, err = q.f.memory.Recall(ctx, q.domain); err != nil {
			q.f.opts.Log.Warn("recall of a domain", "domain", q.domain, "error", err)
			k = Known{}
		}
	}
	q.known = q.f.overlay.merge(q.domain, k)
	q.post = newPosterior(q.region, q.known.Patterns, q.name)
}

// open reports whether something must be found out that one question at a time should find out.
func (q *question) open() bool {
	switch {
	case !q.factsFresh():
		return true
	case q.known.Facts.State != probe.StateOK, q.offline, q.known.Facts.Webmail, q.known.Facts.Disposable:
		return false
	case !q.acceptAllFresh():
		return true
	case q.known.AcceptAll.Verdict != probe.No:
		return false
	}
	return !q.post.learned()
}

func (q *question) factsFresh() bool {
	k := q.known.Facts
	if k == nil || k.State == probe.StateDNSFailed || k.State == "" {
		return false
	}
	return q.f.opts.Now().Before(k.CheckedAt.Add(min(k.TTL, factsAtMost)))
}

// acceptAllFresh reports whether the accept-all question need not be asked again: it was asked of the servers that the domain
// has now, and not long ago. No answer is an answer too until the server's own time to come back.
func (q *question) acceptAllFresh() bool {
	a := q.known.AcceptAll
	if a == nil || a.Verdict == "" || q.facts.Name != "" && !a.Of(q.facts) {
		return false
	}
	keep := acceptAllKeep
	if a.Verdict == probe.Unsure {
		if keep = a.RetryAfter; keep <= 0 {
			keep = unsureKeep
		}
	}
	return q.f.opts.Now().Before(a.At.Add(keep))
}

// readFacts takes the domain's facts from what is known, or asks the DNS and remembers what it said.
func (q *question) readFacts(ctx context.Context) {
	if q.factsFresh() {
		q.facts = *q.known.Facts
	} else {
		q.facts = q.f.prober.Lookup(ctx, q.domain)
		q.unkept = q.facts.State != probe.StateDNSFailed
	}
}

// learnFacts makes sure of the domain's facts; false when they already decide.
func (q *question) learnFacts(ctx context.Context) bool {
	q.readFacts(ctx)
	if _, reason, decided := q.facts.Verdict(); decided {
		if q.facts.State == probe.StateDNSFailed {
			q.unknown(string(reason), defaultRetry)
			return false
		}
		q.res.Status, q.res.Reason = StatusNotFound, string(reason)
		q.rule(RuleDomain)
		return false
	}
	switch {
	case q.facts.Disposable:
		q.res.Status, q.res.Reason, q.res.Sentence = StatusDisposable, string(probe.NotVerifiableProvider), sentenceThrowAway
	case q.facts.Webmail:
		q.res.Status, q.res.Reason, q.res.Sentence = StatusUnknown, string(probe.NotVerifiableProvider), sentenceWebmail
	default:
		return true
	}
	q.rule(RulePublicDomain)
	return false
}

// learnAcceptAll makes sure of the accept-all answer, asking for candidates in the same go; false when it cannot be had.
func (q *question) learnAcceptAll(ctx context.Context, beside []candidate) bool {
	if q.acceptAllFresh() {
		q.answer, q.recent = q.known.AcceptAll, true
	} else {
		a := q.askAcceptAll(ctx, beside)
		q.answer = &a
		if ctx.Err() == nil && (a.Verdict != probe.Unsure || !timeUp(ctx)) {
			q.remember(ctx, &a)
		}
	}
	if q.answer.Verdict != probe.Unsure {
		return true
	}
	retry := q.answer.RetryAfter
	if retry > 0 {
		retry = max(q.answer.At.Add(retry).Sub(q.f.opts.Now()), time.Second)
	} else if retryable(q.answer.Reason) {
		retry = defaultRetry
	}
	reason := q.answer.Reason
	if reason == "" {
		reason = probe.NotVerifiable
	}
	q.guess(string(reason), retry)
	return false
}

// deadlineSlack is how long before its deadline a context counts as used up: connections have the same deadline and may notice
// it first.
const deadlineSlack = 50 * time.Millisecond

// timeUp tells that a question was cut off by its own deadline: its "unknown" says nothing of the server.
func timeUp(ctx context.Context) bool {
	until, ok := ctx.Deadline()
	return ctx.Err() != nil || (ok && time.Until(until) < deadlineSlack)
}

// askAcceptAll asks the question. A server that greylists each recipient on its own would greylist
// every fresh invention, so the one it asked us to come back with is asked again.
func (q *question) askAcceptAll(ctx context.Context, beside []candidate) probe.AcceptAllAnswer {
	last := q.known.AcceptAll
	if last == nil || !last.Of(q.facts) || last.Verdict != probe.Unsure || last.Reason != probe.Greylisted || len(last.Probes) == 0 {
		return q.acceptAllBeside(ctx, beside)
	}
	again := q.f.prober.Check(ctx, q.facts, last.Probes[len(last.Probes)-1].Address)
	q.res.Evidence.Asked++
	out := probe.AcceptAllAnswer{Verdict: probe.Unsure, At: q.f.opts.Now(), Reason: again.Reason, RetryAfter: again.RetryAfter, Probes: []probe.Answer{again}}
	switch {
	case again.Status == probe.Invalid, again.Reason == probe.RejectedUnclear:
		out.Verdict, out.RetryAfter = probe.No, 0
	case again.Status == probe.Valid && last.Probes[0].Status == probe.Valid:
		out.Verdict, out.Reason, out.RetryAfter = probe.Yes, probe.AcceptsAll, 0
	case again.Status == probe.Valid:
		out = q.acceptAllBeside(ctx, nil)
		out.Probes = append([]probe.Answer{again}, out.Probes...)
	}
	return out
}

// acceptAllBeside asks for an invented name and, in the same go, for candidates.
func (q *question) acceptAllBeside(ctx context.Context, beside []candidate) probe.AcceptAllAnswer {
	var addresses []string
	for _, c := range beside {
		addresses = append(addresses, q.addressOf(c))
	}
	out, answers := q.f.prober.AcceptAllBeside(ctx, q.facts, addresses)
	for i, a := range answers {
		q.beside = append(q.beside, q.answered(beside[i], a))
	}
	return out
}

// firstGroup is the candidates that are asked first, while none of them is known.
func (q *question) firstGroup() []candidate {
	plan := q.plan()
	if len(plan) == 0 {
		return nil
	}
	if _, known := q.earlier(plan[0]); known {
		return nil
	}
	return q.together(plan, false)
}

// retryable reports whether asking again later may help even if nobody said when.
func retryable(r probe.Reason) bool {
	switch r {
	case probe.Greylisted, probe.ServerUnavailable, probe.Timeout, probe.DNSFailed:
		return true
	}
	return false
}

// keepFacts stores facts that no accept-all answer was stored with.
func (q *question) keepFacts(ctx context.Context) {
	if q.unkept {
		q.remember(ctx, nil)
	}
}

// remember stores facts, and the accept-all answer unless it is nil, here and in Memory.
func (q *question) remember(ctx context.Context, a *probe.AcceptAllAnswer) {
	q.unkept = false
	q.f.overlay.keep(q.facts, a)
	if q.f.memory == nil {
		return
	}
	if err := q.f.memory.Remember(ctx, q.facts, a); err != nil {
		q.f.opts.Log.Warn("remembering a domain", "domain", q.domain, "error", err)
	}
}
