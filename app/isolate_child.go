package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"

	"beagle/app/finder"
)

const isolatedLine = 8 << 20 // bytes of one line between worker and child

// isolatedQuestion and isolatedAnswer are the lines of JSON between worker and child. A question goes in and two answers with its
// number come back: the first has only Began, and before it the row is not to blame for whatever happens.
type isolatedQuestion struct {
	ID      int
	Process string
	Person  finder.Person
}

type isolatedAnswer struct {
	ID     int
	Began  bool
	Error  string
	Result *finder.Result
}

// child is a process that looks up rows, as its worker sees it.
type child struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	dead chan struct{} // closed when its output has ended: by then it has gone or is of no more use

	mu     sync.Mutex
	last   int // number of the last question
	open   map[int]*openQuestion
	worked bool // it has begun a row
}

// openQuestion is one that has no answer yet.
type openQuestion struct {
	began  bool
	answer chan isolatedAnswer // takes one
}

// childDeath says that a child ended before it answered.
type childDeath struct {
	worked bool // it had begun some row: it could be started
	began  bool // this row
	others int  // rows that it had begun and not answered
}

func (d childDeath) Error() string {
	return fmt.Sprintf("the process ended (this row begun: %t; others begun: %d)", d.began, d.others)
}

// guilty tells that it was this row and no other.
func (d childDeath) guilty() bool { return d.began && d.others == 0 }

// childError is an error of the lookup, told by a child that lives.
type childError struct{ text string }

func (e childError) Error() string { return e.text }

func startChild(cmd *exec.Cmd) (*child, error) {
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
	c := &child{cmd: cmd, in: in, dead: make(chan struct{}), open: map[int]*openQuestion{}}
	go c.listen(bufio.NewReader(out))
	return c, nil
}

// listen hands answers to those who asked, until there are no more.
func (c *child) listen(out *bufio.Reader) {
	defer close(c.dead)
	for {
		var a isolatedAnswer
		if err := readLine(out, &a); err != nil {
			_ = c.cmd.Process.Kill()
			_ = c.cmd.Wait() // how it ended says nothing about why
			return
		}
		c.mu.Lock()
		switch q := c.open[a.ID]; {
		case q == nil: // a number that was never asked
		case a.Began:
			q.began, c.worked = true, true
		default:
			delete(c.open, a.ID)
			q.answer <- a
		}
		c.mu.Unlock()
	}
}

func (c *child) died() bool {
	select {
	case <-c.dead:
		return true
	default:
		return false
	}
}

// end kills a child, nil too, and waits for its end.
func (c *child) end() {
	if c == nil {
		return
	}
	_ = c.in.Close()
	_ = c.cmd.Process.Kill()
	<-c.dead
}

// ask puts one question. When ctx ends the child is killed, since it cannot be told to stop; other rows in its hands are asked about
// elsewhere. The error is a childDeath, a childError, or that of ctx.
func (c *child) ask(ctx context.Context, q isolatedQuestion) (finder.Result, error) {
	open := &openQuestion{answer: make(chan isolatedAnswer, 1)}
	c.mu.Lock()
	c.last++
	q.ID = c.last
	c.open[q.ID] = open
	err := writeLine(c.in, q)
	c.mu.Unlock()
	if err != nil {
		_ = c.cmd.Process.Kill()
	}
	select {
	case a := <-open.answer:
		return a.result()
	case <-ctx.Done():
		_ = c.cmd.Process.Kill()
		<-c.dead
		return finder.Result{}, fmt.Errorf("asking in isolation: %w", ctx.Err())
	case <-c.dead:
	}
	select {
	case a := <-open.answer: // the last thing it did
		return a.result()
	default:
		return finder.Result{}, c.deathOf(open)
	}
}

func (a isolatedAnswer) result() (finder.Result, error) {
	if a.Result == nil {
		return finder.Result{}, childError{a.Error}
	}
	return *a.Result, nil
}

// deathOf tells what a dead child had in its hands besides one question.
func (c *child) deathOf(q *openQuestion) childDeath {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := childDeath{worked: c.worked, began: q.began}
	for _, other := range c.open {
		if other != q && other.began {
			d.others++
		}
	}
	return d
}

// ServeIsolated is the child: it answers questions, several at once, until in ends, which is when its worker ends. What is under way
// then is left: a row may be one that never ends.
func (a *App) ServeIsolated(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := &answers{out: out}
	r := bufio.NewReader(in)
	for {
		var q isolatedQuestion
		switch err := readLine(r, &q); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := answers.write(isolatedAnswer{ID: q.ID, Began: true}); err != nil {
			return err
		}
		go func() { _ = answers.write(a.answerIsolated(ctx, q)) }() // if it cannot be written, in has ended too
	}
}

func (a *App) answerIsolated(ctx context.Context, q isolatedQuestion) isolatedAnswer {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	result, err := a.question(ctx, q.Process, q.Person)
	if err != nil {
		return isolatedAnswer{ID: q.ID, Error: err.Error()}
	}
	return isolatedAnswer{ID: q.ID, Result: &result}
}

// answers writes lines of several rows, one after another.
type answers struct {
	mu  sync.Mutex
	out io.Writer
}

func (s *answers) write(a isolatedAnswer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return writeLine(s.out, a)
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
