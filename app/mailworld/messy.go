package mailworld

import (
	"bytes"
	"encoding/csv"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// mess is one row of the untidy sample before a person is put into it.
type mess struct {
	domain  string // "" = names nobody
	n       int    // which of the company's people, counting those whose names Windows-1252 can write
	contact string // {first} {last} {FIRST} {LAST} stand for the names
	site    string // {domain}, {DOMAIN}
	note    string
}

const (
	hofmann   = "hofmann-kessler.example"
	festung   = "festung-versicherung.example"
	montclair = "atelier-montclair.example"
	verdemar  = "verdemar.example"
	lindqvist = "lindqvist-dahl.example"
	houtven   = "vanhoutven.test"
	bonacorte = "bonacorte.test"
	solano    = "solano-imoveis.example"
	alder     = "alderbrook.example"
	nullarbor = "nullarbor.test"
)

// messes is read only.
var messes = []mess{
	{hofmann, 2, "Dr. {first} {last}", "https://www.{domain}/kontakt", "Messe Hannover, Halle 4"},
	{hofmann, 2, "{last}, {first}", "www.{domain}", "doppelt?"},
	{verdemar, 0, "{LAST}, {first}", "https://{domain}/empresa/equipo.html", "Rückruf nächste Woche"},
	{"", 0, "", "", ""},
	{hofmann, 3, "{first} {last} ", "{domain}", "+49 30 1234"},
	{montclair, 0, "M. {first} {last}", "http://www.{domain}/contact?lang=fr", "parle français"},
	{"", 0, "n/a", "www.hofmann-kessler.example", "Name unbekannt"},
	{hofmann, 4, "Frau {first} {last}", "https://www.{domain}/", "=1+1"},
	{lindqvist, 0, "{first} {last}", "{domain}", "Erstkontakt:\nMesse Kopenhagen\nDienstag 10:30"},
	{houtven, 0, "{first} {last}", "https://{domain}/over-ons", "spricht \"gut\" Deutsch"},
	{"", 0, "+49 711 5550123", "www.hofmann-kessler.example", "nur Telefon"},
	{festung, 0, "Herr {first} {last}", "https://www.{domain}/team#vertrieb", ""},
	{festung, 1, "{first}\u00a0{last}", "www.{domain}", "geschütztes Leerzeichen"},
	{verdemar, 1, "{first} {LAST}", "WWW.{DOMAIN}", ""},
	{hofmann, 5, "Dipl.-Ing. {first} {last}", "https://{domain}/de/unternehmen/", "Technik; Einkauf"},
	{"", 0, "#REF!", "#REF!", "#REF!"},
	{montclair, 1, "M. {LAST} {first}", "", "ohne Webseite"},
	{montclair, 3, "{first}  {last}", "https://www.{domain}", "à rappeler"},
	{solano, 0, "{first} {last}", "https://www.{domain}/pt", ""},
	{hofmann, 2, "Dr. {first} {last}", "https://www.{domain}/kontakt", "Messe Hannover, Halle 4"},
	{"", 0, "Hofmann & Kessler Maschinenbau GmbH", "www.hofmann-kessler.example", "Zentrale"},
	{bonacorte, 0, "Dott.ssa {first} {last}", "{domain}", "50 % Rabatt"},
	{bonacorte, 1, "{last}, {first}", "http://{domain}", "-5"},
	{alder, 0, "{first} {last}, MBA", "https://www.{domain}/people", "@SUMME(A1:A3)"},
	{alder, 2, "{first} {last}", "https://www.{domain}/people", "hat die Firma verlassen?"},
	{lindqvist, 2, "{FIRST} {LAST}", "https://{domain}", ""},
	{"", 0, "-", "-", "-"},
	{hofmann, 1, "{first} {last}", "{domain}/impressum", "Kollege von Frau Weber"},
	{hofmann, 0, "{first} {last} (Einkauf)", "www.{domain}", "zuständig für \"Teile\""},
	{festung, 2, "Prof. Dr. {first} {last}", "https://www.{domain}", ""},
	{houtven, 1, "{last}, {first}", "www.{domain}", "terugbellen"},
	{"", 0, "=HYPERLINK(\"http://www.nullarbor.test\";\"hier\")", "", "aus dem Altsystem"},
	{verdemar, 2, "Sr. {first} {last}", "{domain}", "llamar mañana"},
	{verdemar, 3, "{last}, {first}", "https://www.{domain}/contacto", ""},
	{nullarbor, 0, "{first} {last}", "https://{domain}", "Mails kommen zurück"},
	{montclair, 5, "{first} {last}", "{domain}", "Adresse:\n12, rue de l'Église\nLyon"},
	{"", 0, "???", "www.verdemar.example", ""},
	{hofmann, 6, "\t{first} {last}", "https://www.{domain}/kontakt/", ""},
	{hofmann, 7, "{first} {last}\u00a0", "HTTP://WWW.{DOMAIN}/Impressum.html", "alles groß"},
	{solano, 1, "{LAST}, {first}", "www.{domain}", "Preis: 1.250 €"},
	{lindqvist, 4, "{first} {last}", "https://{domain}/om-oss?utm_source=messe&x=1", ""},
	{"", 0, "12345", "hofmann-kessler.example", "Kundennummer"},
	{festung, 3, "{last},{first}", "{domain}", ""},
	{festung, 4, "{first} {last}", "vertrieb@{domain}", "Adresse statt Webseite"},
	{bonacorte, 2, "{first} {last}", "https://www.{domain}/it/", ""},
	{verdemar, 0, "{LAST}, {first}", "https://{domain}/empresa/equipo.html", "Rückruf nächste Woche"},
	{houtven, 3, "Ir. {first} {last}", "{domain}", ""},
	{"", 0, "siehe Liste vom letzten Jahr", "", ""},
	{hofmann, 9, "Dr.-Ing. {first} {last}", "www.{domain}", "=SUMME(B2:B9)"},
	{montclair, 8, "{LAST} {first}", "", "zweite Zeile fehlt"},
	{alder, 4, "{first} {last}", "{domain}", ""},
	{alder, 1, "Ms {first} {last}", "https://{domain}/", "– neu –"},
	{"", 0, "n/a", "n/a", "n/a"},
	{lindqvist, 6, "{last}, {first}", "{domain}", "„wichtig“"},
	{bonacorte, 3, "{first} {LAST}", "www.{domain}/", ""},
	{festung, 5, "{first} {last}", "https://www.{domain}:443/", ""},
	{hofmann, 2, "dr. {first} {last}", "{domain}", "schon dreimal da"},
	{"", 0, "Atelier Montclair", "www.atelier-montclair.example", "Firma in falscher Spalte"},
	{houtven, 5, "{first} {last}", "www.{domain}", ""},
	{"", 0, "", "www.verdemar.example", "Kontakt folgt"},
}

type messyRow struct {
	cells []string
	truth Truth
}

func (w *World) messyRows() []messyRow {
	rows := make([]messyRow, 0, len(messes))
	for i, m := range messes {
		row := messyRow{cells: []string{m.contact, "", m.site, m.note}, truth: Truth{Kind: KindJunk}}
		if m.domain != "" {
			row = w.messyPerson(m)
		}
		row.truth.Row = i + 1
		rows = append(rows, row)
	}
	return rows
}

// messyPerson writes the n-th writable person of a company. Without a website the row leads to no domain and is junk.
func (w *World) messyPerson(m mess) messyRow {
	c, p := w.writable(m.domain, m.n)
	fill := strings.NewReplacer("{first}", p.First, "{last}", p.Last, "{FIRST}", strings.ToUpper(p.First),
		"{LAST}", strings.ToUpper(p.Last), "{domain}", m.domain, "{DOMAIN}", strings.ToUpper(m.domain))
	row := messyRow{cells: []string{fill.Replace(m.contact), c.Name, fill.Replace(m.site), m.note}, truth: truthOf(c, p)}
	if m.site == "" {
		row.cells[1] = ""
		row.truth = Truth{Kind: KindJunk}
	}
	return row
}

// writable finds the n-th of a company's people whose name Windows-1252 has letters for, counting round.
func (w *World) writable(domain string, n int) (*Company, *Person) {
	for i := range w.companies {
		c := &w.companies[i]
		if c.Domain != domain {
			continue
		}
		var able []*Person
		for j := range c.People {
			if _, err := charmap.Windows1252.NewEncoder().String(c.People[j].Full); err == nil {
				able = append(able, &c.People[j])
			}
		}
		return c, able[n%len(able)]
	}
	return &Company{}, &Person{}
}

// MessyCSV is a list as people really have it: semicolons, Windows-1252, CRLF, header "Kontakt;Firma;Webseite;Notiz",
// whole names in one column and rows that name nobody. Only the demo world has one; others return nil.
func (w *World) MessyCSV() []byte {
	if w.messy == nil {
		return nil
	}
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	out.Comma, out.UseCRLF = ';', true
	write(out, "Kontakt", "Firma", "Webseite", "Notiz")
	for _, row := range w.messy {
		write(out, row.cells...)
	}
	out.Flush()
	// Every letter of the rows has its place in Windows-1252 (a test holds that); others would become SUB.
	encoded, _ := charmap.Windows1252.NewEncoder().Bytes(b.Bytes())
	return encoded
}

// MessyTruth are the right answers to the rows of MessyCSV, in their order.
func (w *World) MessyTruth() []Truth {
	truths := make([]Truth, len(w.messy))
	for i, row := range w.messy {
		truths[i] = row.truth
	}
	return truths
}
