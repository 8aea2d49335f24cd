package mailworld

import (
	"bytes"
	"encoding/csv"
	"strings"
)

// ContactsCSV is the list of all people of the world: comma, UTF-8, header
// "First Name,Last Name,Company,Website,Job Title,City", companies mixed, websites in several shapes.
func (w *World) ContactsCSV() []byte {
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	write(out, "First Name", "Last Name", "Company", "Website", "Job Title", "City")
	for _, t := range w.rows {
		first := t.Person.First
		if t.Person.Middle != "" {
			first += " " + t.Person.Middle
		}
		write(out, first, t.Person.Last, t.Company.Name, website(t.Company.Domain, t.Row), t.Person.Title, t.Person.City)
	}
	out.Flush()
	return b.Bytes()
}

// CSV is the same list as plain columns first, last, domain.
func (w *World) CSV() []byte {
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	write(out, "first", "last", "domain")
	for _, t := range w.rows {
		write(out, t.Person.First, t.Person.Last, t.Company.Domain)
	}
	out.Flush()
	return b.Bytes()
}

// write cannot fail: the writer ends in memory.
func write(out *csv.Writer, cells ...string) { _ = out.Write(cells) }

// website writes a domain the way people paste it.
func website(domain string, n int) string {
	switch n % 8 {
	case 0, 1:
		return "https://www." + domain
	case 2:
		return "https://www." + domain + "/about"
	case 3, 4:
		return domain
	case 5:
		return "www." + domain
	case 6:
		return "http://" + domain + "/"
	}
	return "https://" + strings.ToUpper(domain[:1]) + domain[1:] + "/en/contact?ref=list"
}
