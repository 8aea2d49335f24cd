package finder

// Constants of the posterior; what known addresses say of the next person's is measured (companyKinds).
const (
	middleBoost   = 8    // templates with a middle name, when the row has one: 1 % of all people, but of those who write it 8 times more
	missFactor    = 0.6  // odds of a template after each refused address of it, while nobody was confirmed under it
	missFloor     = 0.02 // many refusals may be people who left
	missConfirmed = 0.95 // the same where another template is confirmed: there it is asked only of people who are likely gone
	missPatience  = 4    // refusals per confirmed address that say nothing
	staleFactor   = 0.9  // odds for each refusal beyond that
	staleFloor    = 0.5
	cutShare      = 0.02 // domains that cut, of those whose short names look like flast
)

// posterior is what is believed of a domain's templates.
type posterior struct {
	distribution
	prior  distribution
	counts []Count // by position in the grammar
	hits   int     // people confirmed in all
	odd    int     // people known to have an address outside the grammar
	shapes outsideCounts
	top    int // position of the template with most hits, -1 when there are none
}

// newPosterior combines the priors of a region with a domain's counts and what the name itself says.
func newPosterior(region string, counts map[string]Count, n Name) posterior {
	g, t := templates(), priors()
	p := posterior{prior: t.prior(region), counts: make([]Count, len(g.all)), top: -1}
	for id, c := range counts {
		if i, ok := g.byID[id]; ok {
			p.counts[i] = Count{Hits: max(c.Hits, 0), Misses: max(c.Misses, 0)}
			p.hits += p.counts[i].Hits
		}
	}
	p.shapes, p.odd = outsides(counts)
	for i, c := range p.counts {
		if c.Hits > 0 && (p.top < 0 || c.Hits > p.counts[p.top].Hits) {
			p.top = i
		}
	}
	plain := p.prior
	p.prior = n.lean(plain)
	p.distribution = distribution{share: append([]float64(nil), p.prior.share...), other: p.prior.other}
	if p.hits+p.odd > 0 {
		p.learn(plain)
	}
	p.forget()
	return p
}

// cutOff gives the cut templates their part of the templates they cut: while names are short nobody can
// tell flast from flast cut to eight letters.
func (p *posterior) cutOff() {
	for cut, whole := range map[string]string{"fL8": "fL", "Lf8": "Lf"} {
		c, w := templates().byID[cut], templates().byID[whole]
		p.share[c] = max(p.share[c], cutShare*p.share[w])
	}
}

// lean is a prior for people of such names: a middle name that is given may be used, and Chinese names are
// often written in their own order.
func (n Name) lean(prior distribution) distribution {
	d := distribution{share: append([]float64(nil), prior.share...), other: prior.other}
	chinese := n.chinese()
	for i, tpl := range templates().all {
		if n.Middle.Known() && tpl.hasMiddle() {
			d.share[i] *= middleBoost
		}
		if by, ok := chineseBoost[tpl.ID]; ok && chinese {
			d.share[i] *= by
		}
	}
	d.normalise()
	return d
}

// chineseBoost is how much commoner forms are among people with a Chinese family name.
var chineseBoost = map[string]float64{"LF": 6, "FL": 1.5, "Lf": 2}

// chinese reports whether a name is read as a Chinese one.
func (n Name) chinese() bool {
	return chineseFamily[wordKey(n.Last.Text)] && isPinyin(n.First.Text) || n.Swapped > 0 && chineseFamily[wordKey(n.First.Text)] && isPinyin(n.Last.Text)
}

// forget lowers templates whose addresses were refused. A refusal is weak evidence, since the person
// may have no mailbox at all; handles were never asked, so they gain.
func (p *posterior) forget() {
	factor := missFactor
	if p.confirmed() {
		factor = missConfirmed
	}
	for i, c := range p.counts {
		switch {
		case c.Misses == 0:
		case c.Hits == 0:
			p.share[i] *= power(factor, c.Misses, missFloor)
		case c.Misses > missPatience*c.Hits:
			p.share[i] *= power(staleFactor, c.Misses-missPatience*c.Hits, staleFloor)
		}
	}
	p.normalise()
}

// power is base^n, no lower than floor.
func power(base float64, n int, floor float64) float64 {
	w := 1.0
	for range n {
		if w *= base; w < floor {
			return floor
		}
	}
	return w
}

// Evidence needed before a domain counts as learned.
const (
	supportHits   = 2   // people confirmed under a loose form before a 250 on it can be trusted
	confirmedHits = 3   // people confirmed before the top candidate alone is asked first
	confirmedPart = 0.8 // of them under one template
)

// learned reports whether the domain taught us something: its lookups may run side by side.
func (p *posterior) learned() bool { return p.hits >= supportHits }

// confirmed reports whether one template is known to be the domain's.
func (p *posterior) confirmed() bool {
	return p.hits >= confirmedHits && float64(p.counts[p.top].Hits) >= confirmedPart*float64(p.hits)
}

// disputed reports whether as many addresses were refused under the commonest template as were confirmed: those people may have left, or
// the confirmed ones may be strays.
func (p *posterior) disputed() bool {
	return p.top >= 0 && p.counts[p.top].Misses >= p.counts[p.top].Hits
}

// supports reports whether what is known speaks for a template: people confirmed, and no other
// template has more.
func (p *posterior) supports(i int) bool {
	return p.counts[i].Hits >= supportHits && p.counts[i].Hits == p.counts[p.top].Hits
}

// contradicts reports whether the domain is known to use another template and never this one.
func (p *posterior) contradicts(i int) bool {
	return p.counts[i].Hits == 0 && p.top >= 0 && p.counts[p.top].Hits >= supportHits
}
