package app_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"
	"beagle/app/sheet"

	"github.com/stretchr/testify/require"
)

// leavesNothing fails when a list, a record or a file is there.
func leavesNothing(t *testing.T, e *apptest.Env, as app.Actor) {
	t.Helper()
	_, _, total, err := e.Lists(t.Context(), as.Account, "", 10)
	require.NoError(t, err)
	require.Zero(t, total)
	for f, err := range e.Files.List(t.Context(), "") {
		require.NoError(t, err)
		t.Errorf("file %s was left behind", f.Key)
	}
}

func TestBadFilesAreRefusedWithAReasonAndLeaveNothing(t *testing.T) {
	e := apptest.New(t, func(c *config.Config) { c.Upload.MaxBytes = 4 << 20 })
	as := e.NewActor("owner@alder.example")
	row := "Ada,Ash,alder.example\n"
	for name, c := range map[string]struct {
		filename string
		body     io.Reader
		size     int64
		id       string
		code     app.Code
	}{
		"empty":                {"a.csv", strings.NewReader(""), 0, "empty_file", app.CodeUnprocessable},
		"binary":               {"a.csv", bytes.NewReader(append([]byte("\x7fELF\x02\x01\x01\x00"), make([]byte, 4096)...)), -1, "not_a_spreadsheet", app.CodeUnprocessable},
		"one endless line":     {"a.csv", &endless{}, -1, "line_too_long", app.CodeUnprocessable},
		"broken workbook":      {"a.xlsx", bytes.NewReader(workbook(t)[:900]), -1, "broken_xlsx", app.CodeUnprocessable},
		"too large, announced": {"a.csv", strings.NewReader(row), 5 << 20, "file_too_large", app.CodeTooLarge},
		"too large, not said":  {"a.csv", io.MultiReader(strings.NewReader("first,last,domain\n"), io.LimitReader(&repeating{line: row}, 5<<20)), -1, "file_too_large", app.CodeTooLarge},
		"broken off at once":   {"a.csv", io.MultiReader(strings.NewReader("first,last,domain\n"+row), &brokenOff{}), -1, "upload_interrupted", app.CodeBadInput},
		"broken off later":     {"a.csv", io.MultiReader(strings.NewReader(strings.Repeat(row, 100_000)), &brokenOff{}), -1, "upload_interrupted", app.CodeBadInput},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := e.App.Upload(t.Context(), as, app.UploadParams{Filename: c.filename, Body: c.body, Size: c.size})
			refused, ok := app.Refusal(err)
			require.True(t, ok, "%v", err)
			require.Equal(t, c.id, refused.ID, refused.Message)
			require.Equal(t, c.code, refused.Code)
			require.NotEmpty(t, refused.Message)
			leavesNothing(t, e, as)
		})
	}
}

// workbook is a small XLSX file.
func workbook(t *testing.T) []byte {
	t.Helper()
	var body bytes.Buffer
	w, err := sheet.NewWriter(&body, sheet.XLSX, sheet.WriteOptions{Columns: []string{"first name", "last name", "domain"}})
	require.NoError(t, err)
	require.NoError(t, w.Write([]string{"Ada", "Ash", "alder.example"}))
	require.NoError(t, w.Close())
	return body.Bytes()
}

// endless is a line without an end: a gigabyte and more of it.
type endless struct{ read int }

func (r *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	r.read += len(p)
	return len(p), nil
}

type repeating struct {
	line string
	at   int
}

func (r *repeating) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.line[r.at%len(r.line)]
		r.at++
	}
	return len(p), nil
}

type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestFileWithoutAUsableColumnCannotBeStarted(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@alder.example")
	l := e.Upload(as, "prices.csv", []byte("sku,price,stock\nA-1,9.50,3\nA-2,19.00,7\n"))
	_, err := e.Start(t.Context(), as, l.Ref, app.StartParams{})
	refused, ok := app.Refusal(err)
	require.True(t, ok, "%v", err)
	require.Equal(t, "no_usable_column", refused.ID)
	require.Contains(t, refused.Message, "sku", "it says which columns were seen")
	_, err = e.Start(t.Context(), as, l.Ref, app.StartParams{Process: "guess"})
	require.Equal(t, app.CodeBadInput, app.CodeOf(err))
}

