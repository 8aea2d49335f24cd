package finder

import (
	"strings"
	"unicode"
)

// speller writes the words of one name the way addresses do.
type speller struct {
	twoLetters float64 // P(ü is written ue) for this name and region
	region     string
	all        string // the whole name, which tells its language
}

// Shares of the forms of names of several parts, measured on addresses of people who have them
// (the table "Name forms" of the pattern study): hyphen kept, joined, one part alone, and so on.
const (
	givenHyphenKept, givenHyphenJoined, givenHyphenFirst = 0.675, 0.220, 0.105

	familyHyphenKept, familyHyphenJoined, familyHyphenFirst, familyHyphenLast = 0.46, 0.32, 0.15, 0.07

	particleJoined, particleDropped, particleDotted, particleHyphened, particleInitials, particleUnderscored = 0.72, 0.10, 0.06, 0.055, 0.045, 0.02

	nicknameShare   = 0.051 // people in the nickname table whose address uses another form
	quotedShare     = 0.30  // a nickname that the row itself gives
	apostropheShare = 0.04  // o'brien kept as typed
	doubleInitials  = 0.60  // jp for Jean-Pierre: 13 of 19 seen
	looseDouble     = 0.15  // the same without a hyphen: jm for Jose Maria
)

// given writes a given name of one or more words, with its nicknames.
func (s speller) given(words []string, nick string) Part {
	p := Part{Text: display(words)}
	if len(words) == 0 {
		return p
	}
	if f, i := s.hangulGiven(words); f != nil {
		p.Forms, p.Initials = f, i
		return p
	}
	lead := words[0]
	if isInitial(lead) {
		return s.initialGiven(p, words)
	}
	forms := s.hyphened(lead, givenHyphenKept, givenHyphenJoined, givenHyphenFirst, 0)
	p.Initials = initials(forms)
	if a, b, ok := strings.Cut(lead, "-"); ok {
		p.Initials = withDouble(p.Initials, s.spell(a), s.spell(b), doubleInitials)
	}
	if len(words) > 1 {
		forms, p.Initials = s.twoGiven(forms, p.Initials, words[1], pinyinSyllables[wordKey(lead)] && pinyinSyllables[wordKey(words[1])])
	} else if k := wordKey(lead); !knownGiven(lead) && !pinyinSyllables[k] && isPinyin(lead) && strings.Contains(strings.ToLower(s.all), k) {
		p.Initials = withSyllables(p.Initials, k, s.all)
	}
	p.Forms = settle(s.withNicknames(forms, nick))
	p.Initials = settle(append(p.Initials, scaled(nicknameInitials(p.Forms), 0.5*nicknameShare)...))
	return p
}

// initialGiven writes a given name that begins with an initial: J, or J Edgar.
func (s speller) initialGiven(p Part, words []string) Part {
	p.Initials = initials(s.spell(words[0]))
	if len(words) > 1 {
		p.Forms = settle(s.withNicknames(s.hyphened(words[1], givenHyphenKept, givenHyphenJoined, givenHyphenFirst, 0), ""))
		p.Initials = settle(append(scaled(p.Initials, 0.6), scaled(initials(p.Forms), 0.4)...))
	}
	return p
}

// twoGiven adds the forms of a double given name. Chinese names are one word in addresses, European
// ones mostly keep their first half.
func (s speller) twoGiven(lead, first []Form, second string, chinese bool) (forms, inits []Form) {
	alone, joined, hyphen, dot := 0.62, 0.18, 0.13, 0.07
	if chinese {
		alone, joined, hyphen, dot = 0.12, 0.73, 0.10, 0.05
	}
	forms = scaled(lead, alone)
	other := s.spell(second)
	if len(other) == 0 {
		return lead, first
	}
	for _, f := range s.spellTop(lead) {
		forms = append(forms, form(f.Text+other[0].Text, f.Weight*joined, KindJoined).by(f),
			form(f.Text+"-"+other[0].Text, f.Weight*hyphen, KindHyphened).by(f), form(f.Text+"."+other[0].Text, f.Weight*dot, KindDotted).by(f))
	}
	return forms, withDouble(first, lead, other, looseDouble)
}

// spellTop keeps the two likeliest forms for a product with others.
func (s speller) spellTop(forms []Form) []Form { return forms[:min(len(forms), 2)] }

// withNicknames adds the formal or familiar forms of a given name, and the one the row gives.
func (s speller) withNicknames(forms []Form, nick string) []Form {
	var extra []Form
	var share float64
	if nick != "" {
		if n := s.spell(nick); len(n) > 0 {
			share = quotedShare
			extra = append(extra, form(n[0].Text, quotedShare, KindQuoted))
		}
	}
	for _, f := range s.spellTop(forms) {
		others := nicknames()[f.Text]
		for i, o := range others {
			w := nicknameShare * f.Weight * rankShare(i, len(others))
			share += w
			extra = append(extra, form(o, w, KindNickname))
		}
	}
	return append(scaled(forms, 1-share), extra...)
}

