package finder

import (
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"beagle/app/probe"
)

// Bounds of the evidence kept with a result; they hold its JSON near 4 KB.
const (
	maxEvidenceForms      = 4
	maxEvidenceLines      = 16 // of one conversation
	maxEvidenceSessions   = 4  // whose beginnings are shown
	maxEvidenceText       = 120
	maxEvidenceHosts      = 3
	maxEvidenceNotes      = 4
	maxEvidencePatterns   = 4
	maxEvidenceUnasked    = 3 // candidates shown that were not asked
	maxEvidenceCandidates = 12
)

// Evidence is how a result was arrived at, small enough to be stored with every row.
type Evidence struct {
	Rule         string              `json:"rule,omitempty"` // which rule decided; see the Rule constants
	Why          string              `json:"why,omitempty"`  // that rule in a sentence
	Name         *NameEvidence       `json:"name,omitempty"`
	Domain       *DomainEvidence     `json:"domain,omitempty"`
	DomainSource string              `json:"domain_source,omitempty"` // "domain", "email", "company" (named like it), "company_lists" or "company_addresses" (see Companies)
	AcceptAll    *AcceptAllEvidence  `json:"accept_all,omitempty"`
	Region       string              `json:"region,omitempty"`   // row of the priors that was used
	Patterns     []PatternEvidence   `json:"patterns,omitempty"` // what is known of the domain, likeliest first
	Candidates   []CandidateEvidence `json:"candidates,omitempty"`
	Asked        int                 `json:"asked"` // mailboxes asked for this question
	Role         bool                `json:"role,omitempty"`
	Score        []ScorePart         `json:"score,omitempty"`
	Raw          float64             `json:"raw,omitempty"`        // the score before this installation's own outcomes corrected it, 0..1
	Guess        *Guess              `json:"guess,omitempty"`      // what would have been answered had nobody been asked
	Transcript   []probe.Line        `json:"transcript,omitempty"` // of the answer that decided, and of those that opened other sessions
}

// Guess is the likeliest address before any mailbox was asked, and the score it would have had, 0..1, uncorrected.
type Guess struct {
	Email string  `json:"email"`
	P     float64 `json:"p"`
}

// NameEvidence is how the name was read.
type NameEvidence struct {
	First   []Form   `json:"first,omitempty"`
	Middle  []Form   `json:"middle,omitempty"`
	Last    []Form   `json:"last,omitempty"`
	Swapped float64  `json:"swapped,omitempty"` // P(given and family name are the other way round)
	Notes   []string `json:"notes,omitempty"`
}

// DomainEvidence is what DNS said.
type DomainEvidence struct {
	Name      string    `json:"name"`
	State     string    `json:"state"`
	Provider  string    `json:"provider,omitempty"`
	Hosts     []string  `json:"hosts,omitempty"` // by preference
	Implicit  bool      `json:"implicit,omitempty"`
	Detail    string    `json:"detail,omitempty"`
	CheckedAt time.Time `json:"checked_at"`
}

// AcceptAllEvidence is whether the domain takes mail for any name.
type AcceptAllEvidence struct {
	Verdict    string    `json:"verdict"` // "yes", "no" or "unknown"
	Reason     string    `json:"reason,omitempty"`
	At         time.Time `json:"at"`
	Remembered bool      `json:"remembered"`     // from an earlier question
	Code       int       `json:"code,omitempty"` // reply to the invented name
	Text       string    `json:"text,omitempty"`
}

// PatternEvidence is one template at the domain.
type PatternEvidence struct {
	Pattern string  `json:"pattern"` // readable form
	Hits    int     `json:"hits"`
	Misses  int     `json:"misses"`
	P       float64 `json:"p"` // posterior share of the domain's people
}

// CandidateEvidence is one address that was considered.
type CandidateEvidence struct {
	Email     string  `json:"email"`
	Pattern   string  `json:"pattern"`
	Prior     float64 `json:"prior"`             // before anything was known of the domain
	Posterior float64 `json:"posterior"`         // after
	Verdict   string  `json:"verdict,omitempty"` // "" was not asked
	Reason    string  `json:"reason,omitempty"`
	Code      int     `json:"code,omitempty"`
	Text      string  `json:"text,omitempty"`
	Earlier   bool    `json:"earlier,omitempty"` // answered for an earlier question, not asked again
}

// ScorePart is one step of the score: Factor multiplies it, and 1 is certainty.
type ScorePart struct {
	Factor float64 `json:"factor"`
	Why    string  `json:"why"`
}

// evidence completes the result's evidence from what the question went through.
func (q *question) evidence() {
	e := &q.res.Evidence
	if q.name.First.Known() || q.name.Last.Known() {
		e.Name = &NameEvidence{First: topForms(q.name.First), Middle: topForms(q.name.Middle), Last: topForms(q.name.Last), Swapped: q.name.Swapped,
			Notes: q.name.Notes[:min(len(q.name.Notes), maxEvidenceNotes)]}
	}
	e.Region = q.region
	if q.facts.Name != "" || q.facts.State != "" {
		e.Domain = domainEvidence(q.facts)
	}
	if q.answer != nil {
		e.AcceptAll = acceptAllEvidence(*q.answer, q.recent)
		if e.Transcript == nil && len(q.answer.Probes) > 0 && !q.recent {
			e.Transcript = q.answer.Probes[len(q.answer.Probes)-1].Lines
		}
	}
	if q.post.share != nil {
		e.Patterns = q.post.evidence()
	}
	e.Candidates = q.candidateEvidence()
	e.Transcript = q.conversation(e.Transcript)
}

