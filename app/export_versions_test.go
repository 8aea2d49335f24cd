package app_test

import (
	"fmt"
	"io"
	"testing"

	"beagle/app"
	"beagle/app/apptest"

	"github.com/stretchr/testify/require"
)

// filesOf are the keys of a list's result files.
func filesOf(t *testing.T, e *apptest.Env, l app.List) (keys []string) {
	for f, err := range e.Files.List(t.Context(), fmt.Sprintf("accounts/%d/lists/%s/result", l.AccountID, l.Ref)) {
		require.NoError(t, err)
		keys = append(keys, f.Key)
	}
	return keys
}

func TestSlowExportDoesNotReplaceWhatALaterOneHasWritten(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as := e.NewActor("owner@alder.example")
		l, rows := running(t, e, as, threePeople)
		require.NoError(t, e.Export(t.Context(), l.ID))
		slow, err := e.List(t.Context(), as.Account, l.Ref) // what it has read before it was held up
		require.NoError(t, err)

		require.NoError(t, e.Answer(t.Context(), rows[0], rows[0].Attempt, "ada@alder.example"))
		require.NoError(t, e.Export(t.Context(), l.ID))
		key := func() string {
			now, err := e.List(t.Context(), as.Account, l.Ref)
			require.NoError(t, err)
			return now.ResultKey
		}
		written := key()
		require.NoError(t, e.DB.Exec("UPDATE records SET email = 'old@alder.example' WHERE id = ?", rows[0].ID).Error)
		require.NoError(t, e.ExportOf(t.Context(), slow))
		require.Equal(t, written, key())
		body, _, err := e.Files.Open(t.Context(), written)
		require.NoError(t, err)
		text, err := io.ReadAll(body)
		require.NoError(t, err)
		require.NoError(t, body.Close())
		require.Contains(t, string(text), "ada@alder.example")
		require.Len(t, filesOf(t, e, l), 2, "what came too late is gone")
	})
}

func TestLatestVersionsOfAFileAreKept(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@alder.example")
	l, _ := running(t, e, as, threePeople)
	for range 13 {
		require.NoError(t, e.Export(t.Context(), l.ID))
	}
	l, err := e.List(t.Context(), as.Account, l.Ref)
	require.NoError(t, err)
	require.Equal(t, 13, l.ResultVersion)
	kept := filesOf(t, e, l)
	require.Len(t, kept, 10)
	require.Contains(t, kept, l.ResultKey)
}
