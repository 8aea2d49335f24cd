package finder

import (
	"context"
	"strings"

	"beagle/app/probe"
)

// Scores of one verified address: P(mail to it is taken and stays).
const (
	scoreExists    = 97
	scoreRole      = 95
	scoreFull      = 60
	scoreAcceptAll = 55 // nobody can tell; about half of the addresses people hold are still good
	scoreUnknown   = 30
	scoreWebmail   = 50 // the provider does not tell
)

// Verify judges one address: its syntax, its domain, and its mailbox. The status is never not_found.
// A webmail provider's address keeps StatusWebmail unless the provider says that it does not exist;
// Evidence.Role says that it belongs to a function and not a person.
func (f *Finder) Verify(ctx context.Context, address string) Result {
	q := f.question(Person{})
	address = strings.TrimSpace(address)
	local, domain, ok := probe.ValidAddress(address)
	if !ok || len(address) > maxCellBytes {
		q.res.Status, q.res.Reason, q.res.Sentence = StatusInvalid, ReasonBadInput, sentenceSyntax
		q.rule(RuleBadInput)
		return q.finish()
	}
	q.domain, q.res.Email = domain, local+"@"+domain
	q.region = regionOf(domain)
	q.res.Evidence.Role = RoleAccount(local)
	q.recall(ctx)
	q.verify(ctx)
	return q.finish()
}

// verify asks DNS, then the mailbox, and only when that answers yes or unclearly whether invented
// names do too.
func (q *question) verify(ctx context.Context) {
	q.rule(RuleVerified)
	defer q.keepFacts(ctx)
	if !q.verifyDomain(ctx) {
		return
	}
	known := q.acceptAllFresh()
	if known && q.known.AcceptAll.Verdict == probe.Yes {
		q.answer, q.recent = q.known.AcceptAll, true
		q.judgeAcceptAll()
		return
	}
	if q.offline {
		q.settle(StatusUnknown, ReasonPort25Closed, scoreUnknown)
		q.rule(RuleOffline)
		return
	}
	a := q.f.prober.Check(ctx, q.facts, q.res.Email)
	q.res.Evidence.Asked++
	q.res.Evidence.Transcript = a.Lines
	q.judge(ctx, a)
}

// verifyDomain settles what the domain decides for every address in it; false when it did.
func (q *question) verifyDomain(ctx context.Context) bool {
	q.readFacts(ctx)
	status, reason, decided := q.facts.Verdict()
	switch {
	case decided && status == probe.Unknown:
		q.settle(StatusUnknown, string(reason), 0)
		q.res.RetryAfter = defaultRetry
	case decided:
		q.settle(string(status), string(reason), 0)
		q.rule(RuleDomain)
	case q.facts.Disposable:
		q.settle(StatusDisposable, string(probe.NotVerifiableProvider), 0)
		q.res.Sentence = sentenceThrowAway
		q.rule(RulePublicDomain)
	default:
		return true
	}
	return false
}

// judge turns the mailbox's answer into the result.
func (q *question) judge(ctx context.Context, a probe.Answer) {
	one := asked{Answer: a}
	switch {
	case one.no(), one.off():
		q.settle(StatusInvalid, string(a.Reason), 0)
		return
	case !one.yes() && !one.unclear():
		q.settle(StatusUnknown, string(a.Reason), scoreUnknown)
		q.res.RetryAfter = a.RetryAfter
		if a.RetryAfter == 0 && retryable(a.Reason) {
			q.res.RetryAfter = defaultRetry
		}
		if q.facts.Webmail && q.res.RetryAfter == 0 {
			q.settle(StatusWebmail, string(a.Reason), scoreWebmail)
		}
		return
	}
	if !q.acceptAllFresh() {
		if !q.f.gates.enter(ctx, q.domain) {
			q.settle(StatusUnknown, string(probe.Timeout), scoreUnknown)
			q.res.RetryAfter = defaultRetry
			return
		}
		defer q.f.gates.leave(q.domain)
		q.recall(ctx)
	}
	if !q.learnAcceptAll(ctx, nil) { // learnAcceptAll has written why
		if a.Status == probe.Valid {
			q.res.Score = scoreUnknown
		}
		return
	}
	switch {
	case q.answer.Verdict == probe.Yes:
		q.judgeAcceptAll()
	case one.unclear() && q.unclearMeansNo():
		q.settle(StatusInvalid, string(probe.MailboxNotFound), 0)
		q.rule(RuleUnclear)
	case one.unclear():
		q.settle(StatusUnknown, string(a.Reason), scoreUnknown)
		q.rule(RuleUnclear)
	default:
		q.exists(a)
	}
}

// exists answers for a mailbox that the server has.
func (q *question) exists(a probe.Answer) {
	score := scoreExists
	switch {
	case a.Reason == probe.MailboxFull:
		score = scoreFull
	case q.res.Evidence.Role:
		score = scoreRole
	}
	status := StatusValid
	if q.facts.Webmail {
		status = StatusWebmail
	}
	q.settle(status, string(a.Reason), score)
}

// judgeAcceptAll answers for a domain that takes every name.
func (q *question) judgeAcceptAll() {
	reason := q.answer.Reason
	if reason == "" {
		reason = probe.AcceptsAll
	}
	if q.facts.Webmail {
		q.settle(StatusWebmail, string(reason), scoreWebmail)
	} else {
		q.settle(StatusAcceptAll, string(reason), scoreAcceptAll)
	}
	q.rule(RuleAcceptAll)
}

func (q *question) settle(status, reason string, score int) {
	q.res.Status, q.res.Reason, q.res.Score, q.res.Sentence = status, reason, score, ""
}

// Pattern says how a domain writes its addresses, from the addresses confirmed there or else from what
// is usual, with the probability of that pattern as Score. Status is StatusValid when addresses of the
// domain confirm it, StatusAcceptAll or StatusUnknown otherwise, and StatusNotFound when the domain
// takes no mail.
func (f *Finder) Pattern(ctx context.Context, domain string) Result {
	q := f.question(Person{})
	d, err := cleanDomain(domain)
	if err != nil {
		q.refuse("This is not a mail domain: " + clip(strings.TrimSpace(domain), 60) + ".")
		return q.finish()
	}
	q.domain, q.region, q.res.Evidence.DomainSource = d, regionOf(d), "domain"
	q.recall(ctx)
	if q.open() {
		if !q.f.gates.enter(ctx, d) {
			q.unknown(string(probe.Timeout), defaultRetry)
			return q.finish()
		}
		defer q.f.gates.leave(d)
		q.recall(ctx)
	}
	q.pattern(ctx)
	return q.finish()
}

func (q *question) pattern(ctx context.Context) {
	defer q.keepFacts(ctx)
	if !q.learnFacts(ctx) {
		return
	}
	if !q.offline && !q.learnAcceptAll(ctx, nil) && q.post.hits == 0 {
		return
	}
	top := 0
	for i, s := range q.post.share {
		if s > q.post.share[top] {
			top = i
		}
	}
	q.res.Pattern = templates().all[top].Reads
	q.res.Status, q.res.Reason, q.res.RetryAfter = StatusUnknown, ReasonPatternPrior, 0
	if q.post.hits > 0 {
		q.res.Status, q.res.Reason = StatusValid, ReasonPatternLearned
	}
	if q.answer != nil && q.answer.Verdict == probe.Yes {
		q.res.Status = StatusAcceptAll
	}
	q.rule(RulePattern)
	why := "Share of people in such places whose address has this form."
	if q.post.hits > 0 {
		why = "Share of people at this domain whose address has this form."
	}
	q.score([]ScorePart{part(q.post.share[top], why)})
}
