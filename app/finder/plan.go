package finder

import "sync"

// Bounds of a plan.
const (
	rareFactor     = 2      // times MaxCandidates are asked while no pattern is confirmed: a company of a rare pattern is found by its first people
	extraConfirmed = 4      // more than MaxCandidates may be asked where a pattern is confirmed: names of many forms need them
	sureWorth      = 0.0008 // of all candidates' probability: below, no form is asked where a pattern is confirmed
	looseWorth     = 0.003  // the same for a loose form that could not stand there
	looseMost      = 2      // of those
	restAllowed    = 0.012  // of all candidates' probability may stay unasked when "not found" is said
)

// plan is the candidates to be asked, in their order: likeliest first, and as many as what is known of
// the domain makes worth asking.
func (q *question) plan() []candidate {
	most := q.f.opts.MaxCandidates
	if q.post.confirmed() && !q.all {
		return q.planConfirmed(most + extraConfirmed)
	}
	var out []candidate
	for _, c := range q.cands {
		if len(out) < rareFactor*most && q.sensible(c) {
			out = append(out, c)
		}
	}
	return out
}

// planConfirmed asks first what could be the person's beyond doubt. Who does not follow the company's
// pattern mostly has another form of the whole name; a loose form that answers there may be anybody's,
// so the likely ones are asked last, only to keep "not found" from being said of a mailbox that exists.
func (q *question) planConfirmed(most int) []candidate {
	var sure, doubtful []candidate
	total, first := q.mass(), map[int]bool{}
	for _, c := range q.cands {
		switch {
		case !q.sensible(c):
		case c.class > loose || q.post.supports(c.template):
			if c.p >= sureWorth*total || usual()[c.template] && !first[c.template] {
				sure = append(sure, c)
			}
			first[c.template] = true
		case c.p >= looseWorth*total && len(doubtful) < looseMost:
			doubtful = append(doubtful, c)
		}
	}
	sure = sure[:min(len(sure), most-len(doubtful))]
	return append(sure, doubtful...)
}

// usual are the forms of the whole family name that most people have, by position in the grammar: each
// is asked once even where the company's own pattern leaves it little probability.
var usual = sync.OnceValue(func() map[int]bool {
	out := map[int]bool{}
	for _, id := range []string{"F.L", "fL", "f.L", "FL"} {
		out[templates().byID[id]] = true
	}
	return out
})

// sensible reports whether a candidate is worth a question: one with a number only when somebody else
// has the plain address, since that is why people are given numbers.
func (q *question) sensible(c candidate) bool {
	if !c.numbered {
		return true
	}
	return q.somebodyElses(asked{candidate: c, address: c.local[:len(c.local)-1] + "@" + q.domain})
}

// mass is the probability of all candidates together.
func (q *question) mass() float64 {
	var total float64
	for _, c := range q.cands {
		total += c.p
	}
	return total
}

// exhausted reports whether nothing likely is left to ask: of all that the name could be here, only so
// much was not refused that the rest is no reason to doubt.
func (q *question) exhausted() bool {
	done := map[string]bool{}
	for _, a := range q.asked {
		done[a.local] = true
	}
	var left float64
	for _, c := range q.cands {
		if !done[c.local] && q.sensible(c) {
			left += c.p
		}
	}
	return left+withheld(q.spelt, q.post) <= restAllowed*q.mass()
}
