package sheet

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxJSONLine is the longest line of a JSONL file that is read as an object.
const maxJSONLine = 1 << 20

// jsonPeek is how many lines are read ahead for the columns when the Dialect
// does not name them, and how many of the sniffed block count.
const jsonPeek = 1000

// jsonLines reads one object per line (jsonlines.org). Values become the text of
// cells: strings as they are, null empty, all else as JSON text.
type jsonLines struct {
	r       *bufio.Reader
	limits  Limits
	line    int
	columns []string
	index   map[string]int
	buf     []byte
	ahead   []jsonLine
}

// jsonLine is one line, taken apart or bad.
type jsonLine struct {
	line   int
	fields []jsonField
	text   string // the line itself when it is bad, cut to a cell
	bad    string
}

type jsonField struct{ key, value string }

func newJSONLines(r io.Reader, columns []string, l Limits) (*jsonLines, error) {
	js := &jsonLines{r: bufio.NewReaderSize(r, decoderBytes), limits: l, index: map[string]int{}}
	js.dropMark()
	for _, name := range columns {
		js.column(name)
	}
	if len(columns) == 0 {
		if err := js.peek(); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	if len(js.columns) > l.MaxColumns {
		return nil, refuse(TooManyColumns, "The objects of the file have more than %d different keys. Remove the keys you do not need and upload the file again.", l.MaxColumns)
	}
	return js, nil
}

func (js *jsonLines) dropMark() {
	if b, err := js.r.Peek(len(byteOrderMark)); err == nil && bytes.Equal(b, byteOrderMark) {
		// What was peeked is in the buffer: discarding it cannot fail.
		_, _ = js.r.Discard(len(byteOrderMark))
	}
}

// column is the index of the column called name, a new one if there is none.
func (js *jsonLines) column(name string) int {
	i, known := js.index[name]
	if !known {
		i = len(js.columns)
		js.index[name] = i
		js.columns = append(js.columns, name)
	}
	return i
}

// peek reads the first lines, at most SniffBytes of them, and takes their keys
// for columns.
func (js *jsonLines) peek() error {
	for left := SniffBytes; left > 0 && len(js.ahead) < jsonPeek && len(js.columns) <= js.limits.MaxColumns; {
		jl, err := js.scan()
		if err != nil {
			return err
		}
		js.ahead = append(js.ahead, jl)
		left -= len(jl.text)
		for _, f := range jl.fields {
			js.column(f.key)
			left -= len(f.key) + len(f.value)
		}
	}
	return nil
}

func (js *jsonLines) next(rec *record) error {
	var jl jsonLine
	if len(js.ahead) > 0 {
		jl, js.ahead = js.ahead[0], js.ahead[1:]
	} else {
		var err error
		if jl, err = js.scan(); err != nil {
			return err
		}
	}
	*rec = record{line: jl.line, bad: jl.bad, cells: make([]string, len(js.columns))}
	if jl.bad != "" {
		if len(rec.cells) == 0 {
			rec.cells = make([]string, 1)
		}
		rec.cells[0] = jl.text
		return nil
	}
	for _, f := range jl.fields {
		js.place(rec, f)
	}
	return nil
}

// place puts a field into its column. A key that is no column comes after the
// last one as "key: value", so that nothing is lost.
func (js *jsonLines) place(rec *record, f jsonField) {
	value, i := f.value, 0
	i, known := js.index[f.key]
	if !known {
		if i = len(rec.cells); i >= js.limits.MaxColumns {
			rec.bad = wideBad(js.limits.MaxColumns)
			return
		}
		rec.cells = append(rec.cells, "")
		value = f.key + ": " + value
	}
	if len(value) > js.limits.MaxCell {
		value = value[:js.limits.MaxCell]
		value = value[:len(value)-cutRune([]byte(value[max(0, len(value)-4):]))]
		if rec.bad == "" {
			rec.bad = longBad(i, js.limits.MaxCell)
		}
	}
	rec.cells[i] = value
}

// scan reads the next line that is not empty.
func (js *jsonLines) scan() (jsonLine, error) {
	for {
		line, tooLong, err := js.readLine()
		if err != nil {
			return jsonLine{}, err
		}
		jl := jsonLine{line: js.line}
		switch line = bytes.TrimSpace(line); {
		case tooLong:
			jl.bad = fmt.Sprintf("line %d is longer than %s", js.line, size(maxJSONLine))
		case len(line) == 0:
			continue
		default:
			if jl.fields, err = fields(line); err != nil {
				jl.bad = fmt.Sprintf("line %d is not a JSON object", js.line)
			}
		}
		if jl.bad != "" {
			jl.fields, jl.text = nil, clean(line[:min(len(line), js.limits.MaxCell)])
		}
		return jl, nil
	}
}

// readLine reads up to the next LF. Of a line longer than maxJSONLine it gives
// the beginning and skips the rest.
func (js *jsonLines) readLine() (line []byte, tooLong bool, err error) {
	js.buf = js.buf[:0]
	for {
		part, err := js.r.ReadSlice('\n')
		if room := maxJSONLine - len(js.buf); len(part) > room {
			part, tooLong = part[:room], true
		}
		js.buf = append(js.buf, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && (!errors.Is(err, io.EOF) || len(js.buf) == 0) {
			return nil, false, err
		}
		js.line++
		return js.buf, tooLong, nil
	}
}

func (js *jsonLines) close() error { return nil }

// errNotObject says that a line of JSONL holds something other than one object.
var errNotObject = errors.New("not one JSON object")

// fields takes an object apart, in the order of its keys. Of a key that occurs
// twice both values are given.
func fields(line []byte) ([]jsonField, error) {
	dec := json.NewDecoder(bytes.NewReader(line))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errNotObject
	}
	var list []jsonField
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, err
		}
		value, err := cellOf(raw)
		if err != nil {
			return nil, err
		}
		list = append(list, jsonField{key: clean([]byte(key.(string))), value: value})
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errNotObject
	}
	return list, nil
}

// cellOf is the text of a JSON value.
func cellOf(raw json.RawMessage) (string, error) {
	switch {
	case len(raw) == 0, raw[0] == 'n':
		return "", nil
	case raw[0] == '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return "", err
		}
		return strings.ReplaceAll(s, "\x00", ""), nil
	}
	return clean(raw), nil
}
