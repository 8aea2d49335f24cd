package finder

import (
	"sort"
	"strings"
)

// Inference is one template that explains a local part for a name, and how likely it is the one meant.
type Inference struct {
	ID string
	P  float64 // the inferences of one local part sum to 1
}

// Infer returns the templates that make a local part of a name, likeliest first: what a known address
// of a known person teaches about a domain. A tag (+news) and a digit at the end are looked past.
// Nothing is returned for handles.
func Infer(n Name, local string) []Inference {
	local = strings.ToLower(local)
	if i := strings.IndexByte(local, '+'); i > 0 {
		local = local[:i]
	}
	found := infer(n, local)
	if plain := strings.TrimRight(local, "0123456789"); len(found) == 0 && plain != local && plain != "" {
		found = infer(n, plain)
	}
	return found
}

// Shows is what the known address of a known person says of the domain, as an id to be counted under in Known.Patterns: the likeliest
// template that makes it of the name or, outside the grammar, its shape.
func Shows(n Name, local string) string {
	if found := Infer(n, local); len(found) > 0 {
		return found[0].ID
	}
	return outsideIDs[n.outsideShape(strings.ToLower(local))]
}

func infer(n Name, local string) []Inference {
	prior := priors().defaultShare
	var out []Inference
	var sum float64
	placed := n.everyPlace()
	for i, t := range templates().all {
		var w float64
		placed[t.at].each(t, 1, func(m made) {
			if m.local == local && !m.role {
				w += m.weight
			}
		})
		if w *= prior.share[i]; w > 0 {
			out = append(out, Inference{t.ID, w})
			sum += w
		}
	}
	for i := range out {
		out[i].P /= sum
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].P > out[j].P })
	return out
}
