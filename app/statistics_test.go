package app_test

import (
	"fmt"
	"strings"
	"testing"

	"beagle/app/apptest"

	"github.com/stretchr/testify/require"
)

func TestPagesOfAListThatWasJustImportedAreReadInOrder(t *testing.T) {
	e := apptest.NewOn(t, apptest.Services)
	as := e.NewActor("owner@alder.example")
	var file strings.Builder
	file.WriteString("First Name,Last Name,Website\n")
	for i := range 6000 {
		fmt.Fprintf(&file, "Ada,Ash%d,alder%d.example\n", i, i)
	}
	l, _ := running(t, e, as, file.String())
	var plan []string
	require.NoError(t, e.DB.Raw("EXPLAIN SELECT * FROM records WHERE list_id = ? AND row_no > 0 ORDER BY row_no LIMIT 101", l.ID).Scan(&plan).Error)
	require.NotContains(t, strings.Join(plan, "\n"), "Sort", "a page must not cost the whole list")
}
