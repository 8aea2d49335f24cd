package app_test

import (
	"strings"
	"testing"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/finder"
	"beagle/app/mailworld"

	"github.com/stretchr/testify/require"
)

func TestRowsOfAGreylistingServerWaitForEachOtherWhenTheyComeBack(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@one.example")
	file := "First Name,Last Name,Company,Website,Job Title,City\n"
	for line := range strings.Lines(string(mailworld.Demo().ContactsCSV())) {
		if strings.Contains(strings.ToLower(line), "greyfriars.example") {
			file += line
		}
	}
	e.Work()
	l := e.Run(as, "greyfriars.csv", []byte(file))
	rows := records(t, e, as, l, app.RecordQuery{})
	require.Len(t, rows, 9)
	for _, r := range rows {
		if r.LastName != "Sutton" && r.LastName != "Gibson" { // these two are not there
			require.Equal(t, finder.StatusValid, r.Status, "%s: %s", r.LastName, r.Reason)
			continue
		}
		require.Contains(t, []string{finder.StatusNotFound, finder.StatusUnknown}, r.Status)
		if r.Tries < 2 { // once for the server; once more for the colleagues, unless their answers were there before it
			whole, err := e.Record(t.Context(), as.Account, l, recordIDs([]app.Record{r})[0])
			require.NoError(t, err)
			require.Regexp(t, `"hits":[1-9]`, whole.Evidence, "decided without the colleagues")
		}
	}
}
