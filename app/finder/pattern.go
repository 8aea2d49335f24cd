package finder

import (
	"strings"
	"sync"
)

// Tokens are one way of writing each part of a name, from which a Template makes a local part.
// An empty token is unknown.
type Tokens struct {
	First, F   string // given name, and its abbreviation ("j", or "jp")
	Middle, M  string
	Last, L    string
	CutLetters int // for the cut templates: 8, 7 or 6; 0 means 8
}

// Template is one pattern of the grammar: an id (F.L), and how people read it ({first}.{last}).
type Template struct {
	ID    string
	Reads string
	strict
	pieces []piece
	cut    cutMode
	at     int // how its parts stand: a place of joint.go
	group  int // of those that addresses outside the grammar speak for alike
}

// strict says how much of a name a template holds, which decides whether a mailbox under it can be
// told to be this person's.
type strict int

const (
	loose   strict = iota // one name, or parts of both: first@, last@, fl@
	initial               // one whole name and an initial of the other: flast@, first.l@, shared by few (the study's collisions)
	whole                 // the whole family name and the whole given name
)

// cutMode says whether the made text is cut to 8, 7 or 6 letters, as old Unix log-ins were.
type cutMode int

const (
	uncut   cutMode = iota
	cutTail         // flast cut at the end
	cutLast         // lastf with last cut so that f stays
)

// piece is a literal, or a token cut to its first n letters (0: whole).
type piece struct {
	literal string
	token   byte // 'F' 'f' 'M' 'm' 'L' 'l'
	letters int
}

// templateIDs are the grammar, in the order of the pattern study, which measured how often each is
// used. A capital is a whole name and a small letter its initial; L2 is two letters of the family
// name (f2, l2 likewise); 8 is a cut to 8, 7 or 6 letters.
const templateIDs = "F.L fL F Fl FL F_L F-L f.L L Lf L.F LF F.l fl L_F L.f f_L f-L L-F F_l F-l lF l.F lf L_f L-f f.l FL2 f2L fL2 f2l2 fL8 Lf8 " +
	"fmL fml F.m.L FmL f.m.L F.M.L FM F.M M M.L mL Fm FML F_M_L F-M.L FM.L"

// grammar is every template, by position and by id.
type grammar struct {
	all     []Template
	byID    map[string]int
	byReads map[string]int
}

var templates = sync.OnceValue(func() grammar {
	g := grammar{byID: map[string]int{}, byReads: map[string]int{}}
	for id := range strings.FieldsSeq(templateIDs) {
		t := parseTemplate(id)
		g.byID[id], g.byReads[t.Reads] = len(g.all), len(g.all)
		g.all = append(g.all, t)
	}
	return g
})

// Templates returns the grammar in a fixed order.
func Templates() []Template { return append([]Template(nil), templates().all...) }

// parseTemplate reads an id into its pieces.
func parseTemplate(id string) Template {
	t := Template{ID: id}
	text := id
	switch id {
	case "fL8":
		text, t.cut = "fL", cutTail
	case "Lf8":
		text, t.cut = "Lf", cutLast
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		if strings.IndexByte("FfMmLl", c) < 0 {
			t.pieces = append(t.pieces, piece{literal: string(c)})
			continue
		}
		p := piece{token: c}
		if i+1 < len(text) && text[i+1] == '2' {
			p.token, p.letters = c&^0x20, 2
			i++
		}
		t.pieces = append(t.pieces, p)
	}
	t.Reads, t.strict = t.reads(), t.strictness()
	t.group, t.at = groupOf(t), t.place()
	return t
}

// reads writes a template for people: {first}.{last}, {f}{last}, {f}{last:2}, {f}{last}~8.
func (t Template) reads() string {
	names := map[byte]string{'F': "first", 'f': "f", 'M': "middle", 'm': "m", 'L': "last", 'l': "l"}
	var out strings.Builder
	for _, p := range t.pieces {
		switch {
		case p.token == 0:
			out.WriteString(p.literal)
		case p.letters > 0:
			out.WriteString("{" + names[p.token] + ":2}")
		default:
			out.WriteString("{" + names[p.token] + "}")
		}
	}
	if t.cut != uncut {
		out.WriteString("~8")
	}
	return out.String()
}

// strictness is whole, initial or loose by the tokens a template holds.
func (t Template) strictness() strict {
	var last, first, l, f bool
	for _, p := range t.pieces {
		last = last || p.token == 'L' && p.letters == 0
		first = first || p.token == 'F' && p.letters == 0
		l = l || p.token == 'l' || p.token == 'L'
		f = f || p.token == 'f' || p.token == 'F'
	}
	switch {
	case last && first:
		return whole
	case last && f, first && l:
		return initial
	}
	return loose
}

// hasMiddle reports whether the template needs a middle name.
func (t Template) hasMiddle() bool { return strings.ContainsAny(t.ID, "Mm") }

// Render makes the local part a template gives for tokens; false when a token it needs is unknown.
func Render(id string, tok Tokens) (string, bool) {
	i, ok := templates().byID[id]
	if !ok {
		return "", false
	}
	return templates().all[i].render(tok)
}

func (t Template) render(tok Tokens) (string, bool) {
	var out strings.Builder
	for _, p := range t.pieces {
		if p.token == 0 {
			out.WriteString(p.literal)
			continue
		}
		text := tok.of(p.token)
		if p.letters > 0 {
			text = asciiLetters(text)
			text = text[:min(p.letters, len(text))]
		}
		if text == "" {
			return "", false
		}
		out.WriteString(text)
	}
	return t.shorten(out.String(), tok)
}

// shorten cuts what the cut templates made.
func (t Template) shorten(made string, tok Tokens) (string, bool) {
	n := tok.CutLetters
	if n == 0 {
		n = 8
	}
	if t.cut == uncut || len(made) <= n {
		return made, true
	}
	if t.cut == cutTail {
		return made[:n], true
	}
	if keep := n - len(tok.F); keep > 0 {
		return tok.Last[:keep] + tok.F, true
	}
	return "", false
}

func (tok Tokens) of(token byte) string {
	switch token {
	case 'F':
		return tok.First
	case 'f':
		return tok.F
	case 'M':
		return tok.Middle
	case 'm':
		return tok.M
	case 'L':
		return tok.Last
	case 'l':
		return tok.L
	}
	return ""
}

// Readable is the form of a template id for people, or the id itself when it is not in the grammar.
func Readable(id string) string {
	if i, ok := templates().byID[id]; ok {
		return templates().all[i].Reads
	}
	return id
}

// IsTemplate tells a template's id from that of a shape outside the grammar.
func IsTemplate(id string) bool {
	_, ok := templates().byID[id]
	return ok
}

// PatternID is the template id of a readable form; false when no template reads so.
func PatternID(readable string) (string, bool) {
	i, ok := templates().byReads[readable]
	if !ok {
		return "", false
	}
	return templates().all[i].ID, true
}
