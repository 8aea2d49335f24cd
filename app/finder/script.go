package finder

import (
	"strings"
	"unicode"
)

// script is a writing system as far as addresses care.
type script int

const (
	scriptNone script = iota // no letters
	scriptLatin
	scriptCyrillic
	scriptGreek
	scriptHangul
	scriptOther // cannot be romanised without a dictionary of readings
)

// romanised reports whether the finder has a table for the script.
func (s script) romanised() bool { return s != scriptNone && s != scriptOther }

// refusedScripts are the scripts that are refused by name: their letters do not say how the name is
// read (Han, kana with Han) or leave out its vowels (Arabic, Hebrew).
var refusedScripts = []struct {
	name  string
	table *unicode.RangeTable
}{
	{"Chinese or Japanese characters", unicode.Han}, {"Japanese kana", unicode.Hiragana}, {"Japanese kana", unicode.Katakana},
	{"Arabic script", unicode.Arabic}, {"Hebrew script", unicode.Hebrew}, {"Thai script", unicode.Thai}, {"Devanagari script", unicode.Devanagari},
	{"Bengali script", unicode.Bengali}, {"Tamil script", unicode.Tamil}, {"Telugu script", unicode.Telugu}, {"Georgian script", unicode.Georgian},
	{"Armenian script", unicode.Armenian}, {"Khmer script", unicode.Khmer}, {"Ethiopic script", unicode.Ethiopic},
}

// scriptOf returns the script of a word's letters; mixed words count as the last table that applies,
// except that anything unromanisable makes the word scriptOther.
func scriptOf(w string) script {
	found := scriptNone
	for _, r := range w {
		switch {
		case !unicode.IsLetter(r):
		case unicode.Is(unicode.Latin, r), unicode.Is(unicode.Common, r):
			found = max(found, scriptLatin)
		case unicode.Is(unicode.Cyrillic, r):
			found = max(found, scriptCyrillic)
		case unicode.Is(unicode.Greek, r):
			found = max(found, scriptGreek)
		case r >= hangulFirst && r <= hangulLast:
			found = max(found, scriptHangul)
		default:
			return scriptOther
		}
	}
	return found
}

func scriptName(w string) string {
	for _, r := range w {
		for _, s := range refusedScripts {
			if unicode.Is(s.table, r) {
				return s.name
			}
		}
	}
	return "a script"
}

func allRomanisable(words []string) bool {
	for _, w := range words {
		if !scriptOf(w).romanised() {
			return false
		}
	}
	return len(words) > 0
}

// oneScript leaves words that can be romanised. Words that cannot are dropped beside two that can (or
// beside a whole name in brackets); else the cell is refused with the script's name.
func (c *cell) oneScript(label, s string) (string, error) {
	bracketed := ""
	for i, n := range c.notes {
		if strings.HasPrefix(n, asideName) {
			bracketed = strings.TrimPrefix(n, asideName)
			c.notes[i] = "left out what stood in brackets"
		}
	}
	var kept []string
	refused := ""
	for _, w := range strings.Fields(s) {
		if scriptOf(w) == scriptOther {
			refused = w
			continue
		}
		kept = append(kept, unmix(w))
	}
	switch {
	case refused == "":
	case bracketed != "":
		c.notes = append(c.notes, "read the name in brackets")
		return bracketed, nil
	case len(kept) < 2:
		return "", refuse("The " + label + " is written in " + scriptName(refused) + ", which cannot be turned into Latin letters without knowing how it is read.")
	default:
		c.note("left out words in " + scriptName(refused))
	}
	return strings.Join(kept, " "), nil
}

// lookAlikes are Cyrillic letters that look Latin; typed among Latin letters they are a slip.
var lookAlikes = map[rune]rune{
	'а': 'a', 'е': 'e', 'о': 'o', 'р': 'p', 'с': 'c', 'у': 'y', 'х': 'x', 'і': 'i', 'ј': 'j', 'ѕ': 's', 'А': 'A', 'В': 'B', 'Е': 'E', 'К': 'K', 'М': 'M',
	'Н': 'H', 'О': 'O', 'Р': 'P', 'С': 'C', 'Т': 'T', 'У': 'Y', 'Х': 'X', 'І': 'I', 'Ј': 'J', 'Ѕ': 'S',
}

// unmix turns Cyrillic look-alikes into Latin letters in a word that has Latin letters too.
func unmix(w string) string {
	if !strings.ContainsFunc(w, func(r rune) bool { return unicode.Is(unicode.Latin, r) }) {
		return w
	}
	return strings.Map(func(r rune) rune {
		if l, ok := lookAlikes[r]; ok {
			return l
		}
		return r
	}, w)
}
