package finder

import (
	"time"

	"beagle/app/probe"
)

// Rules that decide a Result; Evidence.Rule names one and Evidence.Why says it in a sentence.
const (
	RuleBadInput      = "bad_input"
	RuleDomain        = "domain"
	RulePublicDomain  = "public_domain"
	RuleNoCompany     = "no_company_domain"
	RuleFirstYes      = "first_yes"
	RuleLooseAlone    = "loose_after_strict"
	RuleBestOfSeveral = "best_of_several"
	RuleAmbiguous     = "ambiguous"
	RuleAcceptAll     = "accept_all"
	RuleAllRefused    = "all_refused"
	RuleSwitchedOff   = "switched_off"
	RuleUnclear       = "unclear_refusal"
	RuleRefused       = "no_answer"
	RuleLikeliest     = "likeliest"
	RuleOffline       = "pattern_and_mx"
	RuleVerified      = "verified"
	RulePattern       = "pattern"
	RuleColleagues    = "await_colleagues"
	RulePatternOpen   = "pattern_open"
)

var whys = map[string]string{
	RuleBadInput:      "The row cannot be used, so nothing was asked.",
	RuleDomain:        "What DNS says of the domain holds for every address in it.",
	RulePublicDomain:  "Anybody can have an address at this domain, so a name says nothing there.",
	RuleNoCompany:     "Domains named like the company were looked up and none of them takes mail.",
	RuleFirstYes:      "Candidates were asked from the likeliest on; this is the first that the server has and that can only be this person's.",
	RuleLooseAlone:    "The server has this mailbox, refused every form with more of the name in it, and nothing known of the domain speaks against it.",
	RuleBestOfSeveral: "The server has several addresses that fit the name; the likeliest of them was chosen.",
	RuleAmbiguous:     "The server has this mailbox, but the form may be somebody else's and the domain's pattern does not support it.",
	RuleAcceptAll:     "The server accepts every name, so the likeliest address is given with the probability of its pattern.",
	RuleAllRefused:    "The server refused every address that this name is likely to have.",
	RuleSwitchedOff:   "The server says that a mailbox of this name was switched off, and refused the others.",
	RuleUnclear:       "The server refused in words that do not say whether the mailbox exists, and no address is known to be accepted there.",
	RuleRefused:       "The server did not answer the question, so nothing is claimed about the mailbox.",
	RuleOffline:       "No mail server can be asked from here at present: only the domain's MX and the pattern of its addresses were looked at.",
	RuleLikeliest:     "The server did not answer the question; the domain's pattern is known, so the likeliest address is given unverified.",
	RuleVerified:      "This one address was asked for.",
	RuleColleagues:    "The answers do not tell whose mailbox it is or which pattern the domain has; colleagues' may, so this is asked again soon.",
	RulePatternOpen:   "The server refused the likeliest addresses, but the domain's pattern is not known and rarer forms were not asked.",
	RulePattern:       "Counts of confirmed and refused addresses at the domain, over what is usual in such places.",
}

func (q *question) rule(r string) { q.res.Evidence.Rule, q.res.Evidence.Why = r, whys[r] }

// decide judges the answers when no first yes ended the asking.
func (q *question) decide() {
	var standing, held []asked
	for _, a := range q.asked {
		switch {
		case a.yes() && q.stands(a):
			standing = append(standing, a)
		case a.yes():
			held = append(held, a)
		}
	}
	switch {
	case len(standing) == 1:
		q.valid(standing[0], RuleFirstYes)
	case len(standing) > 1:
		q.valid(likeliest(standing), RuleBestOfSeveral)
	case q.trouble != nil:
		q.interrupted()
	case len(held) > 0:
		q.judgeLoose(likeliest(held))
	default:
		q.nobody()
	}
}

// likeliest is the answer whose candidate has the highest probability.
func likeliest(list []asked) asked {
	best := list[0]
	for _, a := range list[1:] {
		if a.p > best.p {
			best = a
		}
	}
	return best
}

