package mailworld

import "strings"

// demoSeed fixes the demo world: another one gives other sample files.
const demoSeed = 20261121

// sketch is a company of the demo world before its people are drawn.
type sketch struct {
	name, domain string
	behaviour    Behaviour
	pattern      string
	cultures     string // ids; the first is that of most people
	present      int    // people with a mailbox, beside those of cast
	absent       int    // people without one
	deviants     int    // of present, with an address under another strict form
	flagged      int    // of present, what the behaviour is about
	spelling     spelling
	cast         []part
}

// part is a person of the demo world who is there for a reason.
type part struct {
	first, last, culture string
	form                 string // "" = has no mailbox, "=" = the company's pattern
	alias                string // a loose form under which the mailbox answers too: a trap for namesakes
}

var (
	plainSpelling  = spelling{given: "keep", surname: "keep", two: "first", particles: "join"}
	germanSpelling = spelling{expand: true, given: "keep", surname: "keep", two: "first", particles: "join"}
	joinedSpelling = spelling{given: "join", surname: "join", two: "join", particles: "join"}
)

// demoCompanies is read only.
var demoCompanies = []sketch{
	{name: "Alderbrook Consulting", domain: "alderbrook.example", behaviour: Accurate, pattern: "F.L", cultures: "english irish indian",
		present: 15, absent: 2, deviants: 1, spelling: joinedSpelling, cast: []part{
			{"Emma", "Clarke", "english", "=", "F"}, {"Emma", "Hughes", "english", "=", ""}, {"Emma", "Whitfield", "english", "", ""},
			{"Ciarán", "O'Brien", "irish", "=", ""},
		}},
	{name: "Brightwater Logistics", domain: "brightwater.example", behaviour: Accurate, pattern: "fL", cultures: "english indian polish",
		present: 14, absent: 2, deviants: 1, spelling: joinedSpelling, cast: []part{
			{"Oliver", "Marsh", "english", "=", "F"}, {"Oliver", "Tate", "english", "", ""},
			{"Rebecca", "Ashworth-Lowe", "english", "=", ""},
		}},
	{name: "Hofmann & Kessler Maschinenbau", domain: "hofmann-kessler.example", behaviour: Accurate, pattern: "F.L", cultures: "german turkish",
		present: 16, absent: 2, spelling: germanSpelling, cast: []part{
			{"Sabine", "Weber", "german", "=", "L"}, {"Torsten", "Weber", "german", "", ""}, {"Jürgen", "Müller", "german", "=", ""},
			{"Hans-Peter", "Groß", "german", "=", ""},
		}},
	{name: "Lindqvist & Dahl", domain: "lindqvist-dahl.example", behaviour: Accurate, pattern: "F.L", cultures: "nordic",
		present: 14, absent: 2, deviants: 1, spelling: plainSpelling, cast: []part{{"Søren", "Nygaard", "nordic", "=", ""}}},
	{name: "Alimentos Verdemar", domain: "verdemar.example", behaviour: Accurate, pattern: "F.L", cultures: "spanish",
		present: 14, absent: 2, spelling: plainSpelling, cast: []part{{"María", "García López", "spanish", "=", ""}}},
	{name: "Atelier Montclair", domain: "atelier-montclair.example", behaviour: Accurate, pattern: "f.L", cultures: "french arabic",
		present: 14, absent: 2, spelling: plainSpelling, cast: []part{{"Jean-Pierre", "Lefèvre", "french", "=", ""}}},
	{name: "Van Houtven Papier", domain: "vanhoutven.test", behaviour: Accurate, pattern: "f.L", cultures: "dutch",
		present: 13, absent: 2, spelling: joinedSpelling, cast: []part{{"Sanne", "van den Berg", "dutch", "=", ""}}},
	{name: "Bonacorte Design", domain: "bonacorte.test", behaviour: Accurate, pattern: "FL", cultures: "italian",
		present: 11, absent: 1, spelling: joinedSpelling},
	{name: "Nowa Fabryka", domain: "nowafabryka.test", behaviour: Accurate, pattern: "fL", cultures: "polish czech",
		present: 13, absent: 2, spelling: joinedSpelling},
	{name: "Hanabi Instruments", domain: "hanabi-instruments.example", behaviour: Accurate, pattern: "L.F", cultures: "japanese",
		present: 9, absent: 1, spelling: joinedSpelling},
	{name: "Jadeport Electronics", domain: "jadeport.example", behaviour: Accurate, pattern: "F.L", cultures: "chinese korean english",
		present: 11, absent: 1, spelling: joinedSpelling},
	{name: "Pinecrest Robotics", domain: "pinecrest.test", behaviour: AccurateSmall, pattern: "F", cultures: "english chinese indian",
		present: 7, absent: 1, spelling: joinedSpelling},
	{name: "Oakmere Studio", domain: "oakmere.test", behaviour: AccurateSmall, pattern: "F.L", cultures: "english greek",
		present: 5, absent: 1, spelling: joinedSpelling},
	{name: "Kestrel Capital", domain: "kestrel-capital.example", behaviour: CatchAll, pattern: "F.L", cultures: "english slavic",
		present: 9, absent: 2, spelling: joinedSpelling},
	{name: "Solano Imóveis", domain: "solano-imoveis.example", behaviour: CatchAll, pattern: "fL", cultures: "portuguese",
		present: 6, absent: 1, spelling: plainSpelling},
	{name: "Greyfriars Legal", domain: "greyfriars.example", behaviour: Greylist, pattern: "F.L", cultures: "english irish",
		present: 7, absent: 2, spelling: joinedSpelling},
	{name: "Thornbury Freight", domain: "thornbury-freight.example", behaviour: TempFail, pattern: "fL", cultures: "english",
		present: 3, spelling: joinedSpelling},
	{name: "Ironvale Security", domain: "ironvale.test", behaviour: PolicyBlock, pattern: "F.L", cultures: "english", present: 3, absent: 1, spelling: joinedSpelling},
	{name: "Castellan Systems", domain: "castellan.test", behaviour: BannerBlock, pattern: "F.L", cultures: "english", present: 3, spelling: joinedSpelling},
	{name: "Meridian Press", domain: "meridian-press.example", behaviour: FullMailbox, pattern: "F.L", cultures: "english arabic",
		present: 6, absent: 1, flagged: 2, spelling: joinedSpelling},
	{name: "Quarry Lane Services", domain: "quarrylane.example", behaviour: Disabled, pattern: "F_L", cultures: "english",
		present: 6, absent: 1, flagged: 2, spelling: joinedSpelling},
	{name: "Nullarbor Shipping", domain: "nullarbor.test", behaviour: NullMX, pattern: "F.L", cultures: "english", present: 3, spelling: joinedSpelling},
	{name: "Ghostlight Media", domain: "ghostlight.test", behaviour: NoMX, pattern: "F.L", cultures: "english", present: 3, spelling: joinedSpelling},
	{name: "Saltmarsh Pottery", domain: "saltmarsh.test", behaviour: ImplicitMX, pattern: "Fl", cultures: "english", present: 4, absent: 1, spelling: joinedSpelling},
	{name: "Vanished Ventures", domain: "vanished-ventures.example", behaviour: NXDomain, pattern: "F", cultures: "english", present: 3, spelling: joinedSpelling},
	{name: "Deadbolt Locks", domain: "deadbolt.test", behaviour: Refused, pattern: "F.L", cultures: "english", present: 3, spelling: joinedSpelling},
	{name: "Molasses Mills", domain: "molasses-mills.example", behaviour: Slow, pattern: "F.L", cultures: "english", present: 3, absent: 1, spelling: joinedSpelling},
	{name: "Quietwater Spa", domain: "quietwater.test", behaviour: Silent, pattern: "F.L", cultures: "english", present: 2, spelling: joinedSpelling},
	{name: "Festung Versicherung", domain: "festung-versicherung.example", behaviour: TLSRequired, pattern: "F.L", cultures: "german",
		present: 7, absent: 1, spelling: germanSpelling},
	{name: "Doublegate Software", domain: "doublegate.test", behaviour: BackupMX, pattern: "fL", cultures: "indian english", present: 7, absent: 1, spelling: joinedSpelling},
	{name: "Onegate Parking", domain: "onegate.example", behaviour: OneRcpt, pattern: "F.L", cultures: "english", present: 4, absent: 1, spelling: joinedSpelling},
	{name: "Oldfield Antiques", domain: "oldfield-antiques.example", behaviour: HeloOnly, pattern: "F.L", cultures: "english", present: 4, absent: 1, spelling: joinedSpelling},
	{name: "Brokenbridge Advisors", domain: "brokenbridge.test", behaviour: ServFail, pattern: "F.L", cultures: "english", present: 3, spelling: joinedSpelling},
	{name: "Tenantry Cloud", domain: "tenantry.example", behaviour: Microsoft, pattern: "F.L", cultures: "english spanish", present: 8, absent: 1, spelling: plainSpelling},
	{name: "Pelican Apps", domain: "pelican-apps.example", behaviour: Rate250, pattern: "F.L", cultures: "english korean", present: 6, absent: 1, flagged: 1, spelling: joinedSpelling},
	{name: "Snapshut Doors", domain: "snapshut.test", behaviour: ClosesEarly, pattern: "F.L", cultures: "english", present: 3, spelling: joinedSpelling},
	{name: "Verbose Publishing", domain: "verbose-publishing.example", behaviour: LongBanner, pattern: "F.L", cultures: "english", present: 4, absent: 1, spelling: joinedSpelling},
	{name: "Anadolu Tekstil", domain: "anadolu-tekstil.example", behaviour: PlainText, pattern: "F.L", cultures: "turkish", present: 7, absent: 1, spelling: joinedSpelling},
}

