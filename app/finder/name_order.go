package finder

import (
	"strings"
	"unicode"
)

// divide splits the words of a full name into given, middle and family names.
func (r *reading) divide(words []string) {
	for _, try := range []func([]string) bool{r.bySlavic, r.byCapitals, r.byOrder, r.byParticle, r.byIberian} {
		if try(words) {
			return
		}
	}
	n := len(words)
	if n > 2 && strings.EqualFold(words[n-2], "o") && irishO[wordKey(words[n-1])] {
		r.family = words[n-2:]
		words = words[:n-2]
	} else {
		r.family, words = words[n-1:], words[:n-1]
	}
	if n == 2 && isInitial(words[0]) && !isInitial(r.family[0]) {
		r.swapped = 0.3 // K Ramesh: in South India the initial stands for the father's name
	}
	r.given = words
	r.takeMiddle()
}

// byHangul reads a Korean name, family first, divided or not: 김민수, 김 민수.
func (r *reading) byHangul(words []string) bool {
	if scriptOf(words[0]) != scriptHangul || !allRomanisable(words) {
		return false
	}
	if len(words) > 1 {
		r.family, r.given = words[:1], []string{strings.Join(words[1:], "")}
		return true
	}
	family, given, ok := splitKorean(words[0])
	if !ok {
		return false
	}
	r.family, r.given = []string{family}, []string{given}
	return true
}

// byCapitals reads the word in capitals as the family name: "DUPONT Jean", "Jean DUPONT".
func (r *reading) byCapitals(words []string) bool {
	caps := make([]bool, len(words))
	n := 0
	for i, w := range words {
		caps[i] = isCapitals(w)
		if caps[i] {
			n++
		}
	}
	if n == 0 || n == len(words) {
		return false
	}
	last := len(words) - 1
	switch {
	case allTrue(caps[:n]) && len(words[0]) > 2:
		r.family, r.given = words[:n], words[n:]
	case allTrue(caps[last+1-n:]) && caps[last]:
		r.family, r.given = words[last+1-n:], words[:last+1-n]
	default:
		return false
	}
	r.takeMiddle()
	return true
}

// byOrder recognises names that are written family name first.
func (r *reading) byOrder(words []string) bool {
	k := make([]string, len(words))
	for i, w := range words {
		k[i] = wordKey(w)
	}
	n := len(words)
	switch {
	case vietnameseFamily[k[0]] && !vietnameseFamily[k[n-1]] && (sureVietnamese[k[0]] && !knownGiven(words[n-1]) && !knownFamily(words[n-1]) || vietnameseLetters(strings.Join(words, " "))):
		r.family, r.given, r.middle, r.swapped = words[:1], words[n-1:], words[1:n-1], 0.25
	case n <= 3 && hungarianFamily[k[0]] && hungarianGiven[k[1]] && !hungarianGiven[k[0]]:
		r.family, r.given, r.middle, r.swapped = words[:1], words[1:2], words[2:], 0.15
	case n == 2 && japaneseFamily[k[0]] && !japaneseFamily[k[1]] && !knownGiven(words[1]) && !knownFamily(words[1]):
		r.family, r.given, r.swapped = words[:1], words[1:], 0.3
	case koreanFirst(words, k):
		r.family, r.given, r.swapped = words[:1], words[1:], 0.25
	case n <= 3 && chineseFamily[k[0]] && !chineseFamily[k[n-1]] && !knownGiven(words[n-1]) && allPinyin(words[1:]):
		r.family, r.given, r.swapped = words[:1], words[1:], 0.3
	case n == 2 && chineseFamily[k[0]] && chineseFamily[k[1]]:
		r.given, r.family, r.swapped = words[:1], words[1:], 0.45
		return true
	default:
		return false
	}
	r.notes = append(r.notes, "read with the family name first")
	return true
}

// koreanFirst recognises "Kim Min-su" and "Kim Minsu".
func koreanFirst(words, k []string) bool {
	if len(words) != 2 || !koreanFamily[k[0]] || koreanFamily[k[1]] || knownGiven(words[1]) || knownFamily(words[1]) {
		return false
	}
	a, b, hyphen := strings.Cut(strings.ToLower(words[1]), "-")
	if hyphen {
		return isKoreanSyllable(a) && isKoreanSyllable(b)
	}
	return sureKorean[k[0]] && isKoreanPair(k[1])
}

// byParticle lets the family name begin at its first particle, or one word before a conjunction.
func (r *reading) byParticle(words []string) bool {
	caps := !strings.ContainsFunc(strings.Join(words, ""), unicode.IsLower)
	for i := 1; i < len(words)-1; i++ {
		k := wordKey(words[i])
		if !particles[k] || lowerParticles[k] && !caps && words[i] != strings.ToLower(words[i]) {
			continue
		}
		start := i
		switch prev := wordKey(words[i-1]); {
		case conjunctions[k] && (i < 2 || caps):
			continue
		case conjunctions[k]:
			start = i - 1 // Ortega y Gasset
		case i >= 2 && iberianFamily[prev] && !givenPair(words[0], words[i-1]):
			start = i - 1 // García de la Cruz
		}
		r.given, r.family = words[:start], words[start:]
		r.takeMiddle()
		return true
	}
	return false
}

// byIberian reads two Spanish or Portuguese surnames at the end of a name as a pair.
func (r *reading) byIberian(words []string) bool {
	n := len(words)
	if n < 3 || !iberianFamily[wordKey(words[n-1])] || !iberianFamily[wordKey(words[n-2])] {
		return false
	}
	r.given, r.family = words[:n-2], words[n-2:]
	r.takeMiddle()
	return true
}

// bySlavic recognises the official Russian order by its patronymic: family, given, patronymic; and
// takes a patronymic in the middle for what it is.
func (r *reading) bySlavic(words []string) bool {
	if len(words) != 3 || !isPatronymic(words[2]) || isPatronymic(words[1]) {
		return false
	}
	r.family, r.given, r.middle = words[:1], words[1:2], words[2:]
	r.notes = append(r.notes, "read with the family name first")
	return true
}

// isPatronymic reports whether a word is an East Slavic patronymic, in Cyrillic or romanised.
func isPatronymic(w string) bool {
	low := strings.ToLower(w)
	for _, end := range []string{"ович", "евич", "івна", "ївна", "овна", "евна", "ична", "йович", "ovich", "evich", "ovych", "ovna", "evna", "ivna", "yovych"} {
		if strings.HasSuffix(low, end) && len(low) > len(end)+2 {
			return true
		}
	}
	return false
}