// conversation is the transcript of the answer that decided, and of every other for which a session had to be opened, in the order of time.
func (q *question) conversation(decided []probe.Line) []probe.Line {
	var asked []probe.Answer
	if q.answer != nil && !q.recent {
		asked = append(asked, q.answer.Probes...)
	}
	for _, a := range q.asked {
		if !a.earlier {
			asked = append(asked, a.Answer)
		}
	}
	parts := [][]probe.Line{decided}
	for _, a := range asked {
		known := slices.ContainsFunc(parts, func(lines []probe.Line) bool { return len(lines) > 0 && len(a.Lines) > 0 && lines[0] == a.Lines[0] })
		if a.Opened() && !known && len(parts) < maxEvidenceSessions {
			parts = append(parts, a.Lines)
		}
	}
	var out []probe.Line
	for _, lines := range parts {
		out = append(out, shortLines(lines)...)
	}
	slices.SortStableFunc(out, func(a, b probe.Line) int { return a.At.Compare(b.At) })
	return out
}

// topForms are the likeliest forms of a part, its initials where no whole form is known.
func topForms(p Part) []Form {
	forms := p.Forms
	if len(forms) == 0 {
		forms = p.Initials
	}
	out := append([]Form(nil), forms[:min(len(forms), maxEvidenceForms)]...)
	for i := range out {
		out[i].Weight = round3(out[i].Weight)
	}
	return out
}

func domainEvidence(d probe.Domain) *DomainEvidence {
	e := &DomainEvidence{Name: d.Name, State: string(d.State), Provider: d.Provider, Implicit: d.Implicit, Detail: clip(d.Detail, maxEvidenceText), CheckedAt: d.CheckedAt}
	for _, h := range d.Hosts[:min(len(d.Hosts), maxEvidenceHosts)] {
		e.Hosts = append(e.Hosts, h.Name)
	}
	return e
}

func acceptAllEvidence(a probe.AcceptAllAnswer, remembered bool) *AcceptAllEvidence {
	e := &AcceptAllEvidence{Verdict: string(a.Verdict), Reason: string(a.Reason), At: a.At, Remembered: remembered}
	if n := len(a.Probes); n > 0 {
		e.Code, e.Text = a.Probes[n-1].Code, clip(a.Probes[n-1].Text, maxEvidenceText)
	}
	return e
}

// candidateEvidence lists the candidates that were asked, in that order, and the next few.
func (q *question) candidateEvidence() []CandidateEvidence {
	var out []CandidateEvidence
	shown := map[string]bool{}
	for _, a := range q.asked {
		shown[a.local] = true
		c := q.oneCandidate(a.candidate)
		c.Verdict, c.Reason, c.Code, c.Text, c.Earlier = string(a.Status), string(a.Reason), a.Code, clip(unaddressed(a.Text, c.Email), maxEvidenceText/2), a.earlier
		out = append(out, c)
	}
	for i, unasked := 0, 0; i < len(q.cands) && unasked < maxEvidenceUnasked && len(out) < maxEvidenceCandidates; i++ {
		if !shown[q.cands[i].local] {
			out = append(out, q.oneCandidate(q.cands[i]))
			unasked++
		}
	}
	return out
}

func (q *question) oneCandidate(c candidate) CandidateEvidence {
	return CandidateEvidence{Email: c.local + "@" + q.domain, Pattern: templates().all[c.template].Reads, Prior: round3(c.prior), Posterior: round3(c.p)}
}

// unaddressed is a reply without the address that it is about, which stands beside it.
func unaddressed(reply, email string) string {
	return strings.TrimLeft(strings.ReplaceAll(reply, "<"+email+">", ""), ": ")
}

// evidence lists the domain's likeliest templates, and all that were confirmed.
func (p *posterior) evidence() []PatternEvidence {
	var out []PatternEvidence
	for i, t := range templates().all {
		out = append(out, PatternEvidence{Pattern: t.Reads, Hits: p.counts[i].Hits, Misses: p.counts[i].Misses, P: p.share[i]})
	}
	sort.SliceStable(out, func(i, j int) bool {
		if out[i].Hits != out[j].Hits {
			return out[i].Hits > out[j].Hits
		}
		return out[i].P > out[j].P
	})
	out = out[:maxEvidencePatterns]
	for i := range out {
		out[i].P = round3(out[i].P)
	}
	return out
}

// shortLines bounds a transcript: its beginning and its end, each line cut.
func shortLines(lines []probe.Line) []probe.Line {
	if len(lines) > maxEvidenceLines {
		half := maxEvidenceLines / 2
		lines = append(append([]probe.Line(nil), lines[:half]...), lines[len(lines)-half:]...)
	} else {
		lines = append([]probe.Line(nil), lines...)
	}
	for i := range lines {
		lines[i].Text = clip(lines[i].Text, maxEvidenceText)
	}
	return lines
}

func round3(x float64) float64 { return math.Round(x*1000) / 1000 }
