package web

import (
	"errors"
	"fmt"
	"hash"
	"io"
	"mime/multipart"
	"net/http"

	"beagle/app"
)

// Bounds of the fields that come with a file.
const (
	maxFields = 20
	maxField  = 64 << 10
)

// pastedName is what a file is called that was typed into the page.
const pastedName = "Pasted rows.csv"

// posted is a form with a file, read as it comes in: the fields before the file, then the file itself, then more fields.
type posted struct {
	parts    *multipart.Reader
	fields   map[string]string
	file     io.Reader // nil when there is none
	filename string
	said     hash.Hash // nil, or takes what was posted, whatever the boundary between the parts
}

// readPosted reads up to the file. Fields after it are read by rest, when the file has been.
func readPosted(r *http.Request, said hash.Hash) (*posted, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, app.Refuse(app.CodeBadInput, "wrong_params", "Send the file as multipart/form-data, in a field named file.")
	}
	p := &posted{parts: parts, fields: map[string]string{}, said: said}
	return p, p.next()
}

// next reads fields until a file or the end. The field "rows" is a file that was pasted as text.
func (p *posted) next() error {
	for {
		part, err := p.parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return brokenOff()
		}
		name, filename := part.FormName(), part.FileName()
		if p.file == nil && (name == "rows" || filename != "") {
			if filename == "" {
				filename = pastedName
			}
			p.file, p.filename = filePart{p.noted(name, filename, part)}, filename
			return nil
		}
		if err := p.keep(name, part); err != nil {
			return err
		}
	}
}

// noted is a part that is taken down as it is read.
func (p *posted) noted(name, filename string, part io.Reader) io.Reader {
	if p.said == nil {
		return part
	}
	fmt.Fprintf(p.said, "%q %q ", name, filename) // a hash takes everything
	return io.TeeReader(part, p.said)
}

func (p *posted) keep(name string, part io.Reader) error {
	value, err := io.ReadAll(io.LimitReader(p.noted(name, "", part), maxField+1))
	if err != nil {
		return brokenOff()
	}
	if len(value) > maxField || len(p.fields) >= maxFields {
		return app.Refuse(app.CodeTooLarge, "field_too_large", "The fields beside the file are too many or too long.")
	}
	p.fields[name] = string(value)
	return nil
}

// rest reads the fields after the file.
func (p *posted) rest() error { return p.next() }

// brokenOff refuses an upload whose bytes stopped coming. It does not wrap the cause: io.ErrUnexpectedEOF would read
// as "a short file" further on.
func brokenOff() error {
	return app.Refuse(app.CodeBadInput, "upload_broken_off", "The upload broke off before its end. Send the file again.")
}

// filePart is the file as it comes in. An error while reading it is the client's, not ours.
type filePart struct{ from io.Reader }

func (f filePart) Read(b []byte) (int, error) {
	n, err := f.from.Read(b)
	if err != nil && err != io.EOF {
		err = brokenOff()
	}
	return n, err
}

func tooLarge(most int64) error {
	return app.Refuse(app.CodeTooLarge, "file_too_large", "The file is larger than %s, the most that is taken here. Split it and upload the parts.", size(most))
}
