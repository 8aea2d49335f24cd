package finder

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// cell is a name cell after cleaning: words in groups between commas, still with their dots.
type cell struct {
	groups [][]string
	nick   string
	notes  []string
}

func (c cell) empty() bool { return len(c.groups) == 0 }

// cleanCell turns a cell as typed into words, or refuses it with a sentence that names what is wrong.
// An empty cell is not an error.
func cleanCell(label, s string) (cell, error) {
	if len(s) > maxCellBytes {
		return cell{}, refuse("The " + label + " is longer than any name.")
	}
	s = repairEncoding(s)
	if !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError) {
		return cell{}, refuse("The " + label + " has damaged letters: the file was read with the wrong encoding.")
	}
	s = strings.TrimSpace(norm.NFKC.String(strings.Map(plainPunctuation, s)))
	if utf8.RuneCountInString(s) > maxCellRunes {
		return cell{}, refuse("The " + label + " is longer than any name.")
	}
	if err := refuseJunk(label, s); err != nil {
		return cell{}, err
	}
	var c cell
	s = c.takeAsides(s)
	s = c.cutAfterDash(s)
	if err := refuseDigits(label, s); err != nil {
		return cell{}, err
	}
	if err := refuseTwoPeople(label, s); err != nil {
		return cell{}, err
	}
	s, err := c.oneScript(label, lettersOnly(s))
	if err != nil {
		return cell{}, err
	}
	return c, c.split(label, s)
}

// split cuts the cleaned text into groups of words at commas.
func (c *cell) split(label, s string) error {
	words := 0
	for group := range strings.SplitSeq(s, ",") {
		var kept []string
		for _, w := range strings.Fields(group) {
			if w = strings.Trim(w, "-'"); strings.ContainsFunc(w, unicode.IsLetter) {
				kept = append(kept, w)
			}
		}
		if words += len(kept); words > maxWords {
			return refuse("The " + label + " has more words than any name.")
		}
		if len(kept) > 0 {
			c.groups = append(c.groups, kept)
		}
	}
	return nil
}

// repairEncoding undoes UTF-8 that was once read as Windows-1252 (MÃ¼ller), the commonest damage in
// spreadsheets. Text that does not turn into valid UTF-8 that way is left alone.
func repairEncoding(s string) string {
	if !strings.ContainsAny(s, "ÃÂÅÄ") {
		return s
	}
	b, err := charmap.Windows1252.NewEncoder().String(s)
	if err != nil || !utf8.ValidString(b) || b == s || strings.ContainsRune(b, utf8.RuneError) {
		return s
	}
	return b
}

// plainPunctuation maps the many apostrophes, hyphens, quotes and spaces onto one each and drops what
// is invisible. It runs before NFKC, which would turn some of them into combining marks.
func plainPunctuation(r rune) rune {
	switch r {
	case '’', '‘', '`', '´', 'ʼ', 'ʹ', '′', 'ʻ', '‛', '＇', '՚':
		return '\''
	case '‐', '‑', '‒', '–', '—', '―', '−', '﹣', '－', '⁃', '\u00AD':
		return '-'
	case '“', '”', '„', '‟', '«', '»', '″', '＂', '‹', '›':
		return '"'
	case '，', '、', '؛', '،':
		return ','
	case '\u200B', '\u200C', '\u200D', '\uFEFF', '\u2060', '\u200E', '\u200F', '\u061C':
		return -1
	case '\t', '\n', '\r', '_', '\u2028', '\u2029':
		return ' '
	}
	switch {
	case unicode.IsSpace(r):
		return ' '
	case unicode.IsControl(r), r >= '\u202A' && r <= '\u202E', r >= '\u2066' && r <= '\u2069':
		return -1
	}
	return r
}

// brackets that hold asides, opening to closing.
var brackets = map[rune]rune{'(': ')', '[': ']', '{': '}', '<': '>', '"': '"'}

// takeAsides lifts bracketed and quoted text out of a name. A single word is a nickname; a whole name
// beside letters that cannot be romanised replaces them: 王小明 (Wang Xiaoming).
func (c *cell) takeAsides(s string) string {
	var rest strings.Builder
	for s != "" {
		i := strings.IndexFunc(s, func(r rune) bool { return brackets[r] != 0 })
		if i < 0 {
			break
		}
		open, size := utf8.DecodeRuneInString(s[i:])
		j := strings.IndexRune(s[i+size:], brackets[open])
		if j < 0 { // an unclosed bracket hides the rest
			rest.WriteString(s[:i])
			return rest.String()
		}
		rest.WriteString(s[:i] + " ")
		c.aside(s[i+size : i+size+j])
		s = s[i+size+j+1:]
	}
	rest.WriteString(s)
	text := rest.String()
	if q := singleQuoted(text); q != "" {
		c.aside(q)
		text = strings.Replace(text, "'"+q+"'", " ", 1)
	}
	return text
}

// aside keeps a nickname and drops all else that stood in brackets.
func (c *cell) aside(s string) {
	words := strings.Fields(lettersOnly(s))
	switch {
	case len(words) == 1 && c.nick == "" && isNickname(words[0]):
		c.nick = words[0]
	case len(words) > 1 && allRomanisable(words) && !asideWords[wordKey(words[0])]:
		c.notes = append(c.notes, asideName+strings.Join(words, " "))
	default:
		c.note("left out what stood in brackets")
	}
}

// asideName marks the note that holds a whole name found in brackets; oneScript uses it up.
const asideName = "in brackets: "

func (c *cell) note(s string) {
	for _, n := range c.notes {
		if n == s {
			return
		}
	}
	c.notes = append(c.notes, s)
}

// isNickname reports whether a bracketed word can be a name and not a remark such as (she/her).
func isNickname(w string) bool {
	k := wordKey(w)
	return len(k) >= 2 && len([]rune(w)) <= 20 && !asideWords[k] && !suffixes[k] && !titles[k] && scriptOf(w).romanised()
}

// singleQuoted finds a word between single quotes that are not apostrophes: Robert 'Bob' Smith.
func singleQuoted(s string) string {
	i := strings.Index(s, " '")
	if i < 0 {
		return ""
	}
	rest := s[i+2:]
	j := strings.IndexByte(rest, '\'')
	if j < 2 || (j+1 < len(rest) && rest[j+1] != ' ') || strings.ContainsRune(rest[:j], ' ') {
		return ""
	}
	return rest[:j]
}

// cutAfterDash drops what follows a bar, a bullet or a spaced dash: "Ann Smith - Head of Sales". One
// word after a spaced dash is a hyphenated surname typed carelessly.
func (c *cell) cutAfterDash(s string) string {
	if i := strings.IndexAny(s, "|~;=•"); i > 0 {
		c.note("left out what followed a separator")
		s = s[:i]
	}
	i := strings.Index(s, " - ")
	if i <= 0 {
		return s
	}
	if after := strings.Fields(s[i+3:]); len(after) == 1 && !jobWords[wordKey(after[0])] && len(strings.Fields(s[:i])) > 1 {
		return s[:i] + "-" + after[0]
	}
	c.note("left out what followed a dash")
	return s[:i]
}

// lettersOnly keeps letters, marks and the punctuation of names; emoji and other symbols go.
func lettersOnly(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsMark(r), unicode.IsDigit(r), strings.ContainsRune(" -'.,", r):
			return r
		case r == '·': // Catalan l·l
			return -1
		}
		return ' '
	}, s)
}

// wordKey is a word as the tables of titles, particles and names spell it: folded to ASCII letters.
func wordKey(w string) string {
	one, _ := foldLatin(w)
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, one)
}