func TestListOfAnotherAccountIsNotFound(t *testing.T) {
	e := apptest.New(t)
	mine, theirs := e.NewActor("owner@alder.example"), e.NewActor("owner@birch.example")
	l, _ := running(t, e, mine, threePeople)
	calls := map[string]func() error{
		"list":     func() error { _, err := e.List(t.Context(), theirs.Account, l.Ref); return err },
		"preview":  func() error { _, err := e.Preview(t.Context(), theirs.Account, l.Ref, nil); return err },
		"start":    func() error { _, err := e.Start(t.Context(), theirs, l.Ref, app.StartParams{}); return err },
		"records":  func() error { _, _, err := e.Records(t.Context(), theirs.Account, l, app.RecordQuery{}); return err },
		"record":   func() error { _, err := e.Record(t.Context(), theirs.Account, l, "1"); return err },
		"pause":    func() error { _, err := e.Pause(t.Context(), theirs, l.Ref); return err },
		"resume":   func() error { _, err := e.Resume(t.Context(), theirs, l.Ref); return err },
		"cancel":   func() error { _, err := e.Cancel(t.Context(), theirs, l.Ref); return err },
		"retry":    func() error { _, err := e.RetryFailed(t.Context(), theirs, l.Ref); return err },
		"rebuild":  func() error { _, err := e.Rebuild(t.Context(), theirs, l.Ref); return err },
		"rename":   func() error { _, err := e.RenameList(t.Context(), theirs, l.Ref, "mine now"); return err },
		"delete":   func() error { return e.DeleteList(t.Context(), theirs, l.Ref) },
		"discard":  func() error { return e.Discard(t.Context(), theirs, l.Ref) },
		"download": func() error { _, err := e.Download(t.Context(), theirs.Account, l, "csv", false); return err },
	}
	for name, call := range calls {
		require.Equal(t, app.CodeNotFound, app.CodeOf(call()), name)
	}
	lists, _, total, err := e.Lists(t.Context(), theirs.Account, "", 10)
	require.NoError(t, err)
	require.Empty(t, lists)
	require.Zero(t, total)
}

func TestControlsDoWhatTheySay(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@alder.example")
	l, rows := running(t, e, as, threePeople)

	l, err := e.Pause(t.Context(), as, l.Ref)
	require.NoError(t, err)
	require.Equal(t, app.ListPaused, l.State)
	l, err = e.Resume(t.Context(), as, l.Ref)
	require.NoError(t, err)
	require.Equal(t, app.ListRunning, l.State)
	require.NoError(t, e.Answer(t.Context(), rows[0], 1, "ada.ash@alder.example"))

	partial := readTable(t, e.Result(as, l, "csv", false), ',')
	require.Equal(t, "ada.ash@alder.example", partial.cell(t, 0, "email"))
	require.Equal(t, "pending", partial.cell(t, 1, "status"))

	l, err = e.Cancel(t.Context(), as, l.Ref)
	require.NoError(t, err)
	require.Equal(t, app.ListCanceled, l.State)
	_, err = e.Resume(t.Context(), as, l.Ref)
	require.Equal(t, app.CodeConflict, app.CodeOf(err))

	require.NoError(t, e.DeleteList(t.Context(), as, l.Ref))
	_, err = e.List(t.Context(), as.Account, l.Ref)
	require.Equal(t, app.CodeNotFound, app.CodeOf(err), "it is gone at once")
	require.NoError(t, e.Clear(t.Context(), l.ID))
	require.NoError(t, e.Clear(t.Context(), l.ID))
	leavesNothing(t, e, as)
	var left int64
	require.NoError(t, e.DB.Table("records").Count(&left).Error)
	require.Zero(t, left)
}
