package finder

import (
	"slices"
	"strings"
	"unicode"
)

// strip takes titles from the front and suffixes from the back of a cell's groups, and whole groups
// of credentials after a comma. It never takes the last word.
func (r *reading) strip(groups [][]string) [][]string {
	var out [][]string
	for i, g := range groups {
		if i > 0 && onlySuffixes(g) {
			r.notes = append(r.notes, "left out "+strings.Join(g, " "))
			continue
		}
		g = r.stripTitles(g)
		g = r.stripSuffixes(g, len(flat(out)))
		if len(g) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// stripTitles takes titles from the front while a name remains behind them.
func (r *reading) stripTitles(g []string) []string {
	stripped := false
	for len(g) > 0 {
		w := g[0]
		k := wordKey(w)
		dot := strings.HasSuffix(w, ".")
		if stripped && len(g) > 1 && faculties[k] && w == strings.ToLower(w) {
			g = g[1:]
			continue
		}
		if w == "M." && len(g) > 2 && frenchLooking(g[1:]) {
			g, stripped = g[1:], true
			continue
		}
		if !titles[k] || softTitles[k] && !dot && len(g) < 3 || len([]rune(k)) == 1 && !dot {
			break
		}
		if len(g) == 1 && (softTitles[k] || !dot && !slices.Contains(sureTitles, k)) {
			break
		}
		r.notes = append(r.notes, "left out "+w)
		g, stripped = g[1:], true
	}
	return g
}

// frenchLooking reports whether words after "M." make it Monsieur and not an initial: French accents, a
// double given name, or the family name in capitals.
func frenchLooking(words []string) bool {
	caps := 0
	for _, w := range words {
		head, _, hyphen := strings.Cut(w, "-")
		if strings.ContainsAny(strings.ToLower(w), "éèêëàâçîïôûùœ") || hyphen && compoundGiven[wordKey(head)] != nil {
			return true
		}
		if isCapitals(w) {
			caps++
		}
	}
	return caps > 0 && caps < len(words)
}

// faculties follow a German doctor's title: Dr. med., Dr. rer. nat.
var faculties = set("med rer nat phil iur jur oec pol ing habil univ dent vet theol hc h c techn agr dr mult")

// sureTitles are nobody's name, so they go even when nothing is left.
var sureTitles = []string{"dr", "drs", "prof", "professor", "mr", "mrs", "herr", "frau", "mme", "mlle"}

// stripSuffixes takes suffixes from the back; before is how many words stand in earlier groups.
func (r *reading) stripSuffixes(g []string, before int) []string {
	capsRow := !slices.ContainsFunc(g, func(w string) bool { return strings.ContainsFunc(w, unicode.IsLower) })
	for len(g) > 1 || len(g) == 1 && before > 0 {
		w := g[len(g)-1]
		k := suffixKey(w)
		if !suffixes[k] {
			break
		}
		if softSuffixes[k] && (capsRow || len(g)+before < 3 || !isCapitals(strings.ReplaceAll(w, ".", "")) && k != "v") {
			break
		}
		if k == "v" && (w != "V" || len(g)+before < 3) {
			break
		}
		r.notes = append(r.notes, "left out "+w)
		g = g[:len(g)-1]
	}
	return g
}

// onlySuffixes reports whether a group after a comma holds nothing but suffixes.
func onlySuffixes(g []string) bool {
	return !slices.ContainsFunc(g, func(w string) bool { return !suffixes[suffixKey(w)] })
}

// suffixKey spells a suffix as the table does: "Ph.D." is phd, "SHRM-CP" is shrmcp.
func suffixKey(w string) string {
	return strings.NewReplacer(".", "", "-", "", "'", "").Replace(strings.ToLower(w))
}
