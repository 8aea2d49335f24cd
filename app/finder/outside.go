package finder

import (
	"math"
	"strings"
)

// outside is how an address that no template explains looks beside its owner's name. Such addresses are handles, misread names and
// patterns with something that the row does not say (a middle initial, a mark for externals); their shape still tells
// whether colleagues are likely to be john.smith@ or jsmith@.
type outside int

const (
	outsideHandle        outside = iota // nothing of the name
	outsideDotted                       // a dot, and a whole name beside it: john.x.smith
	outsideDottedInitial                // a dot, and an initial before it: j.smythe
	outsideSeparated                    // a hyphen or underscore
	outsideInitial                      // the given name's initial first: jasmith, jsmithson
	outsideGiven                        // the whole given name: johnny99, johnsm
	outsideFamily                       // the whole family name
	outsideShort                        // four letters or fewer
	outsideShapes
)

// groups of templates that a shape speaks for or against alike.
const (
	groupDotted = iota
	groupDottedInitial
	groupSeparated
	groupInitialFamily
	groupJoined
	groupGiven
	groupFamily
	groupLetters
	groupOther
	templateGroups
)

// outsideLift is how much commoner a group of templates is among the colleagues of somebody with an address of a shape than among those
// of anybody whose address is outside the grammar: measured on public commit histories, shrunk towards 1.
var outsideLift = [outsideShapes][templateGroups]float64{
	outsideHandle:        {0.90, 0.30, 0.40, 1.03, 1.45, 1.14, 2.50, 0.50, 0.97},
	outsideDotted:        {2.26, 0.70, 0.35, 0.22, 0.27, 0.55, 0.20, 0.25, 0.82},
	outsideDottedInitial: {0.73, 8.00, 0.67, 0.46, 0.51, 0.83, 0.43, 0.43, 1.10},
	outsideSeparated:     {0.67, 0.48, 5.80, 0.63, 0.66, 0.35, 0.30, 0.77, 1.59},
	outsideInitial:       {0.59, 0.20, 0.58, 2.13, 1.04, 1.02, 0.54, 1.02, 0.87},
	outsideGiven:         {0.46, 0.30, 0.31, 1.43, 1.58, 1.81, 1.16, 0.47, 1.03},
	outsideFamily:        {0.48, 0.39, 0.39, 0.89, 2.42, 0.86, 2.18, 0.46, 1.34},
	outsideShort:         {0.60, 0.44, 0.74, 0.94, 1.16, 1.51, 1.21, 3.27, 0.89},
}

// ids of the shapes, for the counts that a posterior learns from.
var outsideIDs = [outsideShapes]string{"other", "other dotted", "other dotted initial", "other separated", "other initial", "other given", "other family", "other short"}

// outsideCounts are the people known to have an address of each shape.
type outsideCounts [outsideShapes]int

// outsides reads the counts of addresses outside the grammar.
func outsides(counts map[string]Count) (o outsideCounts, sum int) {
	for s, id := range outsideIDs {
		o[s] = max(counts[id].Hits, 0)
		sum += o[s]
	}
	return o, sum
}

// fit is log P(the shapes | a company with these shares), but for a constant.
func (o outsideCounts) fit(d distribution) float64 {
	var by [templateGroups]float64
	for i, s := range d.share {
		by[templates().all[i].group] += s
	}
	by[groupOther] = d.other
	l := 0.0
	for s, n := range o {
		if n == 0 {
			continue
		}
		p := 0.0
		for g, share := range by {
			p += share * outsideLift[s][g]
		}
		l += float64(n) * math.Log(p)
	}
	return l
}

// groupOf is the group of a template.
func groupOf(t Template) int {
	switch {
	case strings.HasPrefix(t.ID, "f.") && t.strict > loose:
		return groupDottedInitial
	case strings.Contains(t.ID, ".") && t.strict > loose:
		return groupDotted
	case strings.ContainsAny(t.ID, "_-"):
		return groupSeparated
	}
	switch t.ID {
	case "fL", "f2L", "fL8", "fmL", "mL":
		return groupInitialFamily
	case "F", "M":
		return groupGiven
	case "L":
		return groupFamily
	case "fl", "lf", "fml", "f2l2", "fL2", "f.l":
		return groupLetters
	}
	return groupJoined
}

// outsideShape tells the shape of a local part that no template makes of a name.
func (n Name) outsideShape(local string) outside {
	given, family := n.First.within(local), n.Last.within(local)
	lead := n.First.leads(local)
	sep := strings.IndexAny(local, "._-")
	switch {
	case sep > 0 && local[sep] == '.' && (sep == 1 && lead || sep < 4 && !given):
		return outsideDottedInitial
	case sep > 0 && local[sep] == '.':
		return outsideDotted
	case sep > 0:
		return outsideSeparated
	case len(local) <= shortLocal:
		return outsideShort
	case given:
		return outsideGiven
	case lead:
		return outsideInitial
	case family:
		return outsideFamily
	}
	return outsideHandle
}

const (
	shortLocal = 4 // letters: a handle, or initials
	wholePart  = 3 // letters that a form needs to be recognised inside a local part
)

// within reports whether a whole form of a part stands in a local part.
func (p Part) within(local string) bool {
	letters := asciiLetters(local)
	for _, f := range p.Forms {
		if t := asciiLetters(f.Text); len(t) >= wholePart && strings.Contains(letters, t) {
			return true
		}
	}
	return false
}

// leads reports whether a local part begins with the part's initial.
func (p Part) leads(local string) bool {
	return len(p.Initials) > 0 && local != "" && strings.HasPrefix(p.Initials[0].Text, local[:1])
}

// outsideTrust is what a second shape of the same company adds, since its people are alike.
const outsideTrust = 0.8
