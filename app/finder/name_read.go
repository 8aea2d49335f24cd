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
	if vietnameseOrder(first, last) {
		r.divide(append(first, last...))
		return r, nil
	}
	first, last = moveSurname(first, last)
	for len(last) > 1 && isInitial(last[0]) && !particles[wordKey(last[0])] {
		r.middle, last = append(r.middle, last[0]), last[1:]
	}
	r.given, r.family = first, last
	r.takeMiddle()
	r.swapped = swappedColumns(r.given, r.family)
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

// vietnameseOrder reports whether two cells hold a Vietnamese name cut in two where it was typed in its own
// order: "Ngo Quoc" + "Cuong".
func vietnameseOrder(first, last []string) bool {
	return len(first) > 1 && len(last) == 1 && sureVietnamese[wordKey(first[0])] && !knownFamily(last[0]) && !commonFamily[wordKey(last[0])]
}

// moveSurname moves the first of two Iberian surnames to the family name: "Ana García" + "Márquez".
func moveSurname(first, last []string) (f, l []string) {
	n := len(first) - 1
	if n < 1 || len(last) != 1 {
		return first, last
	}
	k := wordKey(first[n])
	if commonGiven[k] || knownGiven(first[n]) || isInitial(first[n]) || chineseFamily[k] || !iberianFamily[k] && !iberianFamily[wordKey(last[0])] {
		return first, last
	}
	return first[:n:n], []string{first[n], last[0]}
}

// swappedColumns is P(the two cells are the wrong way round). Of people whose second cell is a common given
// name and whose first is none, two in five are; one family name in capitals beside a given name that is not says it too.
func swappedColumns(given, family []string) float64 {
	if len(family) != 1 {
		return 0
	}
	g, f := wordKey(given[0]), wordKey(family[0])
	givenThere := commonGiven[f] || knownGiven(f)
	switch {
	case chineseFamily[g] && isPinyin(f) && !chineseFamily[f], sureVietnamese[g] && !vietnameseFamily[f] && !knownFamily(f):
		return 0.4
	case !givenThere || commonGiven[g] || knownGiven(g) || isInitial(given[0]):
		return 0
	case (commonFamily[g] || knownFamily(g)) && !commonFamily[f] && !knownFamily(f), isCapitals(given[0]) && len(g) > 3 && !isCapitals(family[0]):
		return 0.7
	case commonGiven[f] && !commonFamily[f] && !knownFamily(f) && len(given) == 1:
		return 0.4
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
