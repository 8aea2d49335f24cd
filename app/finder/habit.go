package finder

import "strings"

// habit is one choice a company's addresses make where a name leaves one: how the several words of a
// given or family name are put together.
type habit struct {
	family bool // of a family name, else of a given one
	words  words
	kind   Kind
}

// words says why a part of a name can be put together in several ways.
type words int

const (
	oneWord words = iota
	hyphenated
	withParticle
	severalWords
	abbreviated // to one initial or to two: j or jp for Jean-Pierre, x or xm for Xiaoming
)

// habits are how often a domain's confirmed addresses chose each way, and which way they wrote letters
// such as ü.
type habits struct {
	kinds map[habit]int
	hands [twoLetters + 1]int
}

// habitWeight is how many confirmed addresses the measured shares of forms are worth.
const habitWeight = 0.7

// spelt is how an address wrote a name, as far as the name left a choice.
type spelt struct {
	kinds []habit
	hand  hand
}

// Spelling is how the known address of a known person writes the name, as far as the name leaves a choice.
type Spelling struct{ spelt spelt }

// Spells reads the spelling of an address made by a template, as Shows names it.
func Spells(n Name, template, local string) Spelling {
	return Spelling{n.written(template, strings.ToLower(local))}
}

// wordsOf tells apart the reasons for several forms by the forms they lead to.
func wordsOf(p Part) words {
	has := map[Kind]bool{}
	for _, f := range p.Forms {
		has[f.Kind] = true
	}
	switch {
	case has[KindNoParticle]:
		return withParticle
	case has[KindDotted]:
		return severalWords
	case has[KindHyphened]:
		return hyphenated
	}
	return oneWord
}

// abbreviates reports whether a given name may have one initial or two.
func (p Part) abbreviates() bool {
	for _, f := range p.Initials {
		if f.Kind == KindJoined {
			return true
		}
	}
	return false
}

// spelling is how an address made of these forms wrote the name: given name, its initial, family name.
func (n Name) spelling(first, short, last Form) spelt {
	s := spelt{hand: max(first.hand, last.hand)}
	if w := n.First.words; w != oneWord && first.Text != "" {
		s.kinds = append(s.kinds, habit{false, w, first.Kind})
	}
	if short.Text != "" && n.First.abbreviates() {
		s.kinds = append(s.kinds, habit{false, abbreviated, short.Kind})
	}
	if w := n.Last.words; w != oneWord && last.Text != "" {
		s.kinds = append(s.kinds, habit{true, w, last.Kind})
	}
	return s
}

// add counts one confirmed address.
func (h *habits) add(s spelt) {
	if h.kinds == nil {
		h.kinds = map[habit]int{}
	}
	for _, k := range s.kinds {
		h.kinds[k]++
	}
	h.hands[s.hand]++
}

// under weighs a name's forms by a domain's habits.
func (n Name) under(h habits) Name {
	n.First.Forms = h.kindly(n.First.Forms, n.First.words, false)
	n.Last.Forms = h.kindly(n.Last.Forms, n.Last.words, true)
	if n.First.abbreviates() {
		n.First.Initials = h.kindly(n.First.Initials, abbreviated, false)
	}
	if one, two := h.hands[oneLetter], h.hands[twoLetters]; one+two > 0 && n.twoLetters > 0 && n.twoLetters < 1 {
		share := (habitWeight*n.twoLetters + float64(two)) / (habitWeight + float64(one+two))
		n.First.Forms = handed(n.First.Forms, n.twoLetters, share)
		n.Last.Forms = handed(n.Last.Forms, n.twoLetters, share)
		n.twoLetters = share
	}
	return n
}

// kindly weighs the forms of a part that leaves a choice by how often their kinds were chosen.
func (h habits) kindly(forms []Form, w words, family bool) []Form {
	if w == oneWord || len(h.kinds) == 0 {
		return forms
	}
	weight := map[Kind]float64{}
	seen := 0
	for _, f := range forms {
		if weight[f.Kind] == 0 {
			seen += h.kinds[habit{family, w, f.Kind}]
		}
		weight[f.Kind] += f.Weight
	}
	out := append([]Form(nil), forms...)
	for i, f := range out {
		chosen := float64(h.kinds[habit{family, w, f.Kind}])
		out[i].Weight *= (habitWeight*weight[f.Kind] + chosen) / ((habitWeight + float64(seen)) * weight[f.Kind])
	}
	return settle(out)
}

// handed moves the weight of forms from one share of two-letter spellings to another.
func handed(forms []Form, was, is float64) []Form {
	out := append([]Form(nil), forms...)
	for i, f := range out {
		switch f.hand {
		case oneLetter:
			out[i].Weight *= (1 - is) / (1 - was)
		case twoLetters:
			out[i].Weight *= is / was
		}
	}
	return settle(out)
}
