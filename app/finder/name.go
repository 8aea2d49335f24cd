package finder

import (
	"sort"
	"strings"
)

// Bounds on names, so that a hostile cell costs no more than an honest one.
const (
	maxCellBytes    = 1024 // before anything is looked at
	maxCellRunes    = 160  // after Unicode compatibility folding
	maxWords        = 12   // words of one name
	maxWordLetters  = 40   // letters of one word, as romanised
	maxForms        = 10   // ways of writing one part
	maxSpellings    = 5    // romanisations of one word
	maxDisplayRunes = 120  // of a part as shown to people
)

// Kind says how a Form came from the name as typed; "" is the plain one.
type Kind string

// Kinds of Form. The shares behind their weights were measured on 21,541 people of 6,963 domains.
const (
	KindPlain            Kind = ""
	KindRespelled        Kind = "respelled"  // ü as ue, ø as oe, å as aa
	KindRomanised        Kind = "romanised"  // one of several romanisations
	KindNickname         Kind = "nickname"   // Bob for Robert, or Robert for Bob
	KindQuoted           Kind = "quoted"     // a nickname given with the name: Robert (Bob)
	KindJoined           Kind = "joined"     // jeanpierre, vanderberg, garciamarquez
	KindHyphened         Kind = "hyphened"   // jean-pierre
	KindDotted           Kind = "dotted"     // van.der.berg
	KindUnderscored      Kind = "underscore" // van_der_berg
	KindFirstPart        Kind = "first part" // garcia of García Márquez
	KindLastPart         Kind = "last part"  // silva of Souza e Silva
	KindNoParticle       Kind = "no particle"
	KindParticleInitials Kind = "particle initials" // vdberg
	KindApostrophe       Kind = "apostrophe"        // o'brien
)

// Form is one way a part of a name is written in addresses: lower-case ASCII letters, and "-", ".",
// "_" or "'" between them. The weights of a part's forms sum to 1.
type Form struct {
	Text   string  `json:"text"`
	Weight float64 `json:"weight"`
	Kind   Kind    `json:"kind,omitempty"`
	hand   hand
}

// hand says which way a form writes the letters of twoWays; 0 is a form without such letters.
type hand int8

const (
	oneLetter hand = iota + 1
	twoLetters
)

func form(text string, weight float64, kind Kind) Form {
	return Form{Text: text, Weight: weight, Kind: kind}
}

// by gives a form the hand of the forms it was made from.
func (f Form) by(from ...Form) Form {
	for _, o := range from {
		f.hand = max(f.hand, o.hand)
	}
	return f
}

// Part is one part of a name: Text as people write it, Forms as addresses do, Initials as addresses
// abbreviate it ("j", or "jp" for Jean-Pierre). Forms is empty when only an initial is known.
type Part struct {
	Text     string
	Forms    []Form
	Initials []Form
	words    words // why there are several forms
}

// Known reports whether anything at all is known of the part.
func (p Part) Known() bool { return len(p.Forms) > 0 || len(p.Initials) > 0 }

// Name is a person's name as weighted ways of writing its parts, not as one guess.
type Name struct {
	First, Middle, Last Part
	Swapped             float64  // P(First and Last are the other way round)
	Notes               []string // what was dropped or guessed while reading it, in words
	twoLetters          float64  // P(umlauts are written with two letters)
}

// Refusal is why a cell cannot be used: a machine-readable reason and a sentence for people.
type Refusal struct {
	Reason   string
	Sentence string
}

func (r *Refusal) Error() string { return r.Sentence }

func refuse(sentence string) error { return &Refusal{Reason: ReasonBadInput, Sentence: sentence} }

// ParseName reads a name from a first and a last name cell, from a full name cell, or from both (the
// two cells win when both can be used). The error is always a *Refusal.
func ParseName(first, last, full string) (Name, error) {
	return parseName(first, last, full, "")
}

// parseName reads a name for a region of the priors, which says how umlauts and several surnames are
// written there; "" knows nothing of the place.
func parseName(first, last, full, region string) (Name, error) {
	r, err := readCells(first, last, full)
	if err != nil {
		return Name{}, err
	}
	n := r.name(region)
	if !n.First.Known() && !n.Last.Known() {
		return Name{}, refuse("There is no name here that can be written in an address.")
	}
	return n, nil
}

// readCells chooses between the two cells and the full name.
func readCells(first, last, full string) (reading, error) {
	f, ferr := cleanCell("first name", first)
	l, lerr := cleanCell("last name", last)
	if ferr == nil && lerr == nil && !f.empty() && !l.empty() {
		return readColumns(f, l)
	}
	w, werr := cleanCell("full name", full)
	if werr == nil && !w.empty() {
		return readFull(w)
	}
	for _, err := range []error{ferr, lerr, werr} {
		if err != nil {
			return reading{}, err
		}
	}
	switch {
	case !f.empty():
		return readFull(f)
	case !l.empty():
		return readLastOnly(l)
	}
	return reading{}, refuse("There is no name in this row.")
}

// reading is a name in words, before it is written the way addresses are.
type reading struct {
	given, middle, family []string
	nick                  string // given in brackets or quotes
	swapped               float64
	notes                 []string
}

// name writes every part of the reading in the ways addresses do.
func (r reading) name(region string) Name {
	all := strings.Join(append(append(append([]string{}, r.given...), r.middle...), r.family...), " ")
	sp := speller{twoLetters: twoLetterShare(all, region), region: region, all: all}
	n := Name{Swapped: r.swapped, Notes: r.notes, twoLetters: sp.twoLetters}
	n.First = sp.given(r.given, r.nick)
	n.Middle = sp.middle(r.middle)
	if len(r.middle) == 0 && len(r.given) > 1 && !isInitial(r.given[0]) {
		n.Middle = sp.middle(r.given[1:])
	}
	n.Last = sp.family(r.family)
	n.First.words, n.Last.words = wordsOf(n.First), wordsOf(n.Last)
	return n
}

// settle merges equal forms, orders them by weight, keeps the best maxForms and makes them sum to 1.
func settle(forms []Form) []Form {
	at := map[string]int{}
	var out []Form
	for _, f := range forms {
		if f.Text == "" || f.Weight <= 0 {
			continue
		}
		if i, ok := at[f.Text]; ok {
			out[i].Weight += f.Weight
			continue
		}
		at[f.Text] = len(out)
		out = append(out, f)
	}
	sort.SliceStable(out, func(i, j int) bool {
		if out[i].Weight != out[j].Weight {
			return out[i].Weight > out[j].Weight
		}
		return out[i].Text < out[j].Text
	})
	if len(out) > maxForms {
		out = out[:maxForms]
	}
	var sum float64
	for _, f := range out {
		sum += f.Weight
	}
	for i := range out {
		out[i].Weight /= sum
	}
	return out
}
