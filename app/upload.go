package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"beagle/app/sheet"

	"gorm.io/gorm"
)

// UploadParams is one file on its way in. Body is read to its end, or to the first thing that is wrong with it.
type UploadParams struct {
	Name     string // of the list; "" takes the file's
	Filename string
	Process  string // "" means find
	Body     io.Reader
	Size     int64 // bytes, -1 when unknown
}

// Upload streams a file to storage, looks at its beginning and makes a list in state mapping. Every refusal
// (empty, binary, one endless line, broken workbook, too large) leaves nothing behind.
func (a *App) Upload(ctx context.Context, as Actor, p UploadParams) (List, error) {
	if l, ok, err := a.uploadedBefore(ctx, as, p); ok || err != nil {
		return l, err
	}
	process, err := checkProcess(p.Process)
	if err != nil {
		return List{}, err
	}
	filename := cut(path.Base(strings.ReplaceAll(strings.ToValidUTF8(p.Filename, "�"), `\`, "/")), maxName)
	name, err := cleanListName(p.Name, strings.TrimSuffix(filename, path.Ext(filename)))
	if err != nil {
		return List{}, err
	}
	if p.Size > a.Config.Upload.MaxBytes {
		return List{}, a.tooLarge()
	}
	l := List{Ref: newRef(), AccountID: as.Account, UserID: as.User, Name: name, Process: process, State: ListMapping, Filename: filename,
		Trace: a.Trace.Parent(ctx), CreatedAt: a.Now(), ChangedAt: a.Now()}
	l.UploadKey = listPrefix(l) + "upload"
	sniffed, err := a.store(ctx, &l, p.Body)
	if err != nil {
		return List{}, refuseSheet(err)
	}
	l.Dialect, l.Columns, l.Mapping = sniffed.Dialect, sniffed.Columns, sniffed.Mapping
	err = a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := as.Claim.note(tx, madeList, l.Ref); err != nil {
			return err
		}
		return tx.Create(&l).Error
	})
	if err != nil {
		return List{}, errors.Join(fmt.Errorf("making a list: %w", err), a.Files.Delete(context.WithoutCancel(ctx), l.UploadKey))
	}
	a.Log.InfoContext(ctx, "list uploaded", "list", l.ID, "ref", l.Ref, "account", l.AccountID, "bytes", l.UploadBytes) // joins the request's line with those of its jobs
	a.audit(ctx, as, "list.uploaded", l.Ref)
	return l, nil
}

// uploadedBefore is the list that a request which died has made of the same file.
func (a *App) uploadedBefore(ctx context.Context, as Actor, p UploadParams) (List, bool, error) {
	ref, ok, err := as.Claim.before(madeList)
	if err != nil || !ok {
		return List{}, false, err
	}
	l, err := a.List(ctx, as.Account, ref)
	if CodeOf(err) == CodeNotFound {
		return List{}, false, nil // it was deleted since
	}
	if err == nil {
		_, err = io.Copy(io.Discard, &limitedBody{r: p.Body, left: a.Config.Upload.MaxBytes, err: a.tooLarge()})
	}
	return l, true, err
}

// store puts the file into storage and says what it is. A file of the CSV family is judged by its first MiB before anything is stored.
func (a *App) store(ctx context.Context, l *List, body io.Reader) (sheet.Sniffed, error) {
	limited := &limitedBody{r: body, left: a.Config.Upload.MaxBytes, err: a.tooLarge()}
	head, err := io.ReadAll(io.LimitReader(limited, sheet.SniffBytes))
	if err != nil {
		return sheet.Sniffed{}, bodyError(err)
	}
	whole := len(head) < sheet.SniffBytes
	rest := io.MultiReader(bytes.NewReader(head), limited)
	if sheet.IsXLSX(head) {
		return a.storeWorkbook(ctx, l, rest)
	}
	sniffed, err := sheet.Sniff(head, whole, l.Filename)
	if err != nil {
		return sheet.Sniffed{}, err
	}
	l.UploadBytes, err = a.Files.Put(ctx, l.UploadKey, "text/plain", rest)
	if err != nil {
		return sheet.Sniffed{}, bodyError(err)
	}
	return sniffed, nil
}

// storeWorkbook judges an XLSX file before it is stored. Its directory is at the end of the file, so it is held on disk meanwhile.
func (a *App) storeWorkbook(ctx context.Context, l *List, body io.Reader) (sheet.Sniffed, error) {
	file, err := spool(body)
	if err != nil {
		return sheet.Sniffed{}, bodyError(err)
	}
	defer file.Close()
	sniffed, err := sheet.SniffXLSX(file, file.size, sheet.Dialect{}, a.sheetLimits())
	if err != nil {
		return sheet.Sniffed{}, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return sheet.Sniffed{}, fmt.Errorf("reading the spooled upload: %w", err)
	}
	l.UploadBytes, err = a.Files.Put(ctx, l.UploadKey, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", file)
	if err != nil {
		return sheet.Sniffed{}, bodyError(err)
	}
	return sniffed, nil
}

// spooled is a file on disk that is gone when it is closed.
type spooled struct {
	*os.File
	size int64
}

func spool(r io.Reader) (*spooled, error) {
	f, err := os.CreateTemp("", "beagle-*.xlsx")
	if err != nil {
		return nil, fmt.Errorf("making a temporary file: %w", err)
	}
	s := &spooled{File: f}
	if s.size, err = io.Copy(f, r); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close removes the file too.
func (s *spooled) Close() error { return errors.Join(s.File.Close(), os.Remove(s.Name())) }

// limitedBody fails with err once more than left bytes have been read.
type limitedBody struct {
	r    io.Reader
	left int64
	err  error
}

func (l *limitedBody) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, l.err
	}
	return n, err
}

func (a *App) tooLarge() error {
	return Refuse(CodeTooLarge, "file_too_large", "The file is larger than %s, the most this installation takes. Split it and upload the parts.", megabytes(a.Config.Upload.MaxBytes))
}

func megabytes(n int64) string { return fmt.Sprintf("%.4g MB", float64(n)/(1<<20)) }

// bodyError tells a broken upload from a broken storage.
func bodyError(err error) error {
	if _, refused := Refusal(err); refused {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return Refuse(CodeBadInput, "upload_interrupted", "The upload stopped before its end. Please send the file again.")
	}
	return fmt.Errorf("storing an upload: %w", err)
}

// refuseSheet turns a refusal of package sheet into one of ours.
func refuseSheet(err error) error {
	var r *sheet.Refusal
	if !errors.As(err, &r) {
		return err
	}
	code := CodeUnprocessable
	if r.Code == sheet.TooBig || r.Code == sheet.XLSXTooLarge || r.Code == sheet.TooManyRows {
		code = CodeTooLarge
	}
	return &Error{Code: code, ID: r.Code, Message: r.Message}
}

func (a *App) sheetLimits() sheet.Limits {
	l := sheet.DefaultLimits()
	l.MaxBytes, l.MaxRows = a.Config.Upload.MaxBytes, a.Config.Upload.MaxRows
	return l
}

// Preview looks at the uploaded file again: as it was detected (d nil) or with what the user changed.
func (a *App) Preview(ctx context.Context, account int64, ref string, d *sheet.Dialect) (sheet.Sniffed, error) {
	l, err := a.List(ctx, account, ref)
	if err != nil {
		return sheet.Sniffed{}, err
	}
	if l.State != ListMapping {
		return sheet.Sniffed{}, Refuse(CodeConflict, "wrong_state", "This list has been started already.")
	}
	sniffed, err := a.preview(ctx, l, d)
	return sniffed, refuseSheet(err)
}

// preview reads the beginning of an upload as d says, or with d nil detects anew how it is written.
func (a *App) preview(ctx context.Context, l List, d *sheet.Dialect) (sheet.Sniffed, error) {
	body, size, err := a.Files.Open(ctx, l.UploadKey)
	if err != nil {
		return sheet.Sniffed{}, fmt.Errorf("opening upload of list %d: %w", l.ID, err)
	}
	defer body.Close()
	if l.Dialect.Format == sheet.XLSX {
		file, err := spool(body)
		if err != nil {
			return sheet.Sniffed{}, fmt.Errorf("reading upload of list %d: %w", l.ID, err)
		}
		defer file.Close()
		chosen := sheet.Dialect{}
		if d != nil {
			chosen = *d
			chosen.Format = sheet.XLSX
		}
		return sheet.SniffXLSX(file, size, chosen, a.sheetLimits())
	}
	head, err := io.ReadAll(io.LimitReader(body, sheet.SniffBytes))
	if err != nil {
		return sheet.Sniffed{}, fmt.Errorf("reading upload of list %d: %w", l.ID, err)
	}
	whole := int64(len(head)) == size
	if d == nil {
		return sheet.Sniff(head, whole, l.Filename)
	}
	return sheet.SniffAs(head, whole, *d)
}

// CreateList makes a list from rows that came without a file (the JSON API, pasted rows) and starts it.
// The rows go the same way as a file's: they are written to storage as CSV and imported from there.
func (a *App) CreateList(ctx context.Context, as Actor, name, process, callback string, columns []string, rows [][]string) (List, error) {
	if len(rows) == 0 {
		return List{}, Refuse(CodeBadInput, "no_records", "There are no records. Send at least one.")
	}
	var body bytes.Buffer
	w, err := sheet.NewWriter(&body, sheet.CSV, sheet.WriteOptions{Comma: ",", Columns: columns, Raw: true})
	if err != nil {
		return List{}, fmt.Errorf("writing posted records: %w", err)
	}
	for _, row := range rows {
		if err := w.Write(row); err != nil {
			return List{}, fmt.Errorf("writing posted records: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return List{}, fmt.Errorf("writing posted records: %w", err)
	}
	if name == "" {
		name = "Records of " + a.Now().Format("2 January 2006 15:04")
	}
	l, err := a.Upload(ctx, as, UploadParams{Name: name, Filename: "records.csv", Process: process, Body: &body, Size: int64(body.Len())})
	if err != nil || l.State != ListMapping {
		return l, err // it was started by a request that died
	}
	started, err := a.Start(ctx, as, l.Ref, StartParams{Dialect: &sheet.Dialect{Format: sheet.CSV, Comma: ",", Encoding: sheet.UTF8, Header: true}, CallbackURL: callback})
	if err != nil {
		return List{}, errors.Join(err, a.Discard(context.WithoutCancel(ctx), as, l.Ref))
	}
	return started, nil
}
