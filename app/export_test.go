package app

import (
	"context"
	"errors"
	"io"
	"os/exec"

	"beagle/app/finder"
)

// What tests of package app_test need from inside.

// Halted is what a lookup goes by.
func (a *App) Halted(ctx context.Context, list int64) (bool, error) { return a.halted(ctx, list) }

// ExportPage is how many rows of each kind a data export reads at once.
const ExportPage = exportPage

// Suspects is what one round of the sweep hands to the next.
type Suspects = map[suspect]bool

// SweepOnce does one round of the sweep.
func (a *App) SweepOnce(ctx context.Context, before Suspects) (Suspects, error) {
	s := sweeper{app: a, suspects: before}
	err := s.round(ctx)
	return s.suspects, err
}

// Rounds is a sweep whose every call is a round after the one before.
func (a *App) Rounds() func(context.Context) error { return (&sweeper{app: a}).round }

// Bounds of a round of the sweep.
const (
	SweepRows  = sweepMax
	SweepLists = sweepLists
)

// Answer commits an answer to an attempt of a record, as a job would.
func (a *App) Answer(ctx context.Context, r Record, attempt int, email string) error {
	t := r.task()
	t.Attempt = attempt
	return a.settler.settle(ctx, a.outcome(t, finder.Result{Email: email, Status: finder.StatusValid, Score: 97, Reason: "mailbox_exists"}))
}

// IsolateBy makes the app look suspected rows up by a command.
func (a *App) IsolateBy(command func() *exec.Cmd) { a.isolation = newIsolation(command) }

// ServeIsolatedBy is the child of a test.
func ServeIsolatedBy(ctx context.Context, ask AskFunc, in io.Reader, out io.Writer) error {
	return (&App{question: ask}).ServeIsolated(ctx, in, out)
}

// SetAside is what a worker does when the child has died with a record.
func (a *App) SetAside(ctx context.Context, r Record) error { return a.setAside(ctx, r.task()) }

// IsolatedFrom is how many worker deaths make a row suspected, IsolatedDeaths how many set it aside without proof.
const (
	IsolatedFrom   = suspectCrashes
	IsolatedDeaths = isolatedDeaths
	IsolatedMax    = isolatedMax
	IsolatedRows   = isolatedRows
)

// ErrDied says that a child died with a row.
var ErrDied = errDied

// AskIsolated asks one question in isolation.
func (a *App) AskIsolated(ctx context.Context, p finder.Person) (finder.Result, error) {
	w, ok := a.isolation.enter()
	if !ok {
		return finder.Result{}, errors.New("no ward has room")
	}
	return a.isolated(ctx, w, ProcessFind, p)
}

// ExportOf is an export that has read the list already.
func (a *App) ExportOf(ctx context.Context, l List) error { return a.export(ctx, l) }
