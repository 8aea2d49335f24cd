package finder

import (
	"errors"
	"strings"
)

// Ranked is an address that a person may have.
type Ranked struct {
	Email   string
	Pattern string  // readable template
	P       float64 // P(it is this person's), before anybody is asked
}

// Rank lists the addresses a person may have at Person.Domain, likeliest first and maxRanked at most, from
// the name, what is usual in such places, and colleagues whose Email is known. It asks nobody. The
// probabilities sum to less than 1: the rest is handles and forms outside the grammar. The error is a
// *Refusal: the name or the domain cannot be used.
func Rank(p Person, colleagues []Person) ([]Ranked, error) {
	domain, err := cleanDomain(p.Domain)
	if err != nil {
		return nil, errors.Join(&Refusal{ReasonBadInput, "This is not a mail domain."}, err)
	}
	region := regionOf(domain)
	name, err := parseName(p.First, p.Last, p.Full, region)
	if err != nil {
		return nil, err
	}
	counts, h := teach(region, colleagues)
	var out []Ranked
	post := newPosterior(region, counts, name)
	others := held(region, domain, colleagues, holderOf(name))
	for _, c := range rank(name.under(h), post) {
		if others[c.local] {
			continue
		}
		out = append(out, Ranked{Email: c.local + "@" + domain, Pattern: templates().all[c.template].Reads, P: post.calibrated(c)})
	}
	return out, nil
}

// held are the local parts at a domain that people other than holder are known to have.
func held(region, domain string, colleagues []Person, holder string) map[string]bool {
	taken := map[string]bool{}
	for _, p := range colleagues {
		local, at, _ := strings.Cut(strings.ToLower(p.Email), "@")
		if name, err := parseName(p.First, p.Last, p.Full, region); err == nil && at == domain && holderOf(name) != holder {
			taken[local] = true
		}
	}
	return taken
}

// teach counts the templates, shapes and habits that colleagues' known addresses show.
func teach(region string, colleagues []Person) (map[string]Count, habits) {
	counts, h := map[string]Count{}, habits{}
	for _, p := range colleagues {
		name, err := parseName(p.First, p.Last, p.Full, region)
		local, _, ok := strings.Cut(strings.ToLower(p.Email), "@")
		if err != nil || !ok {
			continue
		}
		id := Shows(name, local)
		if IsTemplate(id) {
			h.add(name.written(id, local))
		}
		counts[id] = Count{Hits: counts[id].Hits + 1}
	}
	return counts, h
}

// written is how a local part of a template writes a name.
func (n Name) written(id, local string) spelt {
	var best made
	t := templates().all[templates().byID[id]]
	n.placed(t.at).each(t, 1, func(m made) {
		if m.local == local && m.weight > best.weight {
			best = m
		}
	})
	return n.spelling(best.first, best.short, best.last)
}
