package sheet

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

type jsonlWriter struct {
	w    *bufio.Writer
	keys [][]byte // as JSON, with the colon
	used map[string]bool
	buf  []byte
}

func newJSONLWriter(w io.Writer, o WriteOptions) *jsonlWriter {
	jw := &jsonlWriter{w: bufio.NewWriterSize(w, writeBuffer), used: map[string]bool{}}
	for _, name := range o.Columns {
		jw.addKey(name)
	}
	return jw
}

// addKey makes a key of a name. A name that is taken gets " (2)", " (3)", …
func (jw *jsonlWriter) addKey(name string) {
	if name == "" {
		name = numberedColumn(len(jw.keys))
	}
	key := name
	for n := 2; jw.used[key]; n++ {
		key = fmt.Sprintf("%s (%d)", name, n)
	}
	jw.used[key] = true
	jw.keys = append(jw.keys, append(quoteJSON(nil, key), ':'))
}

func (jw *jsonlWriter) Write(cells []string) error {
	for len(jw.keys) < len(cells) {
		jw.addKey("")
	}
	b := append(jw.buf[:0], '{')
	for i, cell := range cells {
		if i > 0 {
			b = append(b, ',')
		}
		b = quoteJSON(append(b, jw.keys[i]...), cell)
	}
	jw.buf = append(b, "}\n"...)
	if _, err := jw.w.Write(jw.buf); err != nil {
		return fmt.Errorf("writing a row: %w", err)
	}
	return nil
}

func (jw *jsonlWriter) Close() error {
	if err := jw.w.Flush(); err != nil {
		return fmt.Errorf("writing the last rows: %w", err)
	}
	return nil
}

// quoteJSON appends s as a JSON string (RFC 8259, section 7). Plain ASCII, which
// is most cells, is copied; encoding/json does the rest.
func quoteJSON(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			// Marshalling a string cannot fail.
			quoted, _ := json.Marshal(s)
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
