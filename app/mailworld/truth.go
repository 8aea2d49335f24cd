package mailworld

import "strings"

// The kinds of truth: what a perfect finder says of a row.
const (
	KindFound         = "found"          // Email is the person's, and the server tells
	KindAbsent        = "absent"         // the person has no (working) mailbox, and the server tells
	KindAcceptAll     = "accept_all"     // the server takes every address
	KindUnknown       = "unknown"        // the server or the DNS does not tell
	KindInvalidDomain = "invalid_domain" // the domain takes no mail
	KindJunk          = "junk"           // the row names no person at a domain: whatever is said of it, no address may be
)

// Truth is the right answer to one row of a sample file.
type Truth struct {
	Row       int      // data row, from 1
	Person    *Person  // nil for junk
	Company   *Company // nil for junk
	Email     string   // the person's working mailbox, known to the world even where the server does not tell; "" = none
	Kind      string
	OrUnknown bool // "unknown" is right as well: absent people where a refusal does not prove it
}

// Expected is the truth about a person by full name, or first and last name with a space between them, and mail domain.
// Row is the row of ContactsCSV.
func (w *World) Expected(name, domain string) (Truth, bool) {
	i, ok := w.index[indexKey(name, domain)]
	if !ok {
		return Truth{}, false
	}
	return w.rows[i], true
}

// ContactsTruth are the right answers to the rows of ContactsCSV, in their order.
func (w *World) ContactsTruth() []Truth { return append([]Truth(nil), w.rows...) }

// Truths are the right answers to the rows of CSV, in their order. They are those of ContactsCSV.
func (w *World) Truths() []Truth { return w.ContactsTruth() }

func truthOf(c *Company, p *Person) Truth {
	traits := c.Behaviour.traits()
	t := Truth{Person: p, Company: c, Email: p.Email, Kind: traits.kind}
	if p.Disabled {
		t.Email = ""
	}
	if t.Kind == KindFound && t.Email == "" {
		t.Kind = KindAbsent
	}
	t.OrUnknown = traits.orUnknown && t.Email == "" && !p.Disabled
	return t
}

// shuffledRows mixes the people of all companies as a real contact list does.
func shuffledRows(companies []Company, seed int64) []Truth {
	var rows []Truth
	for i := range companies {
		c := &companies[i]
		for j := range c.People {
			rows = append(rows, truthOf(c, &c.People[j]))
		}
	}
	shuffle(&dice{state: uint64(seed) ^ 0x726f7773}, rows)
	for i := range rows {
		rows[i].Row = i + 1
	}
	return rows
}

func indexRows(rows []Truth) map[string]int {
	index := make(map[string]int, 2*len(rows))
	for i, t := range rows {
		index[indexKey(t.Person.Full, t.Company.Domain)] = i
		index[indexKey(t.Person.First+" "+t.Person.Last, t.Company.Domain)] = i
	}
	return index
}

func indexKey(name, domain string) string {
	return strings.ToLower(strings.TrimSpace(name)) + "@" + strings.ToLower(domain)
}
