package sheet

import (
	"archive/zip"
	"errors"
	"io"
	"path"
	"strings"
)

// book is an opened workbook: its archive, checked against the limits, and what
// its small parts say. Layout: ECMA-376 part 1 (SpreadsheetML), part 2 (packages).
type book struct {
	parts    map[string]*zip.File // by lower-cased name
	sheets   []bookSheet
	strings  string // name of the part with the shared strings, "" if none
	styles   string
	date1904 bool
	limits   Limits
}

type bookSheet struct {
	name, part string
	hidden     bool
}

// The archive's directory may take this much per entry allowed, and no more is
// read of it: archive/zip would load millions of entries.
const (
	directoryEntry = 1 << 10
	directoryEnd   = 66 << 10 // comment and end record that are searched first
)

// smallRatio is the unpacked size up to which the ratio does not matter.
const smallRatio = 1 << 20

// openBook checks the archive before anything is unpacked and reads which sheets
// there are.
func openBook(r io.ReaderAt, size int64, l Limits) (*book, error) {
	l = l.filled()
	if size > l.MaxBytes {
		return nil, tooBig(l.MaxBytes)
	}
	head := make([]byte, min(size, 4<<10))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !strings.HasPrefix(string(head), zipMagic) {
		if err := refuseMagic(head); err != nil {
			return nil, err
		}
		return nil, brokenXLSX("it is not an Excel workbook")
	}
	guard := &budget{r: r, left: int64(l.Entries)*directoryEntry + directoryEnd}
	zr, err := zip.NewReader(guard, size)
	if err != nil {
		return nil, directoryError(err, l)
	}
	guard.off = true
	b := &book{parts: map[string]*zip.File{}, limits: l}
	if err := b.checkArchive(zr.File); err != nil {
		return nil, err
	}
	if err := b.readWorkbook(head); err != nil {
		return nil, err
	}
	if len(b.sheets) == 0 {
		return nil, brokenXLSX("it has no sheets")
	}
	return b, nil
}

// budget is a ReaderAt that stops after so many bytes, until it is off.
type budget struct {
	r    io.ReaderAt
	left int64
	off  bool
}

var errBudget = errors.New("the directory of the archive is too long")

func (b *budget) ReadAt(p []byte, at int64) (int, error) {
	if !b.off {
		if b.left -= int64(len(p)); b.left < 0 {
			return 0, errBudget
		}
	}
	return b.r.ReadAt(p, at)
}

func directoryError(err error, l Limits) error {
	switch {
	case errors.Is(err, errBudget):
		return tooManyParts(l)
	case errors.Is(err, zip.ErrFormat), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return brokenXLSX("its end is missing, perhaps the upload was cut off")
	}
	return err
}

func brokenXLSX(why string) *Refusal {
	return refuse(BrokenXLSX, "This Excel file cannot be read: %s. Open it in Excel, save it again as .xlsx (or as CSV) and upload that.", why)
}

func tooManyParts(l Limits) *Refusal {
	return refuse(XLSXTooLarge, "This Excel file has more than %d parts inside. Copy the table into a new workbook, or save it as CSV, and upload that.", l.Entries)
}

func unpacksTooLarge(what string) *Refusal {
	return refuse(XLSXTooLarge, "This Excel file unpacks to %s. Save the table as CSV and upload that.", what)
}

// checkArchive holds what the directory declares against the limits. That the
// parts are as long as declared is archive/zip's promise.
func (b *book) checkArchive(files []*zip.File) error {
	if len(files) > b.limits.Entries {
		return tooManyParts(b.limits)
	}
	var packed, unpacked uint64
	for _, f := range files {
		if f.UncompressedSize64 > uint64(b.limits.Unzipped) {
			return unpacksTooLarge("more than " + size(b.limits.Unzipped))
		}
		packed += f.CompressedSize64
		unpacked += f.UncompressedSize64
		b.parts[partName(f.Name)] = f
	}
	switch {
	case unpacked > uint64(b.limits.Unzipped):
		return unpacksTooLarge("more than " + size(b.limits.Unzipped))
	case unpacked > smallRatio && unpacked > packed*uint64(b.limits.Ratio):
		return unpacksTooLarge("far more than such a file should")
	}
	return nil
}

// partName is the key of a part: names are compared without case, and some
// writers use backslashes or a leading slash.
func partName(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Clean(strings.ReplaceAll(name, `\`, "/")), "/"))
}

// readWorkbook reads the parts that say where everything is. The head of the file
// serves to say what an archive is that is no workbook.
func (b *book) readWorkbook(head []byte) error {
	main := "xl/workbook.xml"
	roots, err := b.relations("_rels/.rels", "")
	if err != nil {
		return err
	}
	for _, rel := range roots {
		if strings.HasSuffix(rel.kind, "/officeDocument") {
			main = rel.target
		}
	}
	if b.parts[partName(main)] == nil && !IsXLSX(head) {
		return zipRefusal(head)
	}
	folder, file := path.Split(main)
	rels, err := b.relations(folder+"_rels/"+file+".rels", folder)
	if err != nil {
		return err
	}
	for _, rel := range rels {
		switch {
		case strings.HasSuffix(rel.kind, "/sharedStrings"):
			b.strings = rel.target
		case strings.HasSuffix(rel.kind, "/styles"):
			b.styles = rel.target
		}
	}
	return b.eachElement(main, func(e element) {
		switch e.name {
		case "workbookPr":
			b.date1904 = isTrue(e.attr("date1904"))
		case "sheet":
			rel := rels[e.attr("id")]
			if strings.HasSuffix(rel.kind, "/worksheet") {
				b.sheets = append(b.sheets, bookSheet{name: clean([]byte(e.attr("name"))), part: rel.target, hidden: e.attr("state") != "" && e.attr("state") != "visible"})
			}
		}
	})
}

// relation is one entry of a .rels part: what kind of part it leads to, where.
type relation struct{ kind, target string }

// relations reads a .rels part by id. A package without it has none.
func (b *book) relations(name, folder string) (map[string]relation, error) {
	rels := map[string]relation{}
	if b.parts[partName(name)] == nil {
		return rels, nil
	}
	err := b.eachElement(name, func(e element) {
		if e.name != "Relationship" || e.attr("TargetMode") == "External" {
			return
		}
		target := e.attr("Target")
		if !strings.HasPrefix(target, "/") {
			target = folder + target
		}
		rels[e.attr("Id")] = relation{kind: e.attr("Type"), target: partName(target)}
	})
	return rels, err
}

func isTrue(s string) bool { return s == "1" || s == "true" || s == "on" }

// maxSmallPart bounds the parts that are read whole: workbook, relations, styles.
const maxSmallPart = 8 << 20

// eachElement calls visit with every opening tag of a small part.
func (b *book) eachElement(name string, visit func(element)) error {
	f := b.parts[partName(name)]
	if f == nil {
		return brokenXLSX("a part is missing inside (" + path.Base(name) + ")")
	}
	if f.UncompressedSize64 > maxSmallPart {
		return unpacksTooLarge("very large settings")
	}
	x, err := openXML(f)
	if err != nil {
		return err
	}
	defer x.close()
	for {
		kind, err := x.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case kind == tagOpen:
			visit(x.element)
		}
	}
}
