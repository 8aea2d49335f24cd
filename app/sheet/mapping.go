package sheet

import (
	"slices"
	"strings"
)

// Field is what the product needs to know of a person.
type Field string

// The fields a column can be mapped to.
const (
	FirstName Field = "first_name"
	LastName  Field = "last_name"
	FullName  Field = "full_name"
	Domain    Field = "domain" // a mail domain, a website, or any URL of the company
	Company   Field = "company"
	Email     Field = "email"
)

// Fields lists the fields in the order people expect them.
func Fields() []Field { return []Field{FirstName, LastName, FullName, Company, Domain, Email} }

// Mapping says which column (from 0) holds which field. A field that is absent
// is not in the file.
type Mapping map[Field]int

// Label is the field's name for people.
func (f Field) Label() string { return strings.ReplaceAll(string(f), "_", " ") }

// Least confidence with which a column is mapped without asking.
const leastConfidence = 0.3

// DetectMapping finds the column of each field by the names of the columns (if
// header says that the names are the file's own) and by what the rows hold. The
// second result is the confidence in each mapped field, 0..1: below 0.9 a person
// should be asked.
func DetectMapping(columns []string, rows [][]string, header bool) (Mapping, map[Field]float64) {
	n := len(columns)
	for _, row := range rows {
		n = max(n, len(row))
	}
	contents := make([]content, n)
	for i := range contents {
		contents[i] = judge(rows, i)
	}
	meanings := make([]meaning, n)
	if header {
		for i, name := range columns {
			meanings[i], _ = headerMeaning(name)
		}
		settleNames(meanings, contents)
		settleURLs(columns, meanings, contents)
	}
	bids := make([]bid, 0, n)
	for i := range n {
		bids = append(bids, bidsFor(i, meanings[i], contents[i])...)
	}
	m, sure := assign(bids)
	addSurname(m, sure, meanings, contents)
	dropDoubtfulFull(m, sure)
	return m, sure
}

// sureOfTwo is what is left of the confidence in a column whose claim another one shares.
const sureOfTwo = 0.9

// settleNames decides the names that mean different things beside others.
func settleNames(meanings []meaning, contents []content) {
	has := func(f Field) bool {
		return slices.ContainsFunc(meanings, func(m meaning) bool { return m.field == f })
	}
	first, last, full := has(FirstName), has(LastName), has(FullName)
	given := has(givenOrFull)
	for i := range meanings {
		m, c := &meanings[i], contents[i]
		switch m.field {
		case givenOrFull:
			switch {
			case first && last, first && full:
				m.field = otherColumn
			case c.company >= 0.5:
				m.field, m.sure = Company, 0.7
			case last || has(anyName):
				m.field = FirstName
			case c.full > c.given && c.full >= 0.5 || c.filled == 0:
				m.field, m.sure = FullName, m.sure-0.05
			default:
				m.field, m.sure = FirstName, 0.7
			}
		case anyName:
			settleAnyName(m, c, first || given, last, full)
		}
	}
	doubtFullNames(meanings, contents)
}

// doubtFullNames makes sure that somebody is asked where two columns claim the whole name, as "Nombre" and "Contacto" do.
func doubtFullNames(meanings []meaning, contents []content) {
	claims := 0
	for i, m := range meanings {
		if m.field == FullName && (contents[i].filled == 0 || contents[i].full > 0) {
			claims++
		}
	}
	for i := range meanings {
		if m := &meanings[i]; m.field == FullName && claims > 1 {
			m.sure *= sureOfTwo
		}
	}
}

// settleAnyName decides what "Name" is.
func settleAnyName(m *meaning, c content, first, last, full bool) {
	switch {
	case first && full && !last:
		m.field = LastName // "Prénom, Nom, Nom complet"
	case first && last, full:
		m.field = otherColumn
		if c.company >= 0.5 {
			m.field, m.sure = Company, 0.6
		}
	case c.company >= 0.5:
		m.field, m.sure = Company, 0.75
	case first:
		m.field, m.sure = LastName, m.sure-0.03
	case last:
		m.field, m.sure = FirstName, m.sure-0.05
	default:
		m.field, m.sure = FullName, m.sure-0.03
	}
}

// settleURLs makes a website of "URL", unless it leads to a social network or
// there is a better column, as in the export of LinkedIn's connections.
func settleURLs(columns []string, meanings []meaning, contents []content) {
	linkedIn := slices.ContainsFunc(columns, func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), "Connected On") })
	for i := range meanings {
		m, c := &meanings[i], contents[i]
		switch {
		case m.field == Domain && c.social >= 0.5:
			m.field = otherColumn
		case m.field != anyURL:
		case c.social > 0 || linkedIn:
			m.field = otherColumn
		case c.filled == 0:
			m.field, m.sure = Domain, 0.5
		default:
			m.field, m.sure = Domain, 0.8
		}
	}
}

// bid is a column's claim to a field.
type bid struct {
	field  Field
	column int
	sure   float64
}

// assign gives every field to the column that claims it best, a column to one
// field only. Equal claims go to the column further left.
func assign(bids []bid) (Mapping, map[Field]float64) {
	slices.SortStableFunc(bids, func(a, b bid) int {
		switch {
		case a.sure > b.sure:
			return -1
		case a.sure < b.sure:
			return 1
		}
		return a.column - b.column
	})
	m, sure, taken := Mapping{}, map[Field]float64{}, map[int]bool{}
	for _, b := range bids {
		if _, mapped := m[b.field]; mapped || taken[b.column] || b.sure < leastConfidence {
			continue
		}
		m[b.field], sure[b.field], taken[b.column] = b.column, min(b.sure, 0.99), true
	}
	return m, sure
}

// addSurname finds the surname of a file without header names: the column of
// name-like words beside the first names.
func addSurname(m Mapping, sure map[Field]float64, meanings []meaning, contents []content) {
	first, hasFirst := m[FirstName]
	if _, hasLast := m[LastName]; hasLast || !hasFirst {
		return
	}
	for _, i := range []int{first + 1, first - 1} {
		if i < 0 || i >= len(contents) || meanings[i].field != "" || slices.Contains(mapped(m), i) {
			continue
		}
		if c := contents[i]; c.word >= 0.7 && c.company < 0.3 && c.given < 0.6 {
			m[LastName], sure[LastName] = i, min(0.75, sure[FirstName])
			return
		}
	}
}

// dropDoubtfulFull forgets a full name that only the content suggests when the
// parts of the name are there.
func dropDoubtfulFull(m Mapping, sure map[Field]float64) {
	_, first := m[FirstName]
	_, last := m[LastName]
	if first && last && sure[FullName] < sureWord {
		delete(m, FullName)
		delete(sure, FullName)
	}
}

func mapped(m Mapping) []int {
	var list []int
	for _, i := range m {
		list = append(list, i)
	}
	return list
}
