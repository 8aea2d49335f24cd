package app

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"sync"
	"time"

	"beagle/app/finder"

	"gorm.io/gorm"
)

// Kinds of answers whose scores are calibrated apart.
const (
	CalibrationVerified = "verified" // a server confirmed the address
	CalibrationGuessed  = "guessed"  // nobody could be asked
)

// calibrationBins divide the scores evenly.
const calibrationBins = 10

// Bounds of what calibration reads: the newest outcomes.
const (
	calibrationAddresses = 100_000 // addresses that came back or were confirmed by people
	calibrationRecords   = 50_000  // rows that servers answered
	calibrationPage      = 2_000
	calibrationRest      = time.Minute // between two looks of a process at the stored calibration
)

// Reliability is how the scores of one kind of answer compare with what became of the addresses.
type Reliability struct {
	Kind   string
	Bins   []finder.CalibrationBin // by raw score, rising, calibrationBins of them
	MadeAt time.Time
}

// Outcomes is how many answers it rests on.
func (r Reliability) Outcomes() int { return finder.Outcomes(r.Bins) }

// Error is the expected calibration error, 0..1: the mean distance of prediction and outcome, as the raw scores are, or as they
// are after correction.
func (r Reliability) Error(corrected bool) float64 {
	var sum float64
	for _, b := range r.Bins {
		p := b.Predicted
		if corrected {
			p = finder.Corrected(r.Bins, p)
		}
		sum += math.Abs(p-b.Observed()) * float64(b.Count)
	}
	return sum / float64(max(r.Outcomes(), 1))
}

// add counts one answer.
func (r *Reliability) add(raw float64, right bool) {
	b := &r.Bins[min(max(int(raw*calibrationBins), 0), calibrationBins-1)]
	b.Predicted = (b.Predicted*float64(b.Count) + raw) / float64(b.Count+1)
	b.Count++
	if right {
		b.Right++
	}
}

// Calibrate compares the scores given here with what became of the addresses and stores what corrects them; workers take it up
// within a minute. An answer counts as right or wrong when its account said so later (known addresses, bounces). Guesses are also
// judged on servers that tell: whether the likeliest form before asking was the mailbox there.
func (a *App) Calibrate(ctx context.Context) ([]Reliability, error) {
	verified := Reliability{Kind: CalibrationVerified, Bins: make([]finder.CalibrationBin, calibrationBins), MadeAt: a.Now()}
	guessed := Reliability{Kind: CalibrationGuessed, Bins: make([]finder.CalibrationBin, calibrationBins), MadeAt: a.Now()}
	if err := a.toldOutcomes(ctx, &verified, &guessed); err != nil {
		return nil, err
	}
	if err := a.askedOutcomes(ctx, &guessed); err != nil {
		return nil, err
	}
	all := []Reliability{verified, guessed}
	err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		for _, r := range all {
			body, err := json.Marshal(r.Bins)
			if err != nil {
				return err
			}
			if err := tx.Exec(`INSERT INTO calibrations (kind, bins, made_at) VALUES (?, ?, ?)
				ON CONFLICT (kind) DO UPDATE SET bins = excluded.bins, made_at = excluded.made_at`, r.Kind, string(body), r.MadeAt).Error; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("storing the calibration: %w", err)
	}
	a.scores.mu.Lock()
	defer a.scores.mu.Unlock()
	a.scores.until = time.Time{} // look again
	return all, nil
}

