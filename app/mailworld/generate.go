package mailworld

import (
	"fmt"
	"maps"
	"sort"
	"strings"
)

const (
	defaultCompanies = 24
	defaultPeople    = 12 // a company
	maxCompanies     = 20_000
	maxPeople        = 200 // a company
	absentShare      = 8   // per cent of the people have no mailbox
	deviantShare     = 5   // per cent of the mailboxes do not follow the company's pattern, in every third company
)

// defaultMix is per mille of the companies.
var defaultMix = map[Behaviour]int{
	Accurate: 700, CatchAll: 180, Greylist: 25, TLSRequired: 15, Microsoft: 15, BackupMX: 10, OneRcpt: 10, ImplicitMX: 5,
	FullMailbox: 5, Disabled: 5, TempFail: 5, PolicyBlock: 5, NullMX: 5, NoMX: 5, NXDomain: 5, Refused: 5,
}

// share is one weighted choice.
type share struct {
	id     string
	weight int
}

// CalmMix is the default mix without the hosts that make everybody wait: those that say "later" and those that cannot be reached.
func CalmMix() map[Behaviour]int {
	calm := maps.Clone(defaultMix)
	for _, b := range []Behaviour{Greylist, TempFail, PolicyBlock, Refused} {
		delete(calm, b)
	}
	return calm
}

// patternMix is per mille of the domains where two or more people were seen in public commit histories, for the forms
// of the plain grammar; rare forms are left out.
var patternMix = []share{
	{"F.L", 431}, {"fL", 146}, {"F", 144}, {"L", 34}, {"f.L", 27}, {"FL", 23}, {"Fl", 20}, {"F_L", 10}, {"fl", 10},
	{"LF", 9}, {"L.F", 9}, {"fL2", 7}, {"f2L", 4}, {"Lf", 3}, {"F-L", 3}, {"F.l", 3}, {"fL8", 3}, {"L.f", 2},
}

var cultureMix = []share{
	{"english", 34}, {"german", 13}, {"french", 8}, {"indian", 7}, {"spanish", 6}, {"dutch", 5}, {"nordic", 5}, {"italian", 4},
	{"portuguese", 4}, {"polish", 3}, {"irish", 2}, {"czech", 2}, {"turkish", 2}, {"slavic", 2}, {"chinese", 2}, {"japanese", 1},
	{"korean", 1}, {"greek", 1}, {"arabic", 1},
}

// New generates a world. It is the same for the same options; sizes beyond the limits are cut.
func New(o Options) *World {
	o = o.bounded()
	d := &dice{state: uint64(o.Seed)}
	behaviours := allot(d, o.Mix, o.Companies)
	sizes := crowd(d, o.People, o.Companies)
	companies := make([]Company, o.Companies)
	taken := map[string]bool{}
	for i := range companies {
		companies[i] = generate(d, behaviours[i], sizes[i], taken)
	}
	return build(o, companies)
}

func (o Options) bounded() Options {
	if o.Companies <= 0 {
		o.Companies = defaultCompanies
	}
	if o.PeoplePerCompany <= 0 {
		o.PeoplePerCompany = defaultPeople
	}
	o.Companies = min(o.Companies, maxCompanies)
	if o.People <= 0 {
		o.People = o.Companies * min(o.PeoplePerCompany, maxPeople)
	}
	o.People = max(o.Companies, min(o.People, o.Companies*maxPeople))
	if len(o.Mix) == 0 {
		o.Mix = defaultMix
	}
	return o
}

// allot deals behaviours to n companies in exact shares (largest remainder), in random order.
func allot(d *dice, mix map[Behaviour]int, n int) []Behaviour {
	total := 0
	var order []Behaviour
	for b, weight := range mix {
		if weight > 0 {
			order = append(order, b)
			total += weight
		}
	}
	if total == 0 {
		order, mix, total = []Behaviour{Accurate}, map[Behaviour]int{Accurate: 1}, 1
	}
	sort.Slice(order, func(i, j int) bool { return order[i] < order[j] })
	list := make([]Behaviour, 0, n)
	for _, b := range order {
		for range n * mix[b] / total {
			list = append(list, b)
		}
	}
	sort.SliceStable(order, func(i, j int) bool { return n*mix[order[i]]%total > n*mix[order[j]]%total })
	for i := 0; len(list) < n; i++ {
		list = append(list, order[i%len(order)])
	}
	shuffle(d, list)
	return list
}