// Demo is the fixed world of examples/contacts.csv and examples/messy.csv.
func Demo() *World { return DemoWith(Options{Latency: demoLatency}) }

// DemoWith is the demo world with another Latency, Port, DNSPort or GreylistFor; the other options have no effect.
func DemoWith(o Options) *World {
	o.Seed = demoSeed
	companies := make([]Company, len(demoCompanies))
	for i, s := range demoCompanies {
		companies[i] = s.draw(demoSeed)
	}
	w := build(o, companies)
	w.messy = w.messyRows()
	return w
}

// draw fills the company with dice of its own, so that a change of one sketch leaves the others as they were.
func (s sketch) draw(seed int64) Company {
	d := &dice{state: uint64(seed) ^ hash(s.domain)}
	c := Company{Name: s.name, Domain: s.domain, Behaviour: s.behaviour, Pattern: s.pattern, Roles: roles()}
	r := newRegistry(&c, s.spelling)
	for _, p := range s.cast {
		r.appoint(d, p)
	}
	ids := strings.Fields(s.cultures)
	if s.behaviour.traits().kind == KindInvalidDomain {
		s.present, s.absent = 0, s.present+s.absent
	}
	for i := range s.present {
		form := s.pattern
		if i < s.deviants {
			form = otherForm(d, s.pattern)
		}
		r.draw(d, ids, form)
	}
	for range s.absent {
		r.draw(d, ids, "")
	}
	c.flag(s.flagged)
	return c
}

