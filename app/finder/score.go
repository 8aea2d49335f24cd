package finder

import (
	"fmt"
	"math"

	"beagle/app/probe"
)

// Factors of the score, each the share of right answers among those of its kind. Where the pattern
// study measured one it is named; the others are judgement until bounces say better.
const (
	rightAccepted    = 0.98 // accepted at RCPT and not bounced later
	rightConfirmed   = 0.995
	rightContra      = 0.94 // a whole name under another form than the domain's
	rightLooseAlone  = 0.90 // a loose form that nothing supports but that the stricter forms were refused
	rightNickname    = 0.96
	rightPartOfName  = 0.97 // one of two surnames, a particle left out
	rightOnlyInitial = 0.85 // the row gives no whole given name
	rightNumbered    = 0.6  // john.smith2: somebody else has the plain one
	rightFull        = 0.85 // a full mailbox is often an abandoned one
	rightBackup      = 0.9  // a backup server may not know all names
	rightStillThere  = 0.97 // the person works there and has a mailbox

	capUnverified = 70 // nobody was asked
	capAcceptAll  = 95
	capAmbiguous  = 40
)

func part(factor float64, why string) ScorePart { return ScorePart{Factor: factor, Why: why} }

// validParts are the parts of the score of a verified address.
func (q *question) validParts(a asked, rule string) []ScorePart {
	parts := []ScorePart{part(rightAccepted, "The server accepted the address and refuses invented ones; some such mail still comes back.")}
	if q.post.confirmed() && q.post.top == a.template {
		parts[0] = part(rightConfirmed, "The server accepted the address, and it has the pattern confirmed at this domain.")
	}
	if share := q.collision(a); share > 0 {
		parts = append(parts, part(1-share, "People of one company who would share an address of this form."))
	}
	if rule == RuleLooseAlone {
		parts = append(parts, part(rightLooseAlone, "The form holds only part of the name and no other address of the domain confirms it."))
	}
	if q.post.contradicts(a.template) {
		parts = append(parts, part(rightContra, "The domain is known to write its addresses another way."))
	}
	switch a.Reason {
	case probe.MailboxFull:
		parts = append(parts, part(rightFull, "The mailbox is full."))
	}
	if a.Backup {
		parts = append(parts, part(rightBackup, "Only a backup mail server could be asked."))
	}
	return parts
}

// unverifiedParts are the parts of the score of an address that the server would not tell about.
func (q *question) unverifiedParts(c candidate) []ScorePart {
	why := "Share of people in such places whose address has this form."
	switch known := q.post.hits + q.post.odd; {
	case q.post.hits > 0:
		why = fmt.Sprintf("Share of people at this domain with this form, from %d known addresses.", known)
	case known > 0:
		why = fmt.Sprintf("Share of people with this form where %d known addresses look as here: no pattern explains those.", known)
	}
	return []ScorePart{part(q.post.calibrated(c), why), part(rightStillThere, "Not everybody still has a mailbox.")}
}

// Where nothing is known of a domain, the likeliest form is right more often than its share says: measured on
// held-out names and addresses of public commit histories, split by domain. With known addresses the shares need no correction.
const (
	calibrateNone = 1.12
	calibrateMost = 0.97
)

// calibrated is the probability that a candidate is right when nobody can be asked.
func (p *posterior) calibrated(c candidate) float64 {
	if p.hits+p.odd == 0 {
		return min(c.p*calibrateNone, calibrateMost)
	}
	return c.p
}

// parts adds what lowers any score: how the name was read and where the domain came from.
func (q *question) parts(a asked, parts ...ScorePart) []ScorePart {
	if a.p > 0 && a.Status == probe.Valid {
		switch a.kind {
		case KindNickname:
			parts = append(parts, part(rightNickname, "The address has another form of the given name."))
		case KindFirstPart, KindLastPart, KindNoParticle:
			parts = append(parts, part(rightPartOfName, "The address has only a part of the family name."))
		}
		if len(q.name.First.Forms) == 0 && a.class != loose {
			parts = append(parts, part(rightOnlyInitial, "Only an initial of the given name is known."))
		}
		if a.numbered {
			parts = append(parts, part(rightNumbered, "The address has a number, so somebody else has the plain one."))
		}
	}
	if q.trust < 1 {
		parts = append(parts, part(q.trust, q.trustWhy))
	}
	return parts
}

// collision is the share of people who would share an address of a form with a colleague, by how many
// people the domain is known to have.
func (q *question) collision(a asked) float64 {
	t := priors().Collisions
	id := a.id()
	row, ok := t[id]
	if !ok {
		switch {
		case a.class == whole:
			return 0
		case a.class == initial:
			row = t["fL"]
		case id == "M":
			row = t["F"]
		default:
			row = t["fl"]
		}
	}
	switch n := q.post.hits; {
	case n < 5:
		return (row[0] + row[1]) / 2 // of unknown size
	case n < 20:
		return row[0]
	case n < 100:
		return row[1]
	}
	return row[2]
}

// score multiplies the parts into Result.Score and keeps them as evidence.
func (q *question) score(parts []ScorePart) {
	p := 1.0
	parts = q.recalibrated(parts)
	for i, s := range parts {
		p *= s.Factor
		parts[i].Factor = math.Round(s.Factor*1000) / 1000
	}
	q.res.Score = min(max(int(math.Round(p*100)), 0), 99)
	q.res.Evidence.Score = parts
}

// capped adds a part that brings the score down to a ceiling.
func capped(ceiling int, parts []ScorePart) []ScorePart {
	p := 1.0
	for _, s := range parts {
		p *= s.Factor
	}
	if limit := float64(ceiling) / 100; p > limit {
		parts = append(parts, part(limit/p, fmt.Sprintf("An address that was not verified scores %d at most.", ceiling)))
	}
	return parts
}
