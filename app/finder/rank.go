package finder

import (
	"sort"
)

// Bounds of ranking.
const (
	maxRanked    = 64   // candidates kept
	leastShare   = 1e-6 // of a template with forms: below, it is not worth a string
	maxLocal     = 64   // octets of a local part (RFC 5321 §4.5.3.1.1)
	shortName    = 3    // letters: flast@ with a shorter family name could be anybody's
	numberShare  = 0.006
	numberSecond = 0.003
)

// candidate is one address a person may have.
type candidate struct {
	local     string
	p         float64 // after what is known of the domain
	prior     float64 // before
	template  int     // the one that explains most of p
	class     strict
	kind      Kind // of the form that is least like the name as typed
	templateP float64
	numbered  bool // with a digit, because somebody else has the plain one
	spelt     spelt
}

// made is one local part that a template makes of a name, with the weight of the forms in it.
type made struct {
	local  string
	weight float64
	class  strict
	kind   Kind
	first  Form
	short  Form // the given name's initial
	last   Form
	role   bool // reads like a function's
}

// rank lists the addresses a name may have, likeliest first; their probabilities sum to less than 1,
// the rest being handles and names unlike the one given. Equal strings from several templates and
// forms are one candidate, whose probabilities add.
func rank(n Name, post posterior) []candidate {
	at := map[string]int{}
	var out []candidate
	placed := n.everyPlace()
	for i, t := range templates().all {
		placed[t.at].each(t, post.share[i], func(m made) {
			if m.role {
				return
			}
			k, ok := at[m.local]
			if !ok {
				k = len(out)
				at[m.local] = k
				out = append(out, candidate{local: m.local})
			}
			c := &out[k]
			p := m.weight * post.share[i]
			c.p += p
			c.prior += m.weight * post.prior.share[i]
			if p > c.templateP || k == len(out)-1 && c.templateP == 0 {
				c.template, c.templateP, c.class, c.kind = i, p, m.class, m.kind
				c.spelt = n.spelling(m.first, m.short, m.last)
			}
		})
	}
	out = append(out, numbered(out, at)...)
	sortCandidates(out)
	return post.usualWithin(out, maxRanked)
}

// withheld is the probability of the addresses that rank leaves out because they read like a
// function's: noc@ may be Niamh O'Connor, but its answer would not say so.
func withheld(n Name, post posterior) float64 {
	var p float64
	placed := n.everyPlace()
	for i, t := range templates().all {
		placed[t.at].each(t, post.share[i], func(m made) {
			if m.role {
				p += m.weight * post.share[i]
			}
		})
	}
	return p
}

func sortCandidates(c []candidate) {
	sort.Slice(c, func(i, j int) bool {
		if c[i].p != c[j].p {
			return c[i].p > c[j].p
		}
		return c[i].local < c[j].local
	})
}