// interrupted ends a question that the host did not let us finish.
func (q *question) interrupted() {
	t := q.trouble
	retry := t.RetryAfter
	if retry == 0 && retryable(t.Reason) {
		retry = defaultRetry
	}
	q.res.Evidence.Transcript = t.Lines
	q.guess(string(t.Reason), retry)
}

// judgeLoose decides about a mailbox that may be somebody else's: it is this person's when every
// stricter form was refused in clear words, and, under a form without the whole family name and an
// initial, nobody at the domain is known to have another pattern.
func (q *question) judgeLoose(a asked) {
	clean := !q.somebodyElses(a) && !q.byNickname(a) && (a.class > loose || q.unopposed(a))
	for _, o := range q.asked {
		if o.class > a.class && !o.no() && !(o.unclear() && q.unclearMeansNo()) {
			clean = false
		}
	}
	switch {
	case clean && (a.class > loose || q.inCompany(a)):
		q.valid(a, RuleLooseAlone)
	case (clean || !q.post.confirmed()) && q.await():
		q.ambiguous(a)
		q.res.RetryAfter = colleaguesWait
		q.rule(RuleColleagues)
	case clean:
		q.valid(a, RuleLooseAlone)
	default:
		q.ambiguous(a)
	}
}

// colleaguesWait is when a doubt is looked at again that colleagues' addresses may have settled by then.
// Rows of one list are mostly answered within a second or two of each other.
const colleaguesWait = 4 * time.Second

// await reports whether this question may wait for colleagues: once for each person.
func (q *question) await() bool {
	return !q.all && !q.alone && q.f.overlay.wait(q.domain, q.holder)
}

// inCompany reports whether other people's addresses of a loose form are known at the domain.
func (q *question) inCompany(a asked) bool {
	return q.post.counts[a.template].Hits+q.f.overlay.softly(q.domain, a.id(), a.address) > 0
}

// unopposed reports whether nobody at the domain is known to have another pattern than a loose form's.
// One stray colleague does not oppose for ever: not once that pattern was refused far more often than
// confirmed while other addresses under this one answered too.
func (q *question) unopposed(a asked) bool {
	company := q.post.counts[a.template].Hits + q.f.overlay.softly(q.domain, a.id(), a.address)
	for i, c := range q.post.counts {
		if i != a.template && c.Hits > 0 && (c.Misses <= strayMisses*c.Hits || company == 0) {
			return false
		}
	}
	return true
}

// strayMisses is how many refusals for each confirmed person make a template a stray's.
const strayMisses = 2

// ambiguous answers with a mailbox that may be somebody else's.
func (q *question) ambiguous(a asked) {
	q.res.Status, q.res.Reason = StatusUnknown, ReasonAmbiguous
	if !q.somebodyElses(a) {
		q.f.overlay.learn(q.domain, a.address, seen{pattern: a.id(), soft: true, answer: a.Answer})
	}
	q.res.Email, q.res.Pattern = a.address, templates().all[a.template].Reads
	q.res.Evidence.Transcript = a.Lines
	q.rule(RuleAmbiguous)
	q.score(capped(capAmbiguous, q.parts(a, part(a.p, "How likely a person of this name has this address here."))))
	q.misses()
}

// unclearMeansNo reports whether a refusal in unclear words is a no: invented names get the same, and
// some address is known to be accepted at the domain.
func (q *question) unclearMeansNo() bool {
	if q.answer == nil || q.answer.Verdict != probe.No || q.answer.Reason != probe.RejectedUnclear {
		return false
	}
	if q.post.hits > 0 {
		return true
	}
	for _, a := range q.asked {
		if a.yes() {
			return true
		}
	}
	return false
}