func (r *registry) appoint(d *dice, q part) {
	c := cultureOf(q.culture)
	p := Person{First: q.first, Last: q.last, Culture: c.id, Title: pick(d, titles), City: pick(d, c.cities)}
	p.Full = fullName(p)
	form := q.form
	if form == "=" {
		form = r.company.Pattern
	}
	if q.alias == "" {
		r.admit(p, form)
		return
	}
	r.admit(p, form, q.alias)
}

func otherForm(d *dice, pattern string) string {
	for {
		if form := pick(d, deviantForms); form != pattern {
			return form
		}
	}
}

// Gallery is a world of one company for each behaviour, at its GalleryDomain: two people with mailboxes, of whom the first
// is what the behaviour is about, and one without.
func Gallery(o Options) *World {
	var companies []Company
	for _, b := range Behaviours() {
		s := sketch{name: "The " + strings.ReplaceAll(string(b), "_", "-") + " company", domain: b.GalleryDomain(), behaviour: b, pattern: "F.L", cultures: "english",
			present: 2, absent: 1, flagged: 1, spelling: joinedSpelling}
		companies = append(companies, s.draw(o.Seed))
	}
	return build(o, companies)
}

// Of is a world of companies that the caller has made up. Their addresses need not follow a pattern.
func Of(o Options, companies ...Company) *World {
	for i := range companies {
		companies[i].Roles = append(roles(), companies[i].Roles...)
	}
	return build(o, companies)
}

// GalleryDomain is where Gallery has the company of a behaviour: its name with hyphens under .test, such as
// tls-required.test; that of International is brücke.test, in its A-labels.
func (b Behaviour) GalleryDomain() string {
	if b == International {
		return "xn--brcke-lva.test"
	}
	return strings.ReplaceAll(string(b), "_", "-") + ".test"
}
