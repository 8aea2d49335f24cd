package finder

import (
	"strings"
	"unicode"
)

// readFull reads one cell that holds a whole name, in whichever order it is written.
func readFull(c cell) (reading, error) {
	r := reading{nick: c.nick, notes: c.notes}
	groups := r.strip(c.groups)
	if len(groups) == 0 {
		return r, refuse("There is a title here but no name.")
	}
	if len(groups) > 1 && !isTail(groups[0], groups[1]) {
		r.notes = append(r.notes, "read as \"last, first\"")
		r.family, r.given = dotted(groups[0]), dotted(groups[1])
		r.takeMiddle()
		return r, nil
	}
	words := dotted(groups[0])
	if r.byHangul(words) {
		return r, nil
	}
	if len(words) == 1 {
		r.given = words
		r.notes = append(r.notes, "one word only: no family name")
		return r, nil
	}
	r.divide(words)
	return r, nil
}

// readLastOnly reads a row whose only name is in the last-name cell.
func readLastOnly(c cell) (reading, error) {
	if len(c.groups) > 1 || len(c.groups[0]) > 1 {
		return readFull(c)
	}
	r := reading{nick: c.nick, notes: append(c.notes, "no given name"), family: dotted(c.groups[0])}
	return r, nil
}

// readColumns reads a first and a last name cell.
func readColumns(f, l cell) (reading, error) {
	r := reading{nick: f.nick, notes: append(append([]string{}, f.notes...), l.notes...)}
	if r.nick == "" {
		r.nick = l.nick
	}
	first, last := flat(r.strip(f.groups)), flat(r.strip(l.groups))
	first, last = dotted(first), dotted(last)
	switch {
	case len(first) == 0 && len(last) == 0:
		return r, refuse("There is a title here but no name.")
	case len(first) == 0:
		return readFull(cell{groups: [][]string{last}, nick: r.nick, notes: r.notes})
	case len(last) == 0:
		return readFull(cell{groups: [][]string{first}, nick: r.nick, notes: r.notes})
	}
	first, last = unrepeat(first, last)
	first, last = moveParticles(first, last)
	for len(last) > 1 && isInitial(last[0]) && !particles[wordKey(last[0])] {
		r.middle, last = append(r.middle, last[0]), last[1:]
	}
	r.given, r.family = first, last
	r.takeMiddle()
	r.swapped = swappedColumns(r.given[0], r.family)
	return r, nil
}

// unrepeat undoes cells that repeat each other: "John Smith" + "Smith", "John" + "John Smith".
func unrepeat(first, last []string) (f, l []string) {
	if n := len(first) - len(last); n > 0 && sameWords(first[n:], last) {
		return first[:n], last
	}
	if len(last) > len(first) && sameWords(last[:len(first)], first) {
		return first, last[len(first):]
	}
	return first, last
}

func sameWords(a, b []string) bool {
	return len(a) == len(b) && strings.EqualFold(strings.Join(a, " "), strings.Join(b, " "))
}

// moveParticles moves particles from the end of the first-name cell to the last name: "Jan van" + "Dijk".
func moveParticles(first, last []string) (f, l []string) {
	for len(first) > 1 && particles[wordKey(first[len(first)-1])] && !softParticles[wordKey(first[len(first)-1])] {
		n := len(first) - 1
		first, last = first[:n], append([]string{first[n]}, last...)
	}
	return first, last
}

// swappedColumns is P(the two cells are the wrong way round).
func swappedColumns(given string, family []string) float64 {
	if len(family) != 1 {
		return 0
	}
	g, f := wordKey(given), wordKey(family[0])
	switch {
	case knownGiven(f) && knownFamily(g) && !knownFamily(f) && !knownGiven(g):
		return 0.5
	case chineseFamily[g] && isPinyin(f) && !chineseFamily[f], sureVietnamese[g] && !vietnameseFamily[f] && !knownFamily(f):
		return 0.4
	case knownGiven(f) && !knownFamily(f) && !knownGiven(g):
		return 0.06
	}
	return 0
}

// takeMiddle moves what follows the given name to the middle, keeping double given names together.
func (r *reading) takeMiddle() {
	keep := 1
	if len(r.given) > 1 && (givenPair(r.given[0], r.given[1]) || isInitial(r.given[0]) && !isInitial(r.given[1])) {
		keep = 2
	}
	r.middle = append(append([]string{}, r.given[keep:]...), r.middle...)
	r.given = r.given[:keep:keep]
}

// givenPair reports whether two words are one given name: Jean Pierre, Xiao Ming.
func givenPair(a, b string) bool {
	if isCompoundGiven(a, b) {
		return true
	}
	return pinyinSyllables[wordKey(a)] && pinyinSyllables[wordKey(b)] && !isInitial(a) && !isInitial(b)
}

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

// isTail reports whether what follows a comma is not a given name but credentials or a job.
func isTail(head, tail []string) bool {
	if len(head) < 2 {
		return false
	}
	for _, w := range tail {
		if jobWords[wordKey(w)] {
			return true
		}
	}
	w := strings.ReplaceAll(tail[0], ".", "")
	return len(tail) == 1 && len(w) <= 6 && len(w) > 1 && w == strings.ToUpper(w) && !isCapitals(head[0])
}

// isCapitals reports whether a word of two letters or more is all capitals.
func isCapitals(w string) bool {
	letters := 0
	for _, r := range w {
		if unicode.IsLower(r) || unicode.IsLetter(r) && !unicode.IsUpper(r) {
			return false
		}
		if unicode.IsLetter(r) {
			letters++
		}
	}
	return letters > 1
}

// isInitial reports whether a word is one letter.
func isInitial(w string) bool {
	n := 0
	for _, r := range w {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n == 1 && scriptOf(w) != scriptHangul
}

func allTrue(b []bool) bool {
	for _, v := range b {
		if !v {
			return false
		}
	}
	return len(b) > 0
}

func allPinyin(words []string) bool {
	for _, w := range words {
		if !isPinyin(w) || isInitial(w) {
			return false
		}
	}
	return len(words) > 0
}

// flat joins groups that commas divided.
func flat(groups [][]string) []string {
	var out []string
	for _, g := range groups {
		out = append(out, g...)
	}
	return out
}

// dotted takes words apart at their dots: "J.R." is two initials, "John.Smith" two words.
func dotted(words []string) []string {
	var out []string
	for _, w := range words {
		for part := range strings.SplitSeq(w, ".") {
			if part = strings.Trim(part, "-'"); strings.ContainsFunc(part, unicode.IsLetter) {
				out = append(out, part)
			}
		}
	}
	if len(out) > maxWords {
		out = out[:maxWords]
	}
	return out
}
