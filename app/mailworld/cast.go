package mailworld

import (
	"strings"
	"unicode"
)

const maxDraws = 2000 // names tried for one person before a company stays smaller

// strictForms hold at least one whole name and an initial of the other: two people of one company never share one, so
// a mailbox under such a form of a name belongs to its bearer. `first`, `last`, `fl` and the like say less. Read only.
var strictForms = strings.Fields("F.L F_L F-L FL f.L f_L f-L fL L.F L_F L-F LF L.f L_f L-f Lf F.l F_l F-l Fl l.F lF f2L FL2 fL8")

// deviantForms are what people use who do not follow their company's pattern. Read only.
var deviantForms = strings.Fields("F.L fL f.L FL")

// registry fills one company with people whose addresses cannot be taken for one another's.
type registry struct {
	company  *Company
	spelling spelling
	claims   map[string]bool // what anybody's address could be under a strict form or the company's pattern
	boxes    map[string]bool // local parts in use
}

func newRegistry(c *Company, sp spelling) *registry {
	r := &registry{company: c, spelling: sp, claims: map[string]bool{}, boxes: map[string]bool{}}
	for _, role := range c.Roles {
		r.boxes[role] = true
	}
	return r
}

// admit adds a person with an address under form ("" = no mailbox) and one under each of aliases, unless one of them
// could be taken for somebody else's or somebody else's for the person's.
func (r *registry) admit(p Person, form string, aliases ...string) bool {
	for _, q := range r.company.People {
		if q.First == p.First && q.Last == p.Last {
			return false
		}
	}
	claims := looks(p.First, p.Last, r.company.Pattern)
	for claim := range claims {
		if r.boxes[claim] {
			return false
		}
	}
	var locals []string
	if form != "" {
		for _, f := range append([]string{form}, aliases...) {
			local := r.local(p, f)
			if r.boxes[local] || r.claims[local] {
				return false
			}
			locals = append(locals, local)
		}
	}
	for i, local := range locals {
		r.boxes[local] = true
		if i == 0 {
			p.Email = local + "@" + r.company.Domain
		} else {
			p.Aliases = append(p.Aliases, local+"@"+r.company.Domain)
		}
	}
	for claim := range claims {
		r.claims[claim] = true
	}
	r.company.People = append(r.company.People, p)
	return true
}

func (r *registry) local(p Person, form string) string {
	sp := r.spelling
	if p.Culture == "portuguese" && sp.two == "first" { // the father's name stands last
		sp.two = "last"
	}
	return localPart(form, sp.givenToken(p.First), sp.surnameToken(p.Last))
}

// draw adds an invented person; false when the company's pattern has no free address left in these cultures.
func (r *registry) draw(d *dice, cultureIDs []string, form string) bool {
	for try := range maxDraws {
		id := cultureIDs[0]
		switch {
		case try > maxDraws/2:
			id = cultures[d.n(len(cultures))].id
		case d.chance(25):
			id = pick(d, cultureIDs)
		}
		if r.admit(invent(d, cultureOf(id)), form) {
			return true
		}
	}
	return false
}

// invent puts a person together.
func invent(d *dice, c *culture) Person {
	given, family := d.n(len(c.given)), d.n(len(c.family))
	if c.gendered {
		family = family&^1 | given&1
	}
	p := Person{First: c.given[given], Last: c.family[family], Culture: c.id, Title: pick(d, titles), City: pick(d, c.cities)}
	if d.chance(c.twoNames) {
		if second := pick(d, c.family); second != p.Last && !strings.Contains(p.Last+second, " ") {
			p.Last += c.joint + second
		}
	}
	if d.chance(c.middle) {
		p.Middle = string(rune('A'+d.n(20))) + "."
	}
	p.Full = fullName(p)
	return p
}

func fullName(p Person) string {
	if p.Middle != "" {
		return p.First + " " + p.Middle + " " + p.Last
	}
	return p.First + " " + p.Last
}

// looks lists every local part that could be this person's: all strict forms and the company's pattern, in every spelling.
func looks(first, last, pattern string) map[string]bool {
	givens, surnames := spellings(first, last)
	all := make(map[string]bool, len(strictForms)*len(givens)*len(surnames))
	for _, given := range givens {
		for _, surname := range surnames {
			for _, form := range strictForms {
				all[localPart(form, given, surname)] = true
			}
			all[localPart(pattern, given, surname)] = true
		}
	}
	return all
}

// spellings are the tokens that any company could make of a name.
func spellings(first, last string) (givens, surnames []string) {
	if plain(first) && plain(last) {
		return []string{strings.ToLower(first)}, []string{strings.ToLower(last)}
	}
	hows := []string{"keep", "join", "first"}
	for _, expand := range []bool{false, true} {
		for _, how := range hows {
			givens = appendNew(givens, spelling{expand: expand, given: how}.givenToken(first))
			for _, two := range []string{"first", "join", "last"} {
				for _, lead := range []string{"join", "drop"} {
					surnames = appendNew(surnames, spelling{expand: expand, surname: how, two: two, particles: lead}.surnameToken(last))
				}
			}
		}
		givens = appendNew(givens, lastWord(first, expand))
		surnames = appendNew(surnames, lastWord(last, expand))
	}
	return givens, surnames
}

// lastWord is the second of two names, hyphenated or not.
func lastWord(name string, expand bool) string {
	words := strings.FieldsFunc(fold(name, expand), func(r rune) bool { return r == ' ' || r == '-' })
	return words[len(words)-1]
}

func plain(s string) bool {
	for _, r := range s {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) {
			return false
		}
	}
	return true
}

func appendNew(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}