// crowd deals people to n companies: each gets half to one and a half of the average, exactly people in all.
func crowd(d *dice, people, n int) []int {
	sizes := make([]int, n)
	left := people
	for i := range sizes {
		sizes[i] = max(1, people*(50+d.n(101))/(100*n))
		left -= sizes[i]
	}
	for i := 0; left != 0; i = (i + 1) % n {
		switch {
		case left > 0 && sizes[i] < 2*maxPeople:
			sizes[i]++
			left--
		case left < 0 && sizes[i] > 1:
			sizes[i]--
			left++
		}
	}
	return sizes
}

func generate(d *dice, b Behaviour, size int, taken map[string]bool) Company {
	name, domain := baptise(d, taken)
	home := weighted(d, cultureMix)
	c := Company{Name: name, Domain: domain, Behaviour: b, Pattern: weighted(d, patternMix), Roles: roles()}
	r := newRegistry(&c, habits(d, home))
	ids := []string{home, home, weighted(d, cultureMix), weighted(d, cultureMix)}
	deviates := d.n(3) == 0
	for range size {
		form := c.Pattern
		switch {
		case d.chance(absentShare), b.traits().kind == KindInvalidDomain:
			form = ""
		case deviates && d.chance(deviantShare):
			form = pick(d, deviantForms)
		}
		if !r.draw(d, ids, form) {
			break
		}
	}
	c.flag(1)
	return c
}

// flag marks the first n mailboxes in the way that the company's behaviour is about.
func (c *Company) flag(n int) {
	for i := range c.People {
		p := &c.People[i]
		if p.Email == "" || n == 0 {
			continue
		}
		n--
		switch c.Behaviour {
		case FullMailbox, RoomFull:
			p.FullMailbox = true
		case Disabled:
			p.Disabled = true
		case Rate250:
			p.Busy = true
		}
	}
}

// habits draws a company's spelling; shares from the name forms seen in public commit histories.
func habits(d *dice, home string) spelling {
	expand := map[string]int{"german": 94, "nordic": 4}[home]
	if home != "german" && home != "nordic" {
		expand = 33
	}
	sp := spelling{expand: d.chance(expand), given: "keep", surname: "keep", two: "first", particles: "join"}
	sp.given = weighted(d, []share{{"keep", 68}, {"join", 22}, {"first", 10}})
	sp.surname = weighted(d, []share{{"keep", 50}, {"join", 34}, {"first", 16}})
	if d.chance(35) {
		sp.two = "join"
	}
	if d.chance(10) {
		sp.particles = "drop"
	}
	return sp
}

func weighted(d *dice, shares []share) string {
	total := 0
	for _, s := range shares {
		total += s.weight
	}
	n := d.n(total)
	for _, s := range shares {
		if n -= s.weight; n < 0 {
			return s.id
		}
	}
	return shares[0].id
}

var (
	nameHeads = names("North|South|East|West|Silver|Golden|Stone|River|Oak|Maple|Iron|Copper|Bright|Clear|Blue|Green|Red|White|High|Deep|" +
		"Fair|Swift|Grand|New|Old|Lake|Forest|Harbour|Summit|Valley|Crystal|Amber|Cedar|Willow|Falcon|Raven|Fox|Bear|Star|Sun")
	nameTails = names("field|bridge|gate|wood|ford|haven|crest|point|mark|line|stone|brook|ridge|view|port|well|land|mill|works|light|" +
		"house|garden|bay|hill|path|way|spring|dale|moor|shore")
	nameTrades = names("Systems|Logistics|Consulting|Software|Foods|Energy|Medical|Partners|Engineering|Media|Robotics|Textiles|Packaging|" +
		"Optics|Analytics|Components|Insurance|Interiors|Marine|Printing")
)

// baptise invents a company name and a domain that nobody in this world has.
func baptise(d *dice, taken map[string]bool) (name, domain string) {
	word := pick(d, nameHeads) + pick(d, nameTails)
	trade := pick(d, nameTrades)
	tld := pick(d, []string{"example", "test"})
	label := strings.ToLower(word)
	switch d.n(4) {
	case 0:
		label += "-" + strings.ToLower(trade)
	case 1:
		label += strings.ToLower(trade)
	}
	domain = label + "." + tld
	for n := 2; taken[domain]; n++ {
		domain = fmt.Sprintf("%s%d.%s", label, n, tld)
	}
	taken[domain] = true
	return word + " " + trade, domain
}
