package finder

import (
	"cmp"
	"slices"
	"sync"
)

// Bounds of a plan.
const (
	rareFactor    = 2      // times MaxCandidates may be asked of people who were not found under the likeliest: they show a company's rare pattern, or have names of many spellings
	sureWorth     = 0.0008 // of all candidates' probability: below, no form is asked where a pattern is confirmed
	looseWorth    = 0.003  // the same for a loose form that could not stand there
	looseMost     = 2      // of those
	spellingWorth = 0.04   // of one form's probability: a spelling as likely as that must have been refused
	spellingSure  = 0.06   // the same, for names with more such spellings than may be asked
	restAllowed   = 0.012  // of all candidates' probability may stay unasked when "not found" is said
)

// plan is the candidates to be asked, in their order: likeliest first, and as many as what is known of
// the domain makes worth asking.
func (q *question) plan() []candidate {
	most := rareFactor * q.f.opts.MaxCandidates
	cands := q.cands
	switch {
	case q.post.refuted() && !q.all:
		cands = q.rarePatterns()
	case q.post.confirmed() && !q.all:
		return q.planConfirmed(most)
	}
	var out []candidate
	for _, c := range cands {
		if len(out) < most && q.sensible(c) {
			out = append(out, c)
		}
	}
	return out
}

// refutedBy is how many more addresses must have been refused under the commonest pattern than twice those that were confirmed. Names of
// several spellings are refused more than once, so it takes more than chance would: with every fourth person gone, eight of eight are refused
// at one company in 65,000.
const refutedBy = 8

// refuted reports whether so many people were refused under the pattern that the domain seems to have that it must have another, one that
// was not asked for: those who were confirmed are strays. Who was found under another form does not count as refused.
func (p *posterior) refuted() bool {
	refused, confirmed := 0, 0
	if p.top >= 0 {
		refused, confirmed = p.counts[p.top].Misses, p.counts[p.top].Hits
	} else {
		for _, c := range p.counts {
			refused = max(refused, c.Misses)
		}
	}
	return refused-(p.hits+p.odd-confirmed) >= 2*confirmed+refutedBy
}

// rarePatterns orders candidates by how usual their forms are elsewhere and how seldom they were refused here, so that forms that nobody
// was asked for have their turn. The usual forms stay before them: those who were confirmed may not be alone.
func (q *question) rarePatterns() []candidate {
	out := slices.Clone(q.cands)
	worth := func(c candidate) float64 {
		if q.post.usually(c) {
			return 1 + c.p
		}
		return c.prior * power(missFactor, q.post.counts[c.template].Misses, missFloor)
	}
	slices.SortStableFunc(out, func(a, b candidate) int { return cmp.Compare(worth(b), worth(a)) })
	return out
}

// planConfirmed asks first what could be the person's beyond doubt. Who does not follow the company's
// pattern mostly has another form of the whole name, so of names with very many spellings the usual forms
// go before the company's own in a rare spelling. A loose form that answers there may be anybody's, so the
// likely ones are asked last, only to keep "not found" from being said of a mailbox that exists.
func (q *question) planConfirmed(most int) []candidate {
	var sure, doubtful []candidate
	total := q.mass()
	for _, c := range q.cands {
		switch {
		case !q.sensible(c):
		case c.class > loose || q.post.supports(c.template):
			if c.p >= sureWorth*total || q.post.usually(c) {
				sure = append(sure, c)
			}
		case c.p >= looseWorth*total && len(doubtful) < looseMost:
			doubtful = append(doubtful, c)
		}
	}
	return append(q.post.usualWithin(sure, most-len(doubtful)), doubtful...)
}

// usually reports whether a candidate is a likely spelling of a usual form: those are asked even where the
// company's own pattern leaves them little probability.
func (post posterior) usually(c candidate) bool { return post.usual(c, spellingWorth) }

// usual reports whether a candidate is a usual form in a spelling that has so much of the form's probability.
func (post posterior) usual(c candidate, worth float64) bool {
	return usual()[c.template] && c.p >= worth*post.share[c.template]
}

// usualWithin keeps at most n candidates in their order: the usual ones, likely spellings before unlikely ones, and of the rest the likeliest.
func (post posterior) usualWithin(all []candidate, n int) []candidate {
	for _, worth := range []float64{spellingWorth, spellingSure} {
		for i := len(all) - 1; i >= 0 && len(all) > n; i-- {
			if !post.usual(all[i], worth) {
				all = slices.Delete(all, i, i+1)
			}
		}
	}
	return all[:min(len(all), n)]
}

// usual are the forms of the whole family name that most people have, by position in the grammar.
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
// much was not refused that the rest is no reason to doubt, and no usual form in a usual spelling is left.
func (q *question) exhausted() bool {
	if q.post.refuted() {
		return false
	}
	done := map[string]bool{}
	for _, a := range q.asked {
		done[a.local] = true
	}
	var left, before, loosely, all float64
	for _, c := range q.cands {
		all += c.prior
		if done[c.local] || !q.sensible(c) {
			continue
		}
		left += c.p
		before += c.prior
		if c.class == loose {
			loosely += c.prior
		}
		if q.post.usually(c) {
			return false
		}
	}
	if !q.post.confirmed() && before > restAllowed*all {
		return false // one or two known addresses may be strays: what is usual elsewhere counts as well
	}
	if q.post.disputed() && loosely > restAllowed*all {
		return false
	}
	return left+withheld(q.spelt, q.post) <= restAllowed*q.mass()
}
