package finder

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"sync"
)

// company_kinds.json holds the kinds of company by how they make addresses: how common a kind is, the shares of
// the templates in it, and how alike its companies are (strength: how many known addresses the shares are worth).
// A mixture of Dirichlet-multinomials, fitted by expectation maximisation to 8,254 people of 2,096 company domains
// with two people or more, ten at most of each, found in public commit histories.
//
//go:embed company_kinds.json
var companyKindsJSON []byte

// companyKind is one kind, its shares by position in the grammar.
type companyKind struct {
	weight, strength float64
	distribution
}

var companyKinds = sync.OnceValue(func() []companyKind {
	var listed []struct {
		Weight   float64            `json:"weight"`
		Strength float64            `json:"strength"`
		Share    map[string]float64 `json:"share"`
	}
	if err := json.Unmarshal(companyKindsJSON, &listed); err != nil {
		panic(fmt.Sprintf("finder: embedded company_kinds.json: %v", err)) // a broken build, not bad input
	}
	t := priors()
	var kinds []companyKind
	for _, l := range listed {
		k := companyKind{weight: l.Weight, strength: l.Strength}
		rest := 1.0
		for _, s := range l.Share {
			rest -= s
		}
		rest = max(rest, unlistedShare) // spread over what was too rare in the kind to be listed
		for i, tpl := range templates().all {
			k.share = append(k.share, l.Share[tpl.ID]+rest*t.defaultShare.share[i])
		}
		k.other = l.Share[other] + rest*t.defaultShare.other
		k.normalise()
		kinds = append(kinds, k)
	}
	return append(kinds, rareKinds(kinds, t.defaultShare)...)
})

// unlistedShare is the least share of a kind's people whose template the kind does not list: strays are many-shaped, and those of a kind
// that the fit saw little of were not seen at all.
const unlistedShare = 0.015

// Companies that use one template which the listed kinds hardly lead with: too few for the fit to have found (all of) them.
const (
	rareKindPart     = 0.3 // of the people with such a template
	rareKindShare    = 0.8
	rareKindStrength = 5
)

// rareKinds makes a kind for each template that the listed kinds lead with less often than companies do.
func rareKinds(listed []companyKind, overall distribution) []companyKind {
	var kinds []companyKind
	for i := range templates().all {
		missing := rareKindPart * overall.share[i]
		for _, k := range listed {
			if k.share[i] > 0.5 {
				missing -= k.weight
			}
		}
		if missing <= 0 {
			continue
		}
		k := companyKind{weight: missing, strength: rareKindStrength}
		k.other = (1 - rareKindShare) * overall.other
		for t, s := range overall.share {
			k.share = append(k.share, (1-rareKindShare)*s)
			if t == i {
				k.share[t] += rareKindShare
			}
		}
		kinds = append(kinds, k)
	}
	return kinds
}

// tilted is a distribution multiplied by what sets one prior apart from another; and the sum before it was
// brought back to 1, which is how well the distribution fits there.
func (d distribution) tilted(to, from distribution) (distribution, float64) {
	out := distribution{share: make([]float64, len(d.share)), other: d.other * to.other / from.other}
	sum := out.other
	for i, s := range d.share {
		out.share[i] = s * to.share[i] / from.share[i]
		sum += out.share[i]
	}
	out.normalise()
	return out, sum
}

// fit is log P(the counts | a company of this kind), but for a constant.
func (k companyKind) fit(d distribution, counts []Count, odd int) float64 {
	n, l := float64(odd), 0.0
	add := func(share float64, c int) {
		if c > 0 {
			a, _ := math.Lgamma(k.strength*share + float64(c))
			b, _ := math.Lgamma(k.strength * share)
			l += a - b
		}
	}
	for i, c := range counts {
		add(d.share[i], c.Hits)
		n += float64(c.Hits)
	}
	add(d.other, odd)
	a, _ := math.Lgamma(k.strength)
	b, _ := math.Lgamma(k.strength + n)
	return l + a - b
}

// learn is P(the next person's template | known addresses): every kind of company predicts, weighed by how
// well it explains what is known, in a place with the plain prior; what sets p.prior apart from that is the name's.
func (p *posterior) learn(plain distribution) {
	n := float64(p.hits + p.odd)
	kinds := companyKinds()
	local := make([]distribution, len(kinds))
	weight := make([]float64, len(kinds))
	best := math.Inf(-1)
	for i, k := range kinds {
		d, fits := k.tilted(plain, priors().defaultShare)
		weight[i] = math.Log(k.weight*fits) + k.fit(d, p.counts, p.odd) + outsideTrust*p.shapes.fit(d)
		local[i], _ = d.tilted(p.prior, plain)
		best = max(best, weight[i])
	}
	p.distribution = distribution{share: make([]float64, len(p.share))}
	for i, k := range kinds {
		w := math.Exp(weight[i]-best) / (k.strength + n)
		for t, c := range p.counts {
			p.share[t] += w * (k.strength*local[i].share[t] + float64(c.Hits))
		}
		p.other += w * (k.strength*local[i].other + float64(p.odd))
	}
	p.normalise()
	p.cutOff()
	p.normalise()
}
