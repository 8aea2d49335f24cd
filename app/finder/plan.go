package finder

// Bounds of a plan.
const (
	rareFactor    = 2     // times MaxCandidates are asked where nothing is confirmed: a company of a rare pattern is found by its first people
	confirmedMost = 10    // mailboxes asked at a domain whose pattern is confirmed
	looseWorth    = 0.003 // of all candidates' probability: below, a loose form is not asked where it could not stand
)

// plan is the candidates to be asked, in their order: likeliest first, and as many as what is known of
// the domain makes worth asking. FindAll takes them as they are ranked.
func (q *question) plan() []candidate {
	most := q.f.opts.MaxCandidates
	switch {
	case q.all:
	case q.post.confirmed():
		return q.planConfirmed(min(most, confirmedMost))
	case q.post.hits < confirmedHits:
		most *= rareFactor
	}
	return q.cands[:min(len(q.cands), most)]
}

// planConfirmed asks first what could be the person's beyond doubt. Who does not follow the company's
// pattern mostly has another form of the whole name; a loose form that answers there may be anybody's,
// so the likely ones are asked last, only to keep "not found" from being said of a mailbox that exists.
func (q *question) planConfirmed(most int) []candidate {
	var sure, doubtful []candidate
	var total float64
	for _, c := range q.cands {
		total += c.p
	}
	for _, c := range q.cands {
		switch {
		case c.class > loose || q.post.supports(c.template):
			sure = append(sure, c)
		case c.p >= looseWorth*total:
			doubtful = append(doubtful, c)
		}
	}
	sure = sure[:min(len(sure), max(most-len(doubtful), most/2))]
	return append(sure, doubtful[:min(len(doubtful), most-len(sure))]...)
}