// nobody ends a question whose candidates were all refused.
func (q *question) nobody() {
	off, unclear := false, false
	for _, a := range q.asked {
		off = off || a.off() && (a.class == whole || q.exhausted())
		unclear = unclear || a.unclear() && !q.unclearMeansNo()
		if a.off() || q.res.Evidence.Transcript == nil {
			q.res.Evidence.Transcript = a.Lines
		}
	}
	switch {
	case unclear:
		q.guess(string(probe.RejectedUnclear), 0)
		q.rule(RuleUnclear)
	case off:
		q.res.Status, q.res.Reason = StatusNotFound, string(probe.MailboxDisabled)
		q.rule(RuleSwitchedOff)
	case !q.post.learned() && q.await(): // colleagues may show a rare pattern that was not asked
		q.unknown(ReasonPatternUnknown, colleaguesWait)
		q.rule(RuleColleagues)
	case q.exhausted():
		q.res.Status, q.res.Reason, q.res.Sentence = StatusNotFound, string(probe.MailboxNotFound), sentenceNobody
		q.rule(RuleAllRefused)
	case q.await():
		q.unknown(ReasonPatternUnknown, colleaguesWait)
		q.rule(RuleColleagues)
	default:
		q.unknown(ReasonPatternUnknown, 0)
		q.rule(RulePatternOpen)
	}
	q.misses()
}

// valid answers with a verified address.
func (q *question) valid(a asked, rule string) {
	mine := q.f.overlay.claim(q.domain, a.address, seen{pattern: a.id(), hit: !a.numbered, holder: q.holder, spelt: a.spelt, answer: a.Answer})
	if !mine && a.class != whole {
		q.ambiguous(a)
		return
	}
	q.res.Status, q.res.Reason = StatusValid, string(a.Reason)
	q.res.Email, q.res.Pattern = a.address, templates().all[a.template].Reads
	q.res.Evidence.Transcript = a.Lines
	q.rule(rule)
	q.score(q.parts(a, q.validParts(a, rule)...))
	q.misses()
	if !a.numbered {
		q.res.Learned = append(q.res.Learned, Observation{Domain: q.domain, Pattern: a.id(), Address: a.address, Hit: true})
	}
}

// misses teaches that the refused addresses' templates are not this domain's. What was answered for an
// earlier question has been taught before.
func (q *question) misses() {
	for _, a := range q.asked {
		if a.unclear() && q.unclearMeansNo() && !a.numbered {
			q.f.overlay.learn(q.domain, a.address, seen{pattern: a.id(), answer: a.Answer})
		}
		if (a.no() || a.unclear() && q.unclearMeansNo()) && !a.numbered && !a.earlier {
			q.res.Learned = append(q.res.Learned, Observation{Domain: q.domain, Pattern: a.id(), Address: a.address})
		}
	}
}

// acceptAll answers with the likeliest address of a domain that accepts every name.
func (q *question) acceptAll() {
	best := q.cands[0]
	reason := q.answer.Reason
	if reason == "" {
		reason = probe.AcceptsAll
	}
	q.res.Status, q.res.Reason = StatusAcceptAll, string(reason)
	q.res.Email, q.res.Pattern = best.local+"@"+q.domain, templates().all[best.template].Reads
	q.rule(RuleAcceptAll)
	q.score(capped(capAcceptAll, q.parts(asked{candidate: best}, q.unverifiedParts(best)...)))
}

// guess answers unknown, with the likeliest address where the domain's pattern is known (or no server
// can be asked from here at all).
func (q *question) guess(reason string, retry time.Duration) {
	q.unknown(reason, retry)
	if q.offline {
		q.rule(RuleOffline)
	}
	if len(q.cands) == 0 {
		return
	}
	best := q.cands[0]
	if !(q.post.learned() && best.p >= guessLearned) && !(q.offline && best.p >= guessOffline) {
		return
	}
	q.res.Email, q.res.Pattern = best.local+"@"+q.domain, templates().all[best.template].Reads
	if !q.offline {
		q.rule(RuleLikeliest)
	}
	q.score(capped(capUnverified, q.parts(asked{candidate: best}, q.unverifiedParts(best)...)))
}

// A likeliest address is given unverified only when it is more likely than not, or where no server
// can be asked, when it is not hopeless.
const (
	guessLearned = 0.5
	guessOffline = 0.2
)
