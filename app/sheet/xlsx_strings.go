package sheet

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
)

// Bounds of the shared strings: how many there may be, how many of their bytes
// stay in memory before they go to a temporary file, and how much of that file is
// read at a time.
const (
	maxStrings    = 10_000_000
	memoryStrings = 8 << 20
	stringsPage   = 32 << 10
)

// sharedStrings is the table of texts that the cells of a workbook refer to by
// number. It is read as far as it is asked for: most writers put a text where it
// is first used, so the first rows need only the beginning.
type sharedStrings struct {
	part   *xmlPart // nil when all is read, or if there is none
	limit  int      // bytes kept of each text; one more than a cell may have
	ends   []uint32 // where each text ends
	stored uint32   // bytes in file; memory holds what comes after them
	memory []byte
	file   *os.File
	page   []byte
	pageAt uint32
}

func openStrings(b *book) (*sharedStrings, error) {
	ss := &sharedStrings{limit: b.limits.MaxCell + 1}
	f := b.parts[b.strings]
	if f == nil {
		return ss, nil
	}
	var err error
	ss.part, err = openXML(f)
	return ss, err
}

// at is the text with the number i, from 0.
func (ss *sharedStrings) at(i int) (string, error) {
	for i >= len(ss.ends) {
		if ss.part == nil {
			return "", brokenXLSX(fmt.Sprintf("a cell refers to text %d, which is not there", i))
		}
		if err := ss.readOne(); err != nil {
			return "", err
		}
	}
	if i < 0 {
		return "", brokenXLSX("a cell refers to a text that is not there")
	}
	from := uint32(0)
	if i > 0 {
		from = ss.ends[i-1]
	}
	return ss.slice(from, ss.ends[i])
}

// slice is the text between two offsets. A text is wholly in the file or wholly
// in memory.
func (ss *sharedStrings) slice(from, to uint32) (string, error) {
	if from >= ss.stored {
		return string(ss.memory[from-ss.stored : to-ss.stored]), nil
	}
	if from < ss.pageAt || to > ss.pageAt+uint32(len(ss.page)) {
		n := min(max(to-from, stringsPage), ss.stored-from)
		ss.page = append(ss.page[:0], make([]byte, n)...)
		if _, err := ss.file.ReadAt(ss.page, int64(from)); err != nil {
			ss.page = ss.page[:0]
			return "", fmt.Errorf("reading shared strings back: %w", err)
		}
		ss.pageAt = from
	}
	return string(ss.page[from-ss.pageAt : to-ss.pageAt]), nil
}

// readOne reads the next text of the part, or finds its end.
func (ss *sharedStrings) readOne() error {
	for {
		kind, err := ss.part.next()
		if errors.Is(err, io.EOF) {
			err = ss.part.close()
			ss.part = nil
			return err
		}
		if err != nil {
			return err
		}
		if kind == tagOpen && ss.part.element.name == "si" {
			text, err := richText(ss.part, "si", ss.limit)
			if err != nil {
				return err
			}
			return ss.keep(text)
		}
	}
}

// keep stores a text, in memory or, from memoryStrings on, in a file.
func (ss *sharedStrings) keep(text []byte) error {
	total := uint64(ss.stored) + uint64(len(ss.memory)) + uint64(len(text))
	if len(ss.ends) >= maxStrings || total > math.MaxUint32 {
		return unpacksTooLarge("more texts than we can take")
	}
	if len(ss.memory)+len(text) > memoryStrings {
		if err := ss.spill(); err != nil {
			return err
		}
	}
	ss.memory = append(ss.memory, text...)
	ss.ends = append(ss.ends, uint32(total))
	return nil
}

// spill moves what is in memory to the end of the file.
func (ss *sharedStrings) spill() error {
	if ss.file == nil {
		file, err := os.CreateTemp("", "beagle-strings-*")
		if err != nil {
			return fmt.Errorf("making a file for shared strings: %w", err)
		}
		ss.file = file
	}
	if _, err := ss.file.Write(ss.memory); err != nil {
		return fmt.Errorf("storing shared strings: %w", err)
	}
	ss.stored += uint32(len(ss.memory))
	ss.memory = ss.memory[:0]
	return nil
}

func (ss *sharedStrings) close() error {
	var errs []error
	if ss.part != nil {
		errs = append(errs, ss.part.close())
		ss.part = nil
	}
	if ss.file != nil {
		errs = append(errs, ss.file.Close(), os.Remove(ss.file.Name()))
		ss.file = nil
	}
	return errors.Join(errs...)
}

// richText is the text of an element (si, is) that holds t, or runs of t, up to
// its end tag: at most limit bytes. Phonetic readings (rPh) are not part of it.
func richText(x *xmlPart, end string, limit int) ([]byte, error) {
	var text []byte
	phonetic, inText := false, false
	for {
		kind, err := x.next()
		if errors.Is(err, io.EOF) {
			err = brokenXLSX(x.name + " ends too early")
		}
		if err != nil {
			return nil, err
		}
		switch name := x.element.name; kind {
		case tagOpen:
			phonetic = phonetic || name == "rPh"
			inText = name == "t"
		case tagClose:
			if name == end {
				return unescape(text), nil
			}
			phonetic = phonetic && name != "rPh"
			inText = false
		case textFound:
			if inText && !phonetic {
				text = appendUpTo(text, x.text, limit)
			}
		}
	}
}

func appendUpTo(dst, b []byte, limit int) []byte {
	return append(dst, b[:min(len(b), max(0, limit-len(dst)))]...)
}

// unescape turns _xHHHH_ into the character (ECMA-376 part 1, 22.9.2.19, ST_Xstring).
func unescape(text []byte) []byte {
	if !bytes.Contains(text, []byte("_x")) {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); {
		if r, ok := escaped(text[i:]); ok {
			out.WriteRune(r)
			i += escapeLength
			continue
		}
		out.WriteByte(text[i])
		i++
	}
	return []byte(out.String())
}

const escapeLength = len("_xHHHH_")

func escaped(b []byte) (rune, bool) {
	if len(b) < escapeLength || b[0] != '_' || b[1] != 'x' || b[escapeLength-1] != '_' {
		return 0, false
	}
	r := rune(0)
	for _, c := range b[2 : escapeLength-1] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// isCorrupt says whether unpacking failed because of the data.
func isCorrupt(err error) bool {
	var corrupt flate.CorruptInputError
	return errors.As(err, &corrupt)
}
