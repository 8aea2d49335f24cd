package finder

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"
)

// priors.json is what was measured on the addresses of 21,541 people at 6,963 company domains, found
// in public commit histories: shares of templates by domain (each domain counts once), over all, by
// region, by how many people of the domain were seen; and how many people share a form with a colleague.
//
//go:embed priors.json
var priorsJSON []byte

// other is the share of people whose address is in no template: handles, mostly.
const other = "other"

type shares struct {
	Domains int                `json:"domains"`
	Share   map[string]float64 `json:"share"`
}

type priorTable struct {
	Overall      shares                `json:"overall"`
	Overall2     shares                `json:"overall_2plus"` // domains with two people or more: fewer private domains
	Size         map[string]shares     `json:"size"`          // "1", "2-4", "5-19", "20+" people seen
	Region       map[string]shares     `json:"region"`
	Region2      map[string]shares     `json:"region_2plus"`
	Collisions   map[string][3]float64 `json:"collisions"` // share of people, at 5-19, 20-99, 100+ seen
	byRegion     map[string]distribution
	defaultShare distribution
}

// distribution is a share for every template, by its position in the grammar, and for the rest.
type distribution struct {
	share []float64
	other float64
}

// Constants of the priors of a region.
const (
	shrinkage    = 3    // domains added to the count seen and to the count expected: in a small region an unseen template is not an impossible one
	smallDomains = 0.1  // of the domains asked about are like those with one person seen
	unseenShare  = 5e-5 // of a template that was never seen
)

var priors = sync.OnceValue(func() *priorTable {
	var t priorTable
	if err := json.Unmarshal(priorsJSON, &t); err != nil {
		panic(fmt.Sprintf("finder: embedded priors.json: %v", err)) // a broken build, not bad input
	}
	t.byRegion = map[string]distribution{}
	for region := range t.Region {
		t.byRegion[region] = t.region(region)
	}
	t.defaultShare = t.region("")
	return &t
})

// region corrects the whole's shares by what was seen in a region over what was expected there
// (a gamma prior on that ratio), first from all its domains, then from those with two people or more.
func (t *priorTable) region(region string) distribution {
	all, two := t.Region[region], t.Region2[region]
	tilt := func(seen shares, id string, expected float64) float64 {
		n := float64(seen.Domains)
		return (n*seen.Share[id] + shrinkage) / (n*expected + shrinkage)
	}
	share := func(id string) float64 {
		whole, large := max(t.Overall.Share[id], unseenShare), max(t.Overall2.Share[id], unseenShare)
		here := tilt(all, id, whole)
		return (1-smallDomains)*large*here*tilt(two, id, large*here) + smallDomains*whole*here
	}
	d := distribution{other: share(other)}
	for _, tpl := range templates().all {
		d.share = append(d.share, share(tpl.ID))
	}
	d.normalise()
	return d
}

// prior is the distribution for a region; an unknown region is the whole.
func (t *priorTable) prior(region string) distribution {
	d, ok := t.byRegion[region]
	if !ok {
		d = t.defaultShare
	}
	return distribution{share: append([]float64(nil), d.share...), other: d.other}
}

// normalise makes all shares sum to 1.
func (d *distribution) normalise() {
	sum := d.other
	for _, s := range d.share {
		sum += s
	}
	for i := range d.share {
		d.share[i] /= sum
	}
	d.other /= sum
}