// toldOutcomes counts answers whose address an account later called right or bounced, each address once.
func (a *App) toldOutcomes(ctx context.Context, verified, guessed *Reliability) error {
	rows, err := a.DB.WithContext(ctx).Raw(`SELECT k.account_id, k.email, k.kind, r.status, r.score, r.evidence FROM
		(SELECT account_id, email, kind, created_at FROM known_emails WHERE kind IN (?, ?) ORDER BY id DESC LIMIT ?) AS k
		JOIN records AS r ON r.account_id = k.account_id AND r.email = k.email AND r.state = 'done' AND r.checked_at < k.created_at
		WHERE r.status IN ('valid', 'accept_all', 'unknown') ORDER BY r.id DESC`, KnownRight, KnownBounce, calibrationAddresses).Rows()
	if err != nil {
		return fmt.Errorf("reading known addresses: %w", err)
	}
	defer rows.Close()
	type answer struct {
		account int64
		email   string
	}
	seen := map[answer]bool{}
	for rows.Next() {
		var who answer
		var kind, status, evidence string
		var score int
		if err := rows.Scan(&who.account, &who.email, &kind, &status, &score, &evidence); err != nil {
			return fmt.Errorf("reading known addresses: %w", err)
		}
		if seen[who] {
			continue
		}
		seen[who] = true
		raw := float64(score) / 100
		var e finder.Evidence
		if json.Unmarshal([]byte(evidence), &e) == nil && e.Raw > 0 {
			raw = e.Raw
		}
		of := guessed
		if status == finder.StatusValid {
			of = verified
		}
		of.add(raw, kind == KnownRight)
	}
	return rows.Err()
}

// askedOutcomes judges the guess before asking by what servers that tell then said, each person once.
func (a *App) askedOutcomes(ctx context.Context, guessed *Reliability) error {
	seen := map[string]bool{}
	var before int64 = math.MaxInt64
	for read := 0; read < calibrationRecords; read += calibrationPage {
		var page []struct {
			ID               int64
			PersonKey, Email string
			Evidence         string
		}
		err := a.DB.WithContext(ctx).Raw(`SELECT id, person_key, email, evidence FROM records WHERE id < ? AND state = 'done'
			AND status IN ('valid', 'not_found') AND twin_of IS NULL ORDER BY id DESC LIMIT ?`, before, calibrationPage).Scan(&page).Error
		if err != nil {
			return fmt.Errorf("reading answers: %w", err)
		}
		for _, r := range page {
			var e finder.Evidence
			if json.Unmarshal([]byte(r.Evidence), &e) != nil || e.Guess == nil || seen[r.PersonKey] {
				continue
			}
			seen[r.PersonKey] = true
			guessed.add(e.Guess.P, e.Guess.Email == r.Email)
		}
		if len(page) < calibrationPage {
			break
		}
		before = page[len(page)-1].ID
	}
	return nil
}

// Reliability is what the last calibration found, for operators; empty before the first.
func (a *App) Reliability(ctx context.Context, as Actor) ([]Reliability, error) {
	if err := mustOperate(as); err != nil {
		return nil, err
	}
	return a.storedCalibration(ctx)
}

func (a *App) storedCalibration(ctx context.Context) ([]Reliability, error) {
	var stored []struct {
		Kind, Bins string
		MadeAt     time.Time
	}
	if err := a.DB.WithContext(ctx).Table("calibrations").Order("kind DESC").Find(&stored).Error; err != nil {
		return nil, fmt.Errorf("reading the calibration: %w", err)
	}
	all := make([]Reliability, len(stored))
	for i, s := range stored {
		all[i] = Reliability{Kind: s.Kind, MadeAt: s.MadeAt}
		if err := json.Unmarshal([]byte(s.Bins), &all[i].Bins); err != nil {
			return nil, fmt.Errorf("reading the calibration %s: %w", s.Kind, err)
		}
	}
	return all, nil
}

// scoreRests is until when a process believes the calibration it has read.
type scoreRests struct {
	mu    sync.Mutex
	until time.Time
}

// readCalibration gives the finder the stored calibration, once a minute. Without one, or when it cannot be read, scores stay as they are.
func (a *App) readCalibration(ctx context.Context) {
	if a.Finder == nil || !a.scores.mu.TryLock() {
		return // somebody else is reading
	}
	defer a.scores.mu.Unlock()
	if a.Now().Before(a.scores.until) {
		return
	}
	a.scores.until = a.Now().Add(calibrationRest)
	stored, err := a.storedCalibration(ctx)
	if err != nil {
		a.Log.WarnContext(ctx, "scores stay uncorrected", "error", err)
		return
	}
	var c finder.Calibration
	for _, r := range stored {
		switch r.Kind {
		case CalibrationVerified:
			c.Verified = r.Bins
		case CalibrationGuessed:
			c.Guessed = r.Bins
		}
	}
	a.Finder.Calibrate(c)
}
