package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"beagle/app"
	"beagle/app/finder"
	"beagle/app/mailworld"
)

// tally counts answers against the truth.
type tally struct {
	known                                                map[string]bool // addresses given away before, which are not judged on accept-all domains
	valid, right, findable, found, falseValid, falseMiss int
	acceptAll, boxes, guessed, allowed                   int // on accept-all domains: people, those with a mailbox, guessed rightly, whose address has their company's pattern
	scored                                               int
	bin                                                  [bins]scoreBin
}

// scoreBin is the answers whose score lies in one tenth.
type scoreBin struct {
	n, right  int
	predicted float64
}

func (t *tally) add(truth mailworld.Truth, email, status string, score int) {
	right := rightAddress(truth, email)
	if email != "" && truth.Person != nil && !t.known[truth.Email] {
		t.score(float64(score)/100, right)
	}
	if status == "valid" {
		t.valid++
		switch {
		case right:
			t.right++
		case truth.Email == "":
			t.falseValid++
		}
	}
	switch truth.Kind {
	case mailworld.KindFound:
		t.findable++
		if status == "valid" && right {
			t.found++
		} else if status == "not_found" || status == "invalid" {
			t.falseMiss++
		}
	case mailworld.KindAcceptAll:
		if t.known[truth.Email] {
			return
		}
		t.acceptAll++
		if truth.Email != "" {
			t.boxes++
			if right {
				t.guessed++
			}
			if followsPattern(truth) {
				t.allowed++
			}
		}
	}
}

// rightAddress reports whether an address reaches the person's mailbox.
func rightAddress(t mailworld.Truth, email string) bool {
	if email == "" || t.Person == nil || t.Email == "" {
		return false
	}
	return strings.EqualFold(email, t.Email) || slices.ContainsFunc(t.Person.Aliases, func(a string) bool { return strings.EqualFold(a, email) })
}

// followsPattern reports whether a person's address has the form that the company gives to all.
func followsPattern(t mailworld.Truth) bool {
	name, err := finder.ParseName(t.Person.First, t.Person.Last, "")
	if err != nil {
		return false
	}
	local, _, _ := strings.Cut(t.Email, "@")
	return slices.ContainsFunc(finder.Infer(name, local), func(i finder.Inference) bool { return i.ID == t.Company.Pattern })
}

func (t *tally) score(p float64, right bool) {
	b := &t.bin[min(int(p*bins), bins-1)]
	b.n++
	b.predicted += p
	t.scored++
	if right {
		b.right++
	}
}

func (t *tally) print(w io.Writer) {
	printf(w, "  right among valid        %8.2f %%\n  found on hosts that tell %8.2f %%\n  valid where no mailbox is%8d\n  not found though it is there%5d\n",
		percent(t.right, t.valid), percent(t.found, t.findable), t.falseValid, t.falseMiss)
	printf(w, "  accept-all domains: %d people, %d with a mailbox; right %.1f %% of these, the companies' patterns allow %.1f %%: %.1f %% of that\n",
		t.acceptAll, t.boxes, percent(t.guessed, t.boxes), percent(t.allowed, t.boxes), percent(t.guessed, t.allowed))
	var ece float64
	for _, b := range t.bin {
		ece += abs(b.predicted-float64(b.right)) / float64(max(t.scored, 1))
	}
	printf(w, "  calibration error of %d scores  %.4f\n   score      answers  predicted   right\n", t.scored, ece)
	for i, b := range t.bin {
		if b.n > 0 {
			printf(w, "  %3d-%3d  %9d  %7.1f %%  %5.1f %%\n", i*100/bins, (i+1)*100/bins, b.n, 100*b.predicted/float64(b.n), percent(b.right, b.n))
		}
	}
}

// mailboxes are how many were asked for the rows of some kind.
type mailboxes struct{ rows, asked int }

func (a mailboxes) mean() float64 { return float64(a.asked) / float64(max(a.rows, 1)) }

// learnedFrom is how many people were confirmed at a domain, when a row was asked, that counts as learned.
const learnedFrom = 2

// printAsking prints the mailboxes asked for one row, from the evidence of the rows: at learned domains, by whether the
// person has a mailbox. The accept-all question is not among them; RCPT per row above counts everything.
func (b *benchmark) printAsking(ctx context.Context, o *opened, list app.List, truths []mailworld.Truth) error {
	var rows []struct {
		RowNo    int
		Evidence string
	}
	if err := o.DB.WithContext(ctx).Raw("SELECT row_no, evidence FROM records WHERE list_id = ? AND twin_of IS NULL", list.ID).Scan(&rows).Error; err != nil {
		return fmt.Errorf("reading the evidence: %w", err)
	}
	var all, there, gone mailboxes
	for _, r := range rows {
		var e finder.Evidence
		if json.Unmarshal([]byte(r.Evidence), &e) != nil {
			continue
		}
		hits := 0
		for _, p := range e.Patterns {
			hits += p.Hits
		}
		if hits < learnedFrom {
			continue
		}
		of := &gone
		if truths[r.RowNo-1].Email != "" {
			of = &there
		}
		for _, a := range []*mailboxes{&all, of} {
			a.rows++
			a.asked += e.Asked
		}
	}
	printf(b.out, "  mailboxes asked per row at learned domains %.2f (%d rows); of people with a mailbox %.2f (%d), of people without %.2f (%d)\n",
		all.mean(), all.rows, there.mean(), there.rows, gone.mean(), gone.rows)
	return nil
}

// giveKnown uploads the addresses of the first people of each accept-all company, where nothing can be learned by mailboxes.
func (b *benchmark) giveKnown(ctx context.Context, o *opened, as app.Actor) (map[string]bool, error) {
	given, of := map[string]bool{}, map[string]int{}
	var emails []app.KnownEmail
	for _, t := range b.world.Truths() {
		if t.Kind == mailworld.KindAcceptAll && t.Email != "" && of[t.Company.Domain] < b.known {
			of[t.Company.Domain]++
			given[t.Email] = true
			emails = append(emails, app.KnownEmail{Email: t.Email, First: t.Person.First, Last: t.Person.Last})
		}
	}
	for part := range slices.Chunk(emails, app.MaxKnown) {
		if _, err := o.AddKnown(ctx, as, app.KnownRight, part); err != nil {
			return nil, err
		}
	}
	return given, nil
}
