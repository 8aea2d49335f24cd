package finder

import "fmt"

// Calibration is what an installation's own outcomes say of its scores, by how an answer came about. The zero
// value corrects nothing.
type Calibration struct {
	Verified []CalibrationBin // addresses that a server confirmed
	Guessed  []CalibrationBin // addresses that nobody could ask about
}

// CalibrationBin is the outcomes of answers whose raw score lay in one range.
type CalibrationBin struct {
	Count     int     `json:"count"`
	Right     int     `json:"right"`
	Predicted float64 `json:"predicted"` // mean of the raw scores, 0..1
}

// Observed is the share of right answers; 0 without any.
func (b CalibrationBin) Observed() float64 {
	return float64(b.Right) / float64(max(b.Count, 1))
}

// How much outcomes weigh against the scores as they are.
const (
	leastOutcomes = 100 // of one kind, below which they correct nothing
	outcomesHeld  = 20  // outcomes of a bin that the prediction itself is worth
)

// Outcomes is how many answers the bins hold.
func Outcomes(bins []CalibrationBin) int {
	n := 0
	for _, b := range bins {
		n += b.Count
	}
	return n
}

// Corrected is the probability that bins, in rising order of Predicted, say of a raw score; the score itself where
// there are fewer than leastOutcomes. A higher raw score never becomes a lower one.
func Corrected(bins []CalibrationBin, raw float64) float64 {
	if Outcomes(bins) < leastOutcomes {
		return raw
	}
	type point struct{ x, y, weight float64 }
	var line []point
	for _, b := range bins {
		if b.Count == 0 {
			continue
		}
		n := float64(b.Count)
		p := point{b.Predicted, (float64(b.Right) + outcomesHeld*b.Predicted) / (n + outcomesHeld), n}
		for len(line) > 0 && line[len(line)-1].y > p.y { // pool neighbours that fall
			o := line[len(line)-1]
			w := o.weight + p.weight
			p = point{(o.x*o.weight + p.x*p.weight) / w, (o.y*o.weight + p.y*p.weight) / w, w}
			line = line[:len(line)-1]
		}
		line = append(line, p)
	}
	before := point{}
	for _, p := range line {
		if raw <= p.x {
			if p.x-before.x <= 0 {
				return p.y
			}
			return before.y + (p.y-before.y)*(raw-before.x)/(p.x-before.x)
		}
		before = p
	}
	return before.y
}

// Calibrate sets what corrects the scores from now on. It is safe while questions are under way.
func (f *Finder) Calibrate(c Calibration) { f.calibration.Store(&c) }

// recalibrated adds the part that brings a score to what this installation's outcomes say.
func (q *question) recalibrated(parts []ScorePart) []ScorePart {
	raw := 1.0
	for _, s := range parts {
		raw *= s.Factor
	}
	q.res.Evidence.Raw = round3(raw)
	c := q.f.calibration.Load()
	if c == nil || raw <= 0 || q.res.Email == "" {
		return parts
	}
	bins, most := c.Guessed, raw // what was capped stays so
	switch q.res.Status {
	case StatusValid:
		bins, most = c.Verified, 1
	case StatusAcceptAll:
		most = max(raw, float64(capAcceptAll)/100)
	}
	p := min(Corrected(bins, raw), most)
	if p == raw {
		return parts
	}
	return append(parts, part(p/raw, fmt.Sprintf("What %d answers of this kind turned out to be worth here.", Outcomes(bins))))
}
