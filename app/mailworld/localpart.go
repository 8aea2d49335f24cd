package mailworld

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// spelling is how a company turns names into the letters of its addresses.
type spelling struct {
	expand    bool   // ü -> ue, ø -> oe, å -> aa; else ü -> u, ø -> o, å -> a. ß is ss either way
	given     string // of several or hyphenated given names: "keep" the hyphen, "join" or "first"
	surname   string // of hyphenated surnames: "keep", "join" or "first"
	two       string // of two surnames: "first", "join" or "last"
	particles string // "join" or "drop"
}

// letters that Unicode does not decompose. Read only.
var plainLetters = map[rune]string{
	'ß': "ss", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'æ': "ae", 'œ': "oe", 'ı': "i", 'ľ': "l", 'ť': "t", 'ď': "d",
}

var expandedLetters = map[rune]string{'ä': "ae", 'ö': "oe", 'ü': "ue", 'ø': "oe", 'å': "aa", 'æ': "ae"}

var particles = map[string]bool{
	"van": true, "von": true, "der": true, "den": true, "de": true, "del": true, "della": true, "di": true, "da": true,
	"dos": true, "du": true, "la": true, "le": true, "ter": true, "ten": true, "el": true,
}

// fold writes a name in small ASCII letters, hyphens and spaces; apostrophes vanish.
func fold(name string, expand bool) string {
	var b strings.Builder
	for _, r := range norm.NFC.String(strings.ToLower(name)) {
		if s, ok := expandedLetters[r]; ok && expand {
			b.WriteString(s)
			continue
		}
		if s, ok := plainLetters[r]; ok {
			b.WriteString(s)
			continue
		}
		for _, d := range norm.NFD.String(string(r)) {
			if d == '-' || d == ' ' || d < unicode.MaxASCII && unicode.IsLetter(d) {
				b.WriteRune(d)
			}
		}
	}
	return b.String()
}

func (sp spelling) givenToken(first string) string {
	words := strings.Fields(fold(first, sp.expand))
	if sp.given == "join" {
		words = []string{strings.Join(words, "")}
	}
	return hyphens(words[0], sp.given)
}

func (sp spelling) surnameToken(last string) string {
	lead, core := splitParticles(strings.Fields(fold(last, sp.expand)))
	word := core[0]
	switch sp.two {
	case "join":
		word = strings.Join(core, "")
	case "last":
		word = core[len(core)-1]
	}
	if sp.particles != "drop" {
		word = strings.Join(lead, "") + word
	}
	return hyphens(word, sp.surname)
}

func splitParticles(words []string) (lead, core []string) {
	n := 0
	for n < len(words)-1 && particles[words[n]] {
		n++
	}
	return words[:n], words[n:]
}

func hyphens(word, how string) string {
	switch how {
	case "keep":
		return word
	case "first":
		head, _, _ := strings.Cut(word, "-")
		return head
	}
	return strings.ReplaceAll(word, "-", "")
}

// localPart writes the address of a template: F L whole names, f l initials, a digit after a letter that many of its
// letters (8: the whole cut to 8), and . _ - as they are.
func localPart(template, given, surname string) string {
	b := make([]byte, 0, 32)
	for i := 0; i < len(template); i++ {
		word := surname
		switch c := template[i]; c {
		case 'F', 'f':
			word = given
		case 'L', 'l':
		default:
			b = append(b, c)
			continue
		}
		n := len(word)
		if template[i] >= 'a' {
			n = 1
		}
		if i+1 < len(template) && template[i+1] >= '1' && template[i+1] <= '8' {
			i++
			n = int(template[i] - '0')
			if n == 8 {
				n -= len(b)
			}
		}
		b = append(b, word[:max(0, min(n, len(word)))]...)
	}
	return string(b)
}
