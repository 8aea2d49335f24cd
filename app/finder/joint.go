package finder

// A template decides with how a name of several words is put together: smithjones in jsmithjones@, smith-jones in john.smith-jones@;
// and a given name that stands alone is oftener the one that colleagues call.

// jointLift is how much commoner a way of writing a part is in a kind of template than in all: measured on public commit histories, shrunk towards 1.
type jointLift struct {
	part words
	kind Kind
	lift float64
}

// Places of a part in a template.
const (
	placeApart = iota // beside a separator
	placeGlued        // beside other letters
	placeAlone        // the whole of the address
	places
)

var (
	familyJoints = [places][]jointLift{
		placeApart: {{hyphenated, KindHyphened, 1.25}, {hyphenated, KindJoined, 0.5}, {hyphenated, KindFirstPart, 1.15}, {hyphenated, KindLastPart, 0.9}},
		placeGlued: {{hyphenated, KindHyphened, 0.6}, {hyphenated, KindJoined, 1.45}, {hyphenated, KindFirstPart, 0.75}, {hyphenated, KindLastPart, 2},
			{withParticle, KindDotted, 0.2}, {withParticle, KindHyphened, 0.3}, {withParticle, KindUnderscored, 0.2}, {withParticle, KindParticleInitials, 3}, {withParticle, KindNoParticle, 1.3},
			{severalWords, KindDotted, 0.2}, {severalWords, KindHyphened, 0.5}},
	}
	givenJoints = [places][]jointLift{
		placeApart: {{hyphenated, KindHyphened, 1.2}, {hyphenated, KindJoined, 0.6}, {hyphenated, KindFirstPart, 0.6}},
		placeGlued: {{hyphenated, KindHyphened, 0.8}, {hyphenated, KindJoined, 1.5}},
		placeAlone: {{hyphenated, KindHyphened, 0.7}, {hyphenated, KindJoined, 1.2}, {hyphenated, KindFirstPart, 2.2}},
	}
)

const (
	nicknameAlone  = 2.0 // first@, beside john.smith@
	nicknameBeside = 0.7
	doubleApart    = 0.6 // jp.dupont for Jean-Pierre, beside jpdupont
)

// place tells how a template's parts stand.
func (t Template) place() int {
	separators := 0
	for _, p := range t.pieces {
		if p.token == 0 {
			separators++
		}
	}
	switch {
	case len(t.pieces) == 1:
		return placeAlone
	case separators > 0:
		return placeApart
	}
	return placeGlued
}

// joints weighs the forms of a part for a place; the same forms where nothing is to be weighed.
func (p Part) joints(lifts []jointLift, nickname float64) []Form {
	var out []Form
	for i, f := range p.Forms {
		by := 1.0
		if f.Kind == KindNickname {
			by = nickname
		}
		for _, l := range lifts {
			if l.part == p.words && l.kind == f.Kind {
				by = l.lift
			}
		}
		if by == 1 {
			continue
		}
		if out == nil {
			out = append(make([]Form, 0, len(p.Forms)), p.Forms...)
		}
		out[i].Weight *= by
	}
	if out == nil {
		return p.Forms
	}
	return evened(out)
}

// evened makes weights sum to 1.
func evened(forms []Form) []Form {
	sum := 0.0
	for _, f := range forms {
		sum += f.Weight
	}
	for i := range forms {
		forms[i].Weight /= sum
	}
	return forms
}

// apart weighs initials for a template with separators: one letter is usual there.
func (p Part) apart() []Form {
	if !p.abbreviates() {
		return p.Initials
	}
	out := append(make([]Form, 0, len(p.Initials)), p.Initials...)
	for i := range out {
		if out[i].Kind == KindJoined {
			out[i].Weight *= doubleApart
		}
	}
	return evened(out)
}

// placed is a name with its forms for one place.
func (n Name) placed(place int) Name {
	beside := nicknameBeside
	if place == placeAlone {
		beside = nicknameAlone
	}
	n.First.Forms = n.First.joints(givenJoints[place], beside)
	n.Last.Forms = n.Last.joints(familyJoints[place], 1)
	if place == placeApart {
		n.First.Initials = n.First.apart()
	}
	return n
}

// everyPlace is a name for each place.
func (n Name) everyPlace() (at [places]Name) {
	for place := range at {
		at[place] = n.placed(place)
	}
	return at
}
