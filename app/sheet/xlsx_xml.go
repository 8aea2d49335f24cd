package sheet

import (
	"archive/zip"
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"golang.org/x/net/html/charset"
)

// maxToken is how many bytes one tag, text or comment of a part may have. Excel
// allows 32,767 characters a cell; a part that goes on for longer is a bomb.
const maxToken = 1 << 20

// xmlBuffer is the window on an unpacked part.
const xmlBuffer = 64 << 10

// xmlPart reads the tags and texts of one part of a package in flat memory. It
// uses raw tokens: the translating decoder keeps a stack of open elements, which
// a hostile file can grow without end.
type xmlPart struct {
	name    string
	in      io.ReadCloser
	guard   *tokenGuard
	dec     *xml.Decoder
	element element // after tagOpen and tagClose
	text    []byte  // after textFound; valid until the next call
}

// tagKind is what xmlPart.next has found.
type tagKind int

const (
	otherFound tagKind = iota // comments, instructions
	tagOpen
	tagClose
	textFound
)

// element is a tag: its local name and, when it opens, its attributes.
type element struct {
	name  string
	attrs []xml.Attr
}

// attr is the value of the attribute with this local name, "" if there is none.
func (e element) attr(name string) string {
	for _, a := range e.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func openXML(f *zip.File) (*xmlPart, error) {
	in, err := f.Open()
	if err != nil {
		return nil, partError(f.Name, err)
	}
	guard := &tokenGuard{r: in}
	dec := xml.NewDecoder(bufio.NewReaderSize(guard, xmlBuffer))
	dec.CharsetReader = charset.NewReaderLabel
	return &xmlPart{name: f.Name, in: in, guard: guard, dec: dec}, nil
}

// next reads one token; io.EOF at the end of the part.
func (x *xmlPart) next() (tagKind, error) {
	x.guard.run = 0
	token, err := x.dec.RawToken()
	if err != nil {
		return otherFound, partError(x.name, err)
	}
	switch t := token.(type) {
	case xml.StartElement:
		x.element = element{t.Name.Local, t.Attr}
		return tagOpen, nil
	case xml.EndElement:
		x.element = element{name: t.Name.Local}
		return tagClose, nil
	case xml.CharData:
		x.text = t
		return textFound, nil
	}
	return otherFound, nil
}

func (x *xmlPart) close() error {
	if err := x.in.Close(); err != nil {
		return fmt.Errorf("closing %s: %w", x.name, err)
	}
	return nil
}

// tokenGuard counts what is read for one token and stops it at maxToken.
type tokenGuard struct {
	r   io.Reader
	run int
}

var errToken = errors.New("a text without end")

func (g *tokenGuard) Read(p []byte) (int, error) {
	if g.run > maxToken {
		return 0, errToken
	}
	n, err := g.r.Read(p)
	g.run += n
	return n, err
}

// partError makes a refusal of what a broken part leads to.
func partError(name string, err error) error {
	var syntax *xml.SyntaxError
	var refusal *Refusal
	switch {
	case errors.Is(err, io.EOF), errors.As(err, &refusal):
		return err
	case errors.Is(err, errToken):
		return refuse(XLSXTooLarge, "A cell of this Excel file is longer than %s. Remove it, or save the table as CSV, and upload that.", size(maxToken))
	case errors.As(err, &syntax):
		return brokenXLSX(fmt.Sprintf("%s is damaged in line %d", name, syntax.Line))
	case errors.Is(err, zip.ErrFormat), errors.Is(err, zip.ErrAlgorithm), errors.Is(err, zip.ErrChecksum), errors.Is(err, io.ErrUnexpectedEOF), isCorrupt(err):
		return brokenXLSX(name + " is damaged")
	}
	return fmt.Errorf("reading %s: %w", name, err)
}