// middle writes a middle name: its first word, or the others, or only initials.
func (s speller) middle(words []string) Part {
	p := Part{Text: display(words)}
	var letters strings.Builder
	for i, w := range words {
		forms := s.spell(w)
		if len(forms) == 0 {
			continue
		}
		letters.WriteString(forms[0].Text[:1])
		if !isInitial(w) {
			p.Forms = append(p.Forms, scaled(forms, rankShare(i, len(words)))...)
		}
	}
	p.Forms = settle(p.Forms)
	if l := letters.String(); len(l) > 1 {
		p.Initials = settle([]Form{form(l[:1], 0.75, KindPlain), form(l, 0.25, KindJoined)})
	} else if l != "" {
		p.Initials = []Form{form(l, 1, KindPlain)}
	}
	return p
}

// spell writes one word without its punctuation in every way its letters allow.
func (s speller) spell(w string) []Form {
	w = strings.ReplaceAll(w, "-", "")
	switch scriptOf(w) {
	case scriptCyrillic:
		return s.clean(romaniseCyrillic(w, cyrillicLanguage(s.all, s.region)))
	case scriptGreek:
		return s.clean(romaniseGreek(w))
	case scriptHangul:
		return s.clean(romaniseKoreanFamily(w))
	case scriptOther, scriptNone:
		return nil
	}
	one, two := foldLatin(w)
	if one == two {
		return s.clean([]Form{form(one, 1, KindPlain)})
	}
	return s.clean([]Form{
		{Text: one, Weight: 1 - s.twoLetters, hand: oneLetter},
		{Text: two, Weight: s.twoLetters, Kind: KindRespelled, hand: twoLetters},
	})
}

// clean leaves letters alone and bounds their number.
func (s speller) clean(forms []Form) []Form {
	for i := range forms {
		t := forms[i].Text
		if forms[i].Kind != KindHyphened && forms[i].Kind != KindDotted {
			t = asciiLetters(t)
		}
		forms[i].Text = t[:min(len(t), maxWordLetters)]
	}
	return settle(forms)
}

// hyphened writes a word that may have a hyphen: kept, joined, its first part, its last part.
func (s speller) hyphened(w string, kept, joined, first, last float64) []Form {
	a, b, ok := strings.Cut(w, "-")
	if !ok {
		return s.spell(w)
	}
	left, right := s.spell(a), s.spell(b)
	if len(left) == 0 || len(right) == 0 {
		return s.spell(w)
	}
	var forms []Form
	for _, l := range s.spellTop(left) {
		for _, r := range s.spellTop(right) {
			if l.hand != 0 && r.hand != 0 && l.hand != r.hand {
				continue // one hand in one word
			}
			w := min(l.Weight, r.Weight)
			forms = append(forms, form(l.Text+"-"+r.Text, kept*w, KindHyphened).by(l, r), form(l.Text+r.Text, joined*w, KindJoined).by(l, r),
				form(l.Text, first*w, KindFirstPart).by(l), form(r.Text, last*w, KindLastPart).by(r))
		}
	}
	return settle(forms)
}

// hangulGiven writes a given name in Hangul.
func (s speller) hangulGiven(words []string) (forms, inits []Form) {
	if scriptOf(words[0]) != scriptHangul {
		return nil, nil
	}
	return romaniseKoreanGiven(strings.Join(words, ""))
}

// initials abbreviates forms to their first letters.
func initials(forms []Form) []Form {
	var out []Form
	for _, f := range forms {
		if f.Text != "" {
			out = append(out, form(f.Text[:1], f.Weight, KindPlain))
		}
	}
	return settle(out)
}

// withDouble adds the initials of both halves: jp for Jean-Pierre.
func withDouble(first, a, b []Form, share float64) []Form {
	if len(a) == 0 || len(b) == 0 {
		return first
	}
	return settle(append(scaled(first, 1-share), form(a[0].Text[:1]+b[0].Text[:1], share, KindJoined)))
}

// withSyllables adds the two initials of a Chinese given name (xm for Xiaoming) when the family name
// is Chinese too.
func withSyllables(first []Form, k, all string) []Form {
	cut := pinyinCut(k)
	for w := range strings.FieldsSeq(all) {
		if f := wordKey(w); cut > 0 && f != k && chineseFamily[f] {
			return settle(append(scaled(first, 0.75), form(k[:1]+k[cut:cut+1], 0.25, KindJoined)))
		}
	}
	return first
}

// nicknameForms are the forms that stand for a name other than the one typed.
func nicknameForms(forms []Form) []Form {
	var out []Form
	for _, f := range forms {
		if f.Kind == KindNickname || f.Kind == KindQuoted {
			out = append(out, f)
		}
	}
	return out
}

// nicknameInitials are the initials of other names than the one typed: r for Bob.
func nicknameInitials(forms []Form) []Form {
	out := initials(nicknameForms(forms))
	for i := range out {
		out[i].Kind = KindNickname
	}
	return out
}

// scaled multiplies the weights of a copy of the forms.
func scaled(forms []Form, by float64) []Form {
	out := make([]Form, len(forms))
	for i, f := range forms {
		f.Weight *= by
		out[i] = f
	}
	return out
}

// display writes words for people; words in capitals or small letters only get a capital.
func display(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		if r := []rune(w); len(r) > 1 && (isCapitals(w) || w == strings.ToLower(w) && len(words) == 1) {
			low := []rune(strings.ToLower(w))
			up := true
			for k := range low {
				if up {
					low[k] = unicode.ToUpper(low[k])
				}
				up = low[k] == '-' || low[k] == '\''
			}
			w = string(low)
		}
		out[i] = w
	}
	return clip(strings.Join(out, " "), maxDisplayRunes)
}
