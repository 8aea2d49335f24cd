package finder

import (
	"strings"
	"unicode"

	"github.com/gosimple/unidecode"
	"golang.org/x/text/unicode/norm"
)

// twoWays are the Latin letters that addresses write in two ways: as one letter, and the way that a
// language respells it. NFKD takes none of ø, ł, đ, ı, þ, æ and ß apart.
var twoWays = map[rune][2]string{
	'ä': {"a", "ae"}, 'ö': {"o", "oe"}, 'ü': {"u", "ue"}, 'å': {"a", "aa"}, 'ø': {"o", "oe"}, 'đ': {"d", "dj"},
	'ß': {"ss", "ss"}, 'æ': {"ae", "ae"}, 'œ': {"oe", "oe"}, 'þ': {"th", "th"}, 'ð': {"d", "d"}, 'ł': {"l", "l"}, 'ı': {"i", "i"},
	'ħ': {"h", "h"}, 'ŋ': {"ng", "ng"}, 'ĳ': {"ij", "ij"}, 'ə': {"a", "a"}, 'ŧ': {"t", "t"}, 'ĸ': {"k", "k"}, 'ɑ': {"a", "a"}, 'ƒ': {"f", "f"},
}

// foldLatin writes a word in lower-case ASCII in both ways of twoWays; apostrophes and hyphens stay.
// Letters of other scripts are dropped.
func foldLatin(w string) (one, two string) {
	var a, b strings.Builder
	for _, r := range norm.NFC.String(strings.ToLower(w)) {
		x, y := foldRune(r)
		a.WriteString(x)
		b.WriteString(y)
	}
	return a.String(), b.String()
}

func foldRune(r rune) (one, two string) {
	switch {
	case r < unicode.MaxASCII:
		return string(r), string(r)
	case unicode.IsMark(r):
		return "", ""
	}
	if ways, ok := twoWays[r]; ok {
		return ways[0], ways[1]
	}
	var out strings.Builder
	for _, d := range norm.NFD.String(string(r)) {
		switch {
		case d >= 'a' && d <= 'z':
			out.WriteRune(d)
		case unicode.IsMark(d):
		case twoWays[d][0] != "":
			out.WriteString(twoWays[d][0])
		case unicode.Is(unicode.Latin, d):
			out.WriteString(asciiLetters(unidecode.Unidecode(string(d))))
		}
	}
	return out.String(), out.String()
}

// asciiLetters keeps the lower-cased letters a-z of a text.
func asciiLetters(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

// Shares of people whose address respells ä, ö, ü, ø or å with two letters, measured by region
// (umlaut_by_region); a name's other letters may say more than the region.
const (
	respelledGerman  = 0.94
	respelledNordic  = 0.05
	respelledOther   = 0.66
	respelledForeign = 0.02 // Turkish, Hungarian, Spanish … never write ue for ü
	respelledOslo    = 0.15 // ø or å outside the Nordic countries
)

// twoLetterShare is P(an address uses the two-letter spelling) for a name in a region.
func twoLetterShare(name, region string) float64 {
	low := norm.NFC.String(strings.ToLower(name))
	switch {
	case strings.ContainsRune(low, 'ß'):
		return respelledGerman
	case vietnameseLetters(low), strings.ContainsAny(low, "şğıőűñãõâêîôûàèìòùçčšžřěťďňľĺŕąęłńśźżțșăāēīūķļņģþðýáéíóú"):
		return respelledForeign
	case region == "nordic", nordicShape(low):
		return respelledNordic
	case strings.ContainsAny(low, "øåæ"):
		return respelledOslo
	case region == "de" || region == "at/ch/li":
		return respelledGerman
	}
	return respelledOther
}

// nordicShape reports whether a word of a name with ä or ö is Swedish or Finnish by its shape: German names do not
// end in those letters, nor do they double them.
func nordicShape(low string) bool {
	for w := range strings.FieldsFuncSeq(low, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if !strings.ContainsAny(w, "äö") {
			continue
		}
		for _, end := range []string{"ä", "ö", "ström", "gren", "qvist", "kvist", "lund", "lind", "sson", "stedt", "nen", "järvi", "mäki", "niemi", "sjö", "holm"} {
			if strings.HasSuffix(w, end) {
				return true
			}
		}
		for _, part := range []string{"ää", "öö", "yö", "äy", "öy", "björ", "sjö"} {
			if strings.Contains(w, part) {
				return true
			}
		}
	}
	return false
}

// vietnameseLetters reports whether a text has letters that only Vietnamese has.
func vietnameseLetters(s string) bool {
	return strings.ContainsAny(strings.ToLower(norm.NFC.String(s)), "ơưđạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ") &&
		!strings.ContainsAny(strings.ToLower(s), "ćčšž")
}
