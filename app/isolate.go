package app

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"time"

	"beagle/app/finder"
)

// A worker has hundreds of rows in its hands when it dies, and at most one of them is why. A row that was there twice is looked up
// from then on by a child process, with a few others like it. If that dies, each of them is asked about once more by a process that
// has no other row: if that dies too, the row is poison beyond doubt. The worker lives on.
const (
	suspectCrashes = 2                // worker deaths after which a row is looked up in isolation
	isolatedMax    = 4                // children of one worker
	isolatedRows   = 16               // rows that a child looks up at once
	isolatedDeaths = 8                // of workers: that many with the row in a child's hands, and it is set aside without proof
	isolatedWait   = 2 * time.Second  // until a row that found no room comes again
	isolatedPause  = time.Second      // whoever kills all processes of a machine has killed us too after this
	isolatedIdle   = 30 * time.Second // a child that nobody has asked for so long is ended
)

// errDied says that a process ended which had this row and no other.
var errDied = errors.New("the process that looked this row up has died")

// isolation is a worker's children.
type isolation struct {
	command func() *exec.Cmd
	wards   [isolatedMax]ward
	alone   chan struct{} // taken by the row that has a process for itself
	entered sync.WaitGroup
	mu      sync.Mutex // of the wards
}

// ward is the place of one child.
type ward struct {
	rows  int    // in its hands
	child *child // nil: none runs
	idle  *time.Timer
}

func newIsolation(command func() *exec.Cmd) *isolation {
	if command == nil {
		return nil
	}
	return &isolation{command: command, alone: make(chan struct{}, 1)}
}

// close ends the children. Nothing may be asked any more.
func (i *isolation) close() {
	if i == nil {
		return
	}
	i.entered.Wait()
	i.mu.Lock()
	defer i.mu.Unlock()
	for w := range i.wards {
		i.wards[w].empty()
	}
}

// empty ends the ward's child.
func (w *ward) empty() {
	if w.idle != nil {
		w.idle.Stop()
	}
	w.child.end()
	w.child = nil
}

// suspected tells whether a row is to be looked up in isolation.
func (i *isolation) suspected(t recordTask) bool { return i != nil && t.Crashes >= suspectCrashes }

// enter takes a place in the first ward that has one. It waits for none: a row that finds no room comes back later, and holds up nobody.
func (i *isolation) enter() (*ward, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for n := range i.wards {
		if w := &i.wards[n]; w.rows < isolatedRows {
			w.rows++
			i.entered.Add(1)
			return w, true
		}
	}
	return nil, false
}

func (i *isolation) leave(w *ward) {
	defer i.entered.Done()
	i.mu.Lock()
	defer i.mu.Unlock()
	if w.rows--; w.rows > 0 {
		return
	}
	if w.idle != nil {
		w.idle.Stop()
	}
	w.idle = time.AfterFunc(isolatedIdle, func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		if w.rows == 0 {
			w.empty()
		}
	})
}

// childOf is the ward's child, started anew when the last one has died.
func (i *isolation) childOf(w *ward) (*child, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if w.child != nil && !w.child.died() {
		return w.child, nil
	}
	w.child.end()
	var err error
	w.child, err = startChild(i.command())
	return w.child, err
}

// isolated looks a suspected row up in a ward, and leaves the ward. It returns errDied, and only then, when the row ends whoever looks
// at it.
func (a *App) isolated(ctx context.Context, w *ward, process string, p finder.Person) (finder.Result, error) {
	defer a.isolation.leave(w)
	p.Alone = true
	question := isolatedQuestion{Process: process, Person: p}
	c, err := a.isolation.childOf(w)
	if err != nil {
		return a.unisolated(ctx, process, p, err)
	}
	result, err := c.ask(ctx, question)
	var death childDeath
	if !errors.As(err, &death) {
		return result, err
	}
	if !death.worked {
		return a.unisolated(ctx, process, p, err)
	}
	if err := a.outlive(ctx); err != nil {
		return finder.Result{}, err
	}
	if death.guilty() {
		return finder.Result{}, errDied
	}
	return a.askAlone(ctx, question)
}

// askAlone gives a row a process that has no other, once no other row has one.
func (a *App) askAlone(ctx context.Context, question isolatedQuestion) (finder.Result, error) {
	select {
	case a.isolation.alone <- struct{}{}:
		defer func() { <-a.isolation.alone }()
	case <-ctx.Done():
		return finder.Result{}, fmt.Errorf("waiting for a process: %w", ctx.Err())
	}
	c, err := startChild(a.isolation.command())
	if err != nil {
		return a.unisolated(ctx, question.Process, question.Person, err)
	}
	defer c.end()
	result, err := c.ask(ctx, question)
	var death childDeath
	if !errors.As(err, &death) {
		return result, err
	}
	if !death.guilty() {
		return a.unisolated(ctx, question.Process, question.Person, err)
	}
	if err := a.outlive(ctx); err != nil {
		return finder.Result{}, err
	}
	return finder.Result{}, errDied
}

// outlive waits a moment after a child's death. Whoever is still there then was not meant.
func (a *App) outlive(ctx context.Context) error {
	rest(ctx, isolatedPause)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("asking in isolation: %w", err)
	}
	return nil
}

// unisolated looks the row up in this process, since there is no other.
func (a *App) unisolated(ctx context.Context, process string, p finder.Person, why error) (finder.Result, error) {
	if err := ctx.Err(); err != nil {
		return finder.Result{}, fmt.Errorf("asking in isolation: %w", err)
	}
	a.Log.ErrorContext(ctx, "no process for a suspected row; it is looked up here", "error", why)
	return a.question(ctx, process, p)
}