// numbered adds john.smith2 and john.smith1 behind the likeliest address with a whole family name:
// 1.4 % of people have such a digit.
func numbered(out []candidate, taken map[string]int) []candidate {
	best := -1
	for i, c := range out {
		if c.class > loose && (best < 0 || c.p > out[best].p || c.p == out[best].p && c.local < out[best].local) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	var more []candidate
	for i, digit := range []string{"2", "1"} {
		local := out[best].local + digit
		if _, ok := taken[local]; ok || len(local) > maxLocal {
			continue
		}
		share := []float64{numberShare, numberSecond}[i]
		more = append(more, candidate{local: local, p: share * out[best].p, prior: share * out[best].prior, template: out[best].template, class: out[best].class, numbered: true})
	}
	out[best].p *= 1 - numberShare - numberSecond
	out[best].prior *= 1 - numberShare - numberSecond
	return more
}

// cuts are the lengths that cut templates use, with their weights (the study saw 6 to 8).
var cuts = []struct {
	letters int
	weight  float64
}{{8, 0.6}, {7, 0.2}, {6, 0.2}}

// each calls yield with every local part that a template makes of a name, in both readings of its
// order, and the weight of the forms it is made of. share bounds the work: what would weigh nothing
// is not made.
func (n Name) each(t Template, share float64, yield func(made)) {
	n.eachForm(t, 1-n.Swapped, share, yield)
	if n.Swapped > 0 {
		swapped := n
		swapped.First, swapped.Last = n.Last, n.First
		swapped.eachForm(t, n.Swapped, share, yield)
	}
}

// blank stands for a token that a template does not use.
var blank = []Form{{Weight: 1}}

// eachForm walks the product of the forms that a template needs.
func (n Name) eachForm(t Template, weight, share float64, yield func(made)) {
	first, f := n.First.needed(t, 'F', 'f')
	middle, m := n.Middle.needed(t, 'M', 'm')
	last, l := n.Last.needed(t, 'L', 'l')
	if len(middle) > 3 {
		middle = middle[:3]
	}
	product([][]Form{first, f, middle, m, last, l}, weight, leastShare/max(share, leastShare), func(v []Form, w float64) {
		tok := Tokens{First: v[0].Text, F: v[1].Text, Middle: v[2].Text, M: v[3].Text, Last: v[4].Text, L: v[5].Text}
		out := made{weight: w * n.sameHand(v[0], v[4]), class: t.strict, kind: v[0].Kind, first: v[0], short: v[1], last: v[4]}
		if v[0].Kind == KindPlain || v[4].Kind != KindPlain && v[0].Kind != KindNickname {
			out.kind = v[4].Kind
		}
		if v[1].Kind == KindNickname {
			out.kind = KindNickname
		}
		if out.class == initial && (len(asciiLetters(tok.Last)) < shortName && tok.First == "" || len(asciiLetters(tok.First)) < shortName && tok.Last == "") {
			out.class = loose
		}
		if t.cut == uncut {
			emit(t, tok, out, yield)
			return
		}
		for _, c := range cuts {
			tok.CutLetters = c.letters
			cut := out
			cut.weight *= c.weight
			emit(t, tok, cut, yield)
		}
	})
}

func emit(t Template, tok Tokens, m made, yield func(made)) {
	var ok bool
	if m.local, ok = t.render(tok); ok && wellFormed(m.local) {
		m.role = RoleAccount(m.local)
		if m.class == initial && knownGiven(m.local) { // Ann Adams is not anna@
			m.class = loose
		}
		yield(m)
	}
}

// wellFormed reports whether letters stand on both sides of every separator: a cut may end at one.
func wellFormed(local string) bool {
	letter := false
	for i := range len(local) {
		was := letter
		if letter = local[i] >= 'a' && local[i] <= 'z'; !letter && !was {
			return false
		}
	}
	return letter && len(local) <= maxLocal
}

// mixedHands is the share of people whose address respells one of two umlauts and not the other.
const mixedHands = 0.04

// sameHand corrects the product of two weights for umlauts: whoever writes Jürgen as juergen writes
// Müller as mueller.
func (n Name) sameHand(first, last Form) float64 {
	if first.hand == 0 || last.hand == 0 || n.twoLetters <= 0 || n.twoLetters >= 1 {
		return 1
	}
	switch two := n.twoLetters; {
	case first.hand != last.hand:
		return min(1, mixedHands/(2*two*(1-two)))
	case first.hand == twoLetters:
		return (1 - mixedHands) / two
	default:
		return (1 - mixedHands) / (1 - two)
	}
}

// needed returns the forms of a part for its whole and its initial token; blank where the template
// does not use it, and nothing where it does but the part is unknown.
func (p Part) needed(t Template, whole, small byte) (full, short []Form) {
	full, short = blank, blank
	for _, pc := range t.pieces {
		switch pc.token {
		case whole:
			full = p.Forms
		case small:
			short = p.Initials
		}
	}
	return full, short
}

// product calls yield with every choice of one form of each list whose weight is at least least.
func product(lists [][]Form, weight, least float64, yield func([]Form, float64)) {
	choice := make([]Form, len(lists))
	var walk func(int, float64)
	walk = func(i int, w float64) {
		if w < least {
			return
		}
		if i == len(lists) {
			yield(choice, w)
			return
		}
		for _, f := range lists[i] {
			choice[i] = f
			walk(i+1, w*f.Weight)
		}
	}
	walk(0, weight)
}
