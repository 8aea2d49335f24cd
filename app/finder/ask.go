package finder

import (
	"context"

	"beagle/app/probe"
)

// ask asks candidates in the order of the plan until an answer can be trusted, the host refuses to go
// on, or all have been asked; then it decides.
func (q *question) ask(ctx context.Context) {
	var held []asked // mailboxes that answered, but may be somebody else's
	for i, c := range q.plan() {
		if !q.all && len(held) > 0 && (c.class <= held[0].class && !c.numbered || i >= q.f.opts.MaxCandidates) {
			continue // only a stricter form can settle whose the mailbox is
		}
		if ctx.Err() != nil {
			q.trouble = &asked{candidate: c, Answer: probe.Answer{Status: probe.Unknown, Reason: probe.Timeout, RetryAfter: defaultRetry}}
			break
		}
		a := q.put(ctx, c)
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
	q.decide()
}

// put asks for one candidate, unless the answer is known from a moment ago.
func (q *question) put(ctx context.Context, c candidate) asked {
	a := asked{candidate: c, address: c.local + "@" + q.domain}
	if s, ok := q.f.overlay.asked(q.domain, a.address); ok && q.f.opts.Now().Sub(s.answer.At) < answerKeep && s.answer.Status != probe.Unknown {
		a.Answer, a.earlier = s.answer, true
	} else {
		a.Answer = q.f.prober.Check(ctx, q.facts, a.address)
		q.res.Evidence.Asked++
		if a.Answer.At.IsZero() {
			a.Answer.At = q.f.opts.Now()
		}
		q.note(a)
	}
	q.asked = append(q.asked, a)
	return a
}

// note keeps a definite answer for the next rows: a clean no speaks against its template.
func (q *question) note(a asked) {
	if a.Status == probe.Unknown {
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

// stands reports whether a mailbox that answered can be taken for this person's. The whole family
// name with the whole given name always can. With an initial it can unless the domain is known to
// write addresses otherwise or the mailbox was found to be somebody else's. A loose form (first@,
// last@, fl@) needs two people confirmed under it.
func (q *question) stands(a asked) bool {
	switch {
	case a.class == whole:
		return true
	case q.somebodyElses(a):
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
