package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"beagle/app/finder"
)

// A worker has hundreds of rows in its hands when it dies, and at most one of them is why. A row that was there twice is looked up
// from then on by a child process that has no other: if that dies, the row is poison beyond doubt, and the worker lives on.
const (
	suspectCrashes = 2 // worker deaths after which a row is looked up in isolation
	isolatedMax    = 4 // children of one worker
	isolatedDeaths = 8 // of workers: that many with the row in a child's hands, and it is set aside without proof
	isolatedWait   = 2 * time.Second
	isolatedPause  = time.Second // whoever kills all processes of a machine has killed us too after this
	isolatedLine   = 8 << 20     // bytes of one line between worker and child
)

// errDied says that a child ended with a row in its hands.
var errDied = errors.New("the process that looked this row up has died")

// isolation is a worker's children. Each token of free is a child that waits, or nil where one may be started.
type isolation struct {
	command func() *exec.Cmd
	free    chan *child
}

// child is a process that looks up one row at a time: a question goes in as a line of JSON, and two lines come back.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// isolatedQuestion and isolatedAnswer are the lines. The first answer to a question has only Began: before that line the row is not
// to blame for whatever happens.
type isolatedQuestion struct {
	Process string
	Person  finder.Person
}

type isolatedAnswer struct {
	Began  bool
	Error  string
	Result *finder.Result
}

func newIsolation(command func() *exec.Cmd) *isolation {
	if command == nil {
		return nil
	}
	i := &isolation{command: command, free: make(chan *child, isolatedMax)}
	for range isolatedMax {
		i.free <- nil
	}
	return i
}

// close ends the children. Nothing may be asked any more.
func (i *isolation) close() {
	if i == nil {
		return
	}
	for range isolatedMax {
		(<-i.free).end()
	}
}

// suspected tells whether a row is to be looked up in isolation.
func (i *isolation) suspected(t recordTask) bool { return i != nil && t.Crashes >= suspectCrashes }

// enter waits for no child: a row that finds none comes back later, and holds up nobody.
func (i *isolation) enter() (*child, bool) {
	select {
	case c := <-i.free:
		return c, true
	default:
		return nil, false
	}
}

// isolated looks a suspected row up. It returns errDied, and only then, when the row ends whoever looks at it.
func (a *App) isolated(ctx context.Context, c *child, process string, p finder.Person) (finder.Result, error) {
	p.Alone = true
	var err error
	defer func() { a.isolation.free <- c }()
	began := false
	var result finder.Result
	if c == nil {
		c, err = a.isolation.start()
	}
	if err == nil {
		if result, began, err = c.ask(ctx, isolatedQuestion{process, p}); err == nil || errors.As(err, new(childError)) {
			return result, err
		}
		c.end()
		c = nil
	}
	if began {
		rest(ctx, isolatedPause)
	}
	switch {
	case ctx.Err() != nil:
		return finder.Result{}, fmt.Errorf("asking in isolation: %w", ctx.Err())
	case began:
		return finder.Result{}, errDied
	}
	a.Log.ErrorContext(ctx, "no process for a suspected row; it is looked up here", "error", err)
	return a.question(ctx, process, p)
}

func (i *isolation) start() (*child, error) {
	cmd := i.command()
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting a process: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting a process: %w", err), in.Close())
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting a process: %w", err)
	}
	return &child{cmd: cmd, in: in, out: bufio.NewReader(out)}, nil
}

// end kills a child, nil too, and waits for its end.
func (c *child) end() {
	if c == nil {
		return
	}
	_ = c.in.Close()
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait() // how it ended has been seen already
}

// childError is an error of the lookup, told by a child that lives.
type childError struct{ text string }

func (e childError) Error() string { return e.text }

// ask puts one question. When ctx ends the child is killed, since it cannot be told to stop.
func (c *child) ask(ctx context.Context, q isolatedQuestion) (r finder.Result, began bool, err error) {
	stop := context.AfterFunc(ctx, func() { _ = c.cmd.Process.Kill() })
	defer stop()
	if err := writeLine(c.in, q); err != nil {
		return r, false, err
	}
	var a isolatedAnswer
	if err := readLine(c.out, &a); err != nil {
		return r, false, err
	}
	a = isolatedAnswer{}
	if err := readLine(c.out, &a); err != nil {
		return r, true, err
	}
	if a.Result == nil {
		return r, true, childError{a.Error}
	}
	return *a.Result, true, nil
}

// ServeIsolated is the child: it answers questions one after another until in ends, which is when its worker ends.
func (a *App) ServeIsolated(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	questions := make(chan isolatedQuestion)
	ended := make(chan error, 1)
	go func() {
		r := bufio.NewReader(in)
		for {
			var q isolatedQuestion
			if err := readLine(r, &q); err != nil {
				ended <- err
				cancel() // nobody waits for the answer any more
				return
			}
			select {
			case questions <- q:
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case err := <-ended:
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		case q := <-questions:
			if err := a.answerIsolated(ctx, q, out); err != nil {
				return err
			}
		}
	}
}

func (a *App) answerIsolated(ctx context.Context, q isolatedQuestion, out io.Writer) error {
	if err := writeLine(out, isolatedAnswer{Began: true}); err != nil {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	result, err := a.question(asking, q.Process, q.Person)
	if err != nil {
		return writeLine(out, isolatedAnswer{Error: err.Error()})
	}
	return writeLine(out, isolatedAnswer{Result: &result})
}

func writeLine(w io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a line: %w", err)
	}
	if _, err := w.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("writing a line: %w", err)
	}
	return nil
}

// readLine reads one line of at most isolatedLine bytes; io.EOF when the other side has ended.
func readLine(r *bufio.Reader, into any) error {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if line = append(line, part...); len(line) > isolatedLine {
			return fmt.Errorf("a line of more than %d bytes", isolatedLine)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return fmt.Errorf("reading a line: %w", err)
		}
	}
	if err := json.Unmarshal(line, into); err != nil {
		return fmt.Errorf("reading a line: %w", err)
	}
	return nil
}
