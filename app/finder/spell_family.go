package finder

import "strings"

// surname is one surname with its particles: "van der" and "Berg".
type surname struct {
	particles []string
	word      string
	glued     bool // O'Brien, McDonald: never written without its particle
}

// family writes a family name of one or more words.
func (s speller) family(words []string) Part {
	p := Part{Text: display(words)}
	names := surnames(words)
	if len(names) == 0 {
		return p
	}
	if len(names) == 1 && len(names[0].particles) == 0 && isInitial(names[0].word) {
		p.Initials = initials(s.spell(names[0].word))
		return p
	}
	if len(names) == 1 {
		p.Forms = settle(s.oneSurname(names[0]))
		p.Initials = s.familyInitials(names[0])
		return p
	}
	p.Forms = settle(s.severalSurnames(names, words))
	p.Initials = initials(p.Forms)
	if a, b := s.spell(names[0].word), s.spell(names[len(names)-1].word); len(a) > 0 && len(b) > 0 {
		p.Initials = settle(append(scaled(p.Initials, 0.9), form(a[0].Text[:1]+b[0].Text[:1], 0.1, KindJoined)))
	}
	return p
}

// surnames groups the words of a family name: particles belong to the word that follows them.
func surnames(words []string) []surname {
	var out []surname
	var held []string
	for i, w := range words {
		k := wordKey(w)
		switch {
		case i == len(words)-1 || !particles[k] || lowerParticles[k] && w != strings.ToLower(w) && !isCapitals(w) && !(k == "o" && irishO[wordKey(words[i+1])]):
			if isInitial(w) && len(words) > 1 && len(held) == 0 && i < len(words)-1 {
				continue // a stray initial between surnames
			}
			n := surname{particles: held, word: w}
			if len(held) == 1 {
				h := wordKey(held[0])
				n.glued = h == "o" || h == "mc" || h == "mac" || h == "d" || h == "fitz"
			}
			out, held = append(out, n), nil
		case conjunctions[k] && len(out) > 0:
		default:
			held = append(held, w)
		}
	}
	return out
}

// oneSurname writes one surname with its particles, hyphen or apostrophe.
func (s speller) oneSurname(n surname) []Form {
	core := s.hyphened(n.word, familyHyphenKept, familyHyphenJoined, familyHyphenFirst, familyHyphenLast)
	if len(n.particles) == 0 {
		if a, b, ok := strings.Cut(n.word, "'"); ok && len(core) > 0 && wordKey(a) != "" && wordKey(b) != "" {
			return append(scaled(core, 1-apostropheShare), form(wordKey(a)+"'"+wordKey(b), apostropheShare, KindApostrophe))
		}
		return core
	}
	var parts []string
	letters := ""
	for _, w := range n.particles {
		if f := s.spell(w); len(f) > 0 {
			parts = append(parts, f[0].Text)
			letters += f[0].Text[:1]
		}
	}
	joined := strings.Join(parts, "")
	var forms []Form
	for _, c := range s.spellTop(core) {
		if n.glued {
			forms = append(forms, form(joined+c.Text, c.Weight*0.94, KindPlain).by(c), form(joined+"."+c.Text, c.Weight*0.03, KindDotted).by(c), form(c.Text, c.Weight*0.03, KindNoParticle).by(c))
			continue
		}
		forms = append(forms,
			form(joined+c.Text, c.Weight*particleJoined, KindJoined).by(c), form(c.Text, c.Weight*particleDropped, KindNoParticle).by(c),
			form(strings.Join(parts, ".")+"."+c.Text, c.Weight*particleDotted, KindDotted).by(c),
			form(strings.Join(parts, "-")+"-"+c.Text, c.Weight*particleHyphened, KindHyphened).by(c),
			form(letters+c.Text, c.Weight*particleInitials, KindParticleInitials).by(c),
			form(strings.Join(parts, "_")+"_"+c.Text, c.Weight*particleUnderscored, KindUnderscored).by(c))
	}
	return forms
}

// familyInitials abbreviates one surname: by its particle or by its word.
func (s speller) familyInitials(n surname) []Form {
	core := initials(s.spell(strings.Split(n.word, "-")[0]))
	if len(n.particles) == 0 || len(core) == 0 {
		return core
	}
	var lead, all string
	for _, w := range n.particles {
		if f := s.spell(w); len(f) > 0 {
			if lead == "" {
				lead = f[0].Text[:1]
			}
			all += f[0].Text[:1]
		}
	}
	if n.glued {
		return settle([]Form{form(lead, 0.95, KindPlain), form(core[0].Text, 0.05, KindNoParticle)})
	}
	return settle([]Form{form(lead, 0.5, KindPlain), form(core[0].Text, 0.3, KindNoParticle), form(all+core[0].Text, 0.2, KindParticleInitials)})
}

// twoSurnames is how people with several surnames write them: the first alone, the last alone, both
// joined, with a dot, with a hyphen.
type twoSurnames struct{ first, last, joined, dot, hyphen float64 }

var (
	anySurnames        = twoSurnames{0.22, 0.34, 0.18, 0.23, 0.03} // measured over all regions
	spanishSurnames    = twoSurnames{0.62, 0.10, 0.15, 0.11, 0.02}
	portugueseSurnames = twoSurnames{0.10, 0.72, 0.06, 0.11, 0.01}
)

// severalSurnames writes two or more surnames: the Spanish keep the first, the Portuguese the last.
func (s speller) severalSurnames(names []surname, words []string) []Form {
	share := surnameCulture(words, s.region)
	first, last := s.oneSurname(names[0]), s.oneSurname(names[len(names)-1])
	if len(first) == 0 || len(last) == 0 {
		return append(first, last...)
	}
	var all []string
	for _, n := range names {
		if f := settle(s.oneSurname(n)); len(f) > 0 {
			all = append(all, f[0].Text)
		}
	}
	forms := append(relabel(scaled(s.spellTop(settle(first)), share.first), KindFirstPart), relabel(scaled(s.spellTop(settle(last)), share.last), KindLastPart)...)
	return append(forms, form(strings.Join(all, ""), share.joined, KindJoined), form(strings.Join(all, "."), share.dot, KindDotted), form(strings.Join(all, "-"), share.hyphen, KindHyphened))
}

func relabel(forms []Form, k Kind) []Form {
	for i := range forms {
		forms[i].Kind = k
	}
	return forms
}

// surnameCulture decides by the place, else by the surnames, whose custom a pair follows.
func surnameCulture(words []string, region string) twoSurnames {
	switch region {
	case "es":
		return spanishSurnames
	case "br":
		return portugueseSurnames
	}
	var spanish, portuguese int
	for _, w := range words {
		k := wordKey(w)
		switch {
		case portugueseFamily[k], k == "da", k == "do", k == "dos", k == "e":
			portuguese++
		case iberianFamily[k], k == "del", k == "y", k == "la":
			spanish++
		}
	}
	switch {
	case portuguese > spanish:
		return portugueseSurnames
	case spanish > portuguese, spanish > 0:
		return spanishSurnames
	}
	return anySurnames
}
