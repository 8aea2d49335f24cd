//go:build drill

package drill

import (
	"io"
	"strings"

	"beagle/app"
	"beagle/app/sheet"

	"github.com/stretchr/testify/require"
)

// finish waits for the end of the list, checks every promise and notes the drill.
func (h *house) finish(l app.List, format string, args ...any) {
	h.t.Helper()
	l = h.until(l, "ended", ended)
	require.Equal(h.t, app.ListFinished, l.State, "%s %s", l.Reason, l.Note)
	h.check(l)
	h.note(l.Total, format, args...)
}

// check holds the promises: every row once, in order, with an answer; every find charged once; counters equal the records;
// no file that belongs to nobody. Rows that were poison are as many as the drill made.
func (h *house) check(l app.List, poison ...int64) {
	h.t.Helper()
	h.checkFile(l)
	count := func(query string) (n int64) {
		h.t.Helper()
		require.NoError(h.t, h.app.DB.Raw(query, l.ID).Scan(&n).Error)
		return n
	}
	require.Equal(h.t, count("SELECT COUNT(DISTINCT person_key) FROM records WHERE list_id = ? AND status = 'valid'"),
		count("SELECT COUNT(*) FROM credit_entries WHERE kind = 'find' AND record_id IN (SELECT id FROM records WHERE list_id = ?)"), "each found row is charged once")
	var credits int64
	require.NoError(h.t, h.app.DB.Raw("SELECT a.credits - (SELECT SUM(amount) FROM credit_entries WHERE account_id = a.id) FROM accounts a WHERE id = ?", h.as.Account).Scan(&credits).Error)
	require.Zero(h.t, credits, "the balance is the sum of the ledger")
	var failures []struct {
		RowNo                   int64
		Reason, Note            string
		Crashes, Tries, Attempt int
	}
	require.NoError(h.t, h.app.DB.Raw("SELECT row_no, reason, note, crashes, tries, attempt FROM records WHERE list_id = ? AND state = 'failed' ORDER BY row_no", l.ID).Scan(&failures).Error)
	require.Len(h.t, failures, len(poison), "no row failed for a fault of ours: %+v", failures)
	for i, f := range failures {
		require.Equal(h.t, poison[i], f.RowNo)
		require.Equal(h.t, "poison", f.Reason)
	}
	require.Equal(h.t, count("SELECT COUNT(*) FROM records WHERE list_id = ? AND state IN ('done', 'failed')"), count("SELECT SUM(rows) FROM list_counts WHERE list_id = ?"), "counters equal the records")
	h.checkStorage()
}

// checkFile reads the result file.
func (h *house) checkFile(l app.List) {
	h.t.Helper()
	d, err := h.app.Download(h.t.Context(), h.as.Account, l, sheet.CSV, false)
	require.NoError(h.t, err)
	defer d.Body.Close()
	require.Positive(h.t, d.Size, "it is the stored file, and up to date")
	out, err := sheet.NewReader(d.Body, sheet.Dialect{Format: sheet.CSV, Comma: ",", Header: true}, sheet.DefaultLimits())
	require.NoError(h.t, err)
	for i, truth := range h.truths {
		row, err := out.Next()
		require.NoError(h.t, err, "the file ends before row %d", i+1)
		require.Equal(h.t, truth.Person.Last, row.Cells[1], "row %d is where it was", i+1)
		status := row.Cells[len(l.Columns)+1]
		require.NotContains(h.t, []string{"", app.RecordPending, app.RecordQueued, app.RecordRetrying}, status, "row %d has ended", i+1)
		if !h.oldAnswers && truth.Email != "" && (status == "invalid" || status == "not_found") {
			require.Failf(h.t, "false "+status, "row %d has the mailbox %s: %s", i+1, truth.Email, h.evidence(l, i+1))
		}
	}
	_, err = out.Next()
	require.ErrorIs(h.t, err, io.EOF, "no row twice")
}

// evidence is how a row was decided, for a drill that failed by it.
func (h *house) evidence(l app.List, row int) (record string) {
	h.app.DB.Raw("SELECT row_to_json(r)::text FROM records r WHERE list_id = ? AND row_no = ?", l.ID, row).Scan(&record)
	return record
}

// checkStorage looks for files that belong to no list.
func (h *house) checkStorage() {
	h.t.Helper()
	var refs []string
	require.NoError(h.t, h.app.DB.Raw("SELECT ref FROM lists").Scan(&refs).Error)
	for f, err := range h.app.Files.List(h.t.Context(), "") {
		require.NoError(h.t, err)
		parts := strings.Split(f.Key, "/")
		require.Contains(h.t, refs, parts[len(parts)-2], "%s is a file of nobody", f.Key)
	}
}
