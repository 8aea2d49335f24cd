package finder

import (
	"context"

	"beagle/app/probe"
)

// ask asks candidates in the order of the plan until an answer can be trusted, the host refuses to go
// on, or all have been asked; then it decides.
func (q *question) ask(ctx context.Context) {
	var held []asked // mailboxes that answered, but may be somebody else's
	plan := q.plan()
	for i := 0; i < len(plan) && q.trouble == nil; {
		c := plan[i]
		if !q.all && len(held) > 0 && (c.class <= held[0].class && !c.numbered || i >= q.f.opts.MaxCandidates) {
			i++
			continue // only a stricter form can settle whose the mailbox is
		}
		if ctx.Err() != nil {
			q.trouble = &asked{candidate: c, Answer: probe.Answer{Status: probe.Unknown, Reason: probe.Timeout, RetryAfter: defaultRetry}}
			break
		}
		answers := q.put(ctx, q.together(plan[i:], len(held) > 0 && !q.all))
		i += len(answers)
		for _, a := range answers {
			q.asked = append(q.asked, a)
			q.note(a)
			switch {
			case a.yes() && q.stands(a):
				if !q.all {
					q.valid(a, RuleFirstYes)
					return
				}
			case a.yes():
				held = append(held, a)
			case a.stops():
				q.trouble = &a
			}
			if q.trouble != nil {
				break
			}
		}
	}
	q.decide()
}

// put asks for candidates in one go; it answers for the first of them, and for as many more as could be asked. What was
// answered a moment ago is not asked again.
func (q *question) put(ctx context.Context, group []candidate) []asked {
	if a, ok := q.earlier(group[0]); ok {
		return []asked{a}
	}
	addresses := make([]string, len(group))
	for i, c := range group {
		addresses[i] = q.addressOf(c)
	}
	answers := make([]asked, 0, len(group))
	for i, a := range q.f.prober.CheckGroup(ctx, q.facts, addresses) {
		answers = append(answers, q.answered(group[i], a))
	}
	return answers
}

// answered counts an answer and keeps it for the next rows.
func (q *question) answered(c candidate, answer probe.Answer) asked {
	a := asked{candidate: c, address: q.addressOf(c), Answer: answer}
	q.res.Evidence.Asked++
	if a.At.IsZero() {
		a.At = q.f.opts.Now()
	}
	if a.Status != probe.Unknown { // not to be asked again; whether it speaks against its template is seen when its turn comes
		q.f.overlay.learn(q.domain, a.address, seen{answer: a.Answer})
	}
	return a
}

// earlier is the answer for a candidate that is known from a moment ago, or came together with the accept-all answer.
func (q *question) earlier(c candidate) (asked, bool) {
	a := asked{candidate: c, address: q.addressOf(c)}
	for _, b := range q.beside {
		if b.address == a.address {
			return b, true
		}
	}
	s, ok := q.f.overlay.asked(q.domain, a.address)
	if !ok || q.f.opts.Now().Sub(s.answer.At) >= answerKeep || s.answer.Status == probe.Unknown {
		return a, false
	}
	a.Answer, a.earlier = s.answer, true
	return a, true
}

func (q *question) addressOf(c candidate) string { return c.local + "@" + q.domain }

// Bounds of what is asked in one go.
const (
	groupMost    = 8    // candidates
	groupGone    = 0.1  // of the people asked for have no mailbox
	wasteLearned = 0.15 // questions that may turn out needless, on average, where two people are confirmed
	wasteUnknown = 0.3  // the same elsewhere
)

// together is how many of the candidates are asked in one go: the first, and more while few of them are likely to be needless
// because one before says yes.
func (q *question) together(plan []candidate, held bool) []candidate {
	allowed := wasteUnknown
	if q.post.learned() {
		allowed = wasteLearned
	}
	left := 1 + groupGone
	for _, a := range q.asked {
		left -= a.p
	}
	n, waste, yes := 1, 0.0, 0.0
	for ; n < min(len(plan), groupMost); n++ {
		if _, known := q.earlier(plan[n]); known {
			break
		}
		yes += plan[n-1].p / max(left, groupGone)
		if waste += yes; waste > allowed && !q.all || held {
			break
		}
	}
	return plan[:n]
}

// note keeps a definite answer for the next rows: a clean no speaks against its template.
func (q *question) note(a asked) {
	if a.Status == probe.Unknown || a.earlier {
		return
	}
	s := seen{answer: a.Answer}
	if a.no() && !a.numbered {
		s.pattern = a.id()
	}
	q.f.overlay.learn(q.domain, a.address, s)
}

func (a asked) id() string { return templates().all[a.template].ID }

// yes reports that the server has the mailbox (full ones included).
func (a asked) yes() bool { return a.Status == probe.Valid }

// no reports that the server said in clear words that there is no such mailbox.
func (a asked) no() bool { return a.Status == probe.Invalid && a.Reason != probe.MailboxDisabled }

// off reports that the mailbox existed and is switched off.
func (a asked) off() bool { return a.Status == probe.Invalid && a.Reason == probe.MailboxDisabled }

// unclear reports a refusal that names neither the mailbox nor us.
func (a asked) unclear() bool { return a.Status == probe.Unknown && a.Reason == probe.RejectedUnclear }

// stops reports an answer after which nobody else should be asked of this host now.
func (a asked) stops() bool { return !a.yes() && a.Status != probe.Invalid && !a.unclear() }

// byNickname reports whether a form with less than the whole name is made of a familiar form of the name that was typed, as lotte@ of
// Charlotte or bsmith@ of Robert: it may be a colleague's who is called so. Who is typed by a familiar form has a formal one.
func (q *question) byNickname(a asked) bool {
	return a.class != whole && a.kind == KindNickname && !familiar()[wordKey(q.name.First.Text)]
}

// stands reports whether a mailbox that answered can be taken for this person's. The whole family
// name with the whole given name always can. With an initial it can unless the domain is known to
// write addresses otherwise or the mailbox was found to be somebody else's. A loose form (first@,
// last@, fl@) needs two people confirmed under it.
func (q *question) stands(a asked) bool {
	switch {
	case a.class == whole:
		return true
	case q.somebodyElses(a), q.byNickname(a):
		return false
	case a.class == initial:
		return !q.post.contradicts(a.template)
	}
	return q.post.supports(a.template)
}

// somebodyElses reports whether this process found the mailbox to be another person's.
func (q *question) somebodyElses(a asked) bool {
	s, ok := q.f.overlay.asked(q.domain, a.address)
	return ok && s.hit && s.holder != "" && s.holder != q.holder
}
