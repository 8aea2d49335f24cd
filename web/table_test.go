package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

// tableCases are siteCases of what is done with lists and their rows.
var tableCases = map[string]struct {
	body                   any
	stranger, other, owner int
}{
	"POST /lists/:list/records/:record":            {url.Values{"first_name": {"Grace"}}, 303, 404, 303},
	"POST /lists/:list/records/:record/retries":    {nil, 303, 404, 303},
	"POST /lists/:list/rows":                       {url.Values{"do": {"retry"}, "all": {"true"}}, 303, 404, 303},
	"POST /lists/:list/removals/:removal/reversal": {nil, 303, 404, 409},
	"GET /lists/:list/columns":                     {nil, 303, 404, 303},
	"POST /lists/:list/tags":                       {url.Values{"tags": {"a, b"}}, 303, 404, 303},
	"POST /lists/:list/archival":                   {nil, 303, 404, 303},
	"POST /lists/:list/unarchival":                 {nil, 303, 404, 303},
	"POST /lists/:list/restoration":                {nil, 303, 404, 303},
	"POST /find/additions":                         {url.Values{"first_name": {"Grace"}}, 303, 400, 400},
}

var recordRow = regexp.MustCompile(`name="row" value="(\d+)"`)

// shownRows are the ids of the rows that a page of the table shows.
func shownRows(body string) []string {
	var ids []string
	for _, m := range recordRow.FindAllStringSubmatch(body, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

func TestTableIsSortedFilteredAndShowsTheChosenColumns(t *testing.T) {
	s := newSite(t)
	s.Work()
	b := s.signedIn("owner@one.example")
	l := s.finished()
	list, ids := "/lists/"+l.Ref, s.records(l)
	got := s.send(b, "GET", list, nil)
	require.Equal(t, ids, shownRows(got.body))
	require.Contains(t, got.body, "All 4 rows")
	got = s.send(b, "GET", list+"?sort=email", nil, "HX-Request", "true", "HX-Target", "records")
	require.Equal(t, ids[:2], shownRows(got.body), "grace, nathan")
	require.Contains(t, got.body, `aria-sort="ascending"`)
	got = s.send(b, "GET", list+"?min_score=1&max_score=100", nil)
	require.Len(t, shownRows(got.body), 2)
	require.Contains(t, got.body, "with a score from 1 to 100")
	require.Equal(t, http.StatusBadRequest, s.send(b, "GET", list+"?sort=shoes", nil).status)
	got = s.send(http.DefaultClient, "GET", "/v2/lists/"+l.Ref+"/records?sort=email&min_score=1&limit=1", nil, "X-API-KEY", s.key(s.owner, false))
	require.Contains(t, got.body, "grace.yates@")
	require.NotContains(t, got.body, "nathan.fenwick@")
	require.NotContains(t, got.body, `"next_cursor":null`)

	got = s.send(b, "GET", list+"/columns?column=address&column=pattern&column=c2&column=c99", nil)
	require.Equal(t, list, got.header.Get("Location"))
	got = s.send(b, "GET", list, nil)
	require.Contains(t, got.body, `data-label="Website"`)
	require.Contains(t, got.body, "https://www.pelican-apps.example/about")
	require.Contains(t, got.body, `data-label="Pattern"`)
	require.NotContains(t, got.body, `data-label="Score"`)
	other := s.Upload(s.owner, "b.csv", []byte(people))
	_, err := s.Start(t.Context(), s.owner, other.Ref, app.StartParams{})
	require.NoError(t, err)
	s.WaitFor(s.owner, other.Ref, app.List.Ended)
	require.Contains(t, s.send(b, "GET", "/lists/"+other.Ref, nil).body, "Score</a>", "each list has its own columns")
}

func TestTickedRowsAreDownloadedRunAgainDeletedAndBroughtBack(t *testing.T) {
	s := newSite(t)
	stop := s.Work()
	b := s.signedIn("owner@one.example")
	l := s.finished()
	list, ids := "/lists/"+l.Ref, s.records(l)

	got := s.send(b, "GET", list+"/download?format=csv&row="+ids[0]+"&row="+ids[3], nil)
	require.Contains(t, got.header.Get("Content-Disposition"), `people (selected).csv`)
	require.Equal(t, 3, strings.Count(got.body, "\n"))
	got = s.send(b, "GET", list+"/download?format=csv&status=found", nil)
	require.Contains(t, got.body, "nathan.fenwick@")
	require.NotContains(t, got.body, "Atall")
	got = s.send(b, "GET", list+"/download?format=jsonl&all=true&row="+ids[0]+"&q=grace", nil)
	require.Equal(t, 1, strings.Count(got.body, "\n"))

	require.Equal(t, http.StatusBadRequest, s.send(b, "POST", list+"/rows", url.Values{"do": {"remove"}}).status, "nothing was ticked")
	require.Equal(t, http.StatusBadRequest, s.send(b, "POST", list+"/rows", url.Values{"do": {"dance"}, "row": ids[:1]}).status)
	got = s.send(b, "POST", list+"/rows", url.Values{"do": {"remove"}, "row": ids[2:], "sort": {"score"}})
	require.Equal(t, list+"?sort=score", got.header.Get("Location"))
	got = s.send(b, "GET", list, nil)
	require.Equal(t, ids[:2], shownRows(got.body))
	require.Contains(t, got.body, "2 rows were deleted")
	undo := regexp.MustCompile(list + `/removals/\d+/reversal`).FindString(got.body)
	require.Equal(t, http.StatusSeeOther, s.send(b, "POST", undo, nil).status)
	require.Equal(t, ids, shownRows(s.send(b, "GET", list, nil).body))
	require.Equal(t, http.StatusConflict, s.send(b, "POST", undo, nil).status)

	stop()
	require.Equal(t, http.StatusSeeOther, s.send(b, "POST", list+"/rows", url.Values{"do": {"retry"}, "row": ids[:1]}).status)
	got = s.send(b, "GET", list, nil)
	require.Contains(t, got.body, `class="chip t-pending"`)
	require.Equal(t, http.StatusSeeOther, s.send(b, "POST", list+"/rows", url.Values{"do": {"remove"}, "all": {"true"}, "status": {"waiting"}}).status)
	require.Contains(t, s.send(b, "GET", list, nil).body, "Rows are being deleted: 0 so far")
	got = s.send(b, "GET", list+"?busy=1", nil, "HX-Request", "true", "HX-Target", "records")
	require.Contains(t, got.body, `hx-get="`+list+`?busy=1"`)
	require.Empty(t, got.header.Get("HX-Refresh"))
	require.NoError(t, s.Act(t.Context(), l.ID))
	got = s.send(b, "GET", list+"?busy=1", nil, "HX-Request", "true", "HX-Target", "records")
	require.Equal(t, "true", got.header.Get("HX-Refresh"))
	require.Equal(t, ids[1:], shownRows(s.send(b, "GET", list, nil).body))
}

func TestRowIsCorrectedAndLookedUpAgain(t *testing.T) {
	s := newSite(t)
	s.Work()
	b := s.signedIn("owner@one.example")
	l := s.finished()
	at := "/lists/" + l.Ref + "/records/" + s.records(l)[2]
	got := s.send(b, "GET", at, nil)
	require.Contains(t, got.body, `id="edit-first_name" value="Nobody"`)
	got = s.send(b, "POST", at, url.Values{"first_name": {"Grace"}, "last_name": {"Yates"}, "domain": {"onegate.example"}})
	require.Equal(t, "/lists/"+l.Ref, got.header.Get("Location"), got.body)
	l = s.WaitFor(s.owner, l.Ref, app.List.Ended)
	rows, _, err := s.Records(t.Context(), s.owner.Account, l, app.RecordQuery{})
	require.NoError(t, err)
	require.Equal(t, "grace.yates@onegate.example", rows[2].Email)
	require.Equal(t, []string{"Grace", "Yates", "onegate.example"}, rows[2].Cells)
	require.Equal(t, http.StatusSeeOther, s.send(b, "POST", at+"/retries", nil).status)
	s.WaitFor(s.owner, l.Ref, app.List.Ended)
}

func TestListIsTaggedArchivedDeletedAndBroughtBack(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("owner@one.example")
	l := s.Upload(s.owner, "spring.csv", []byte(people))
	l, err := s.Start(t.Context(), s.owner, l.Ref, app.StartParams{Name: "Spring fair"})
	require.NoError(t, err)
	list := "/lists/" + l.Ref
	require.Equal(t, http.StatusSeeOther, s.send(b, "POST", list+"/tags", url.Values{"tags": {"Fair, 2026,"}}).status)
	got := s.send(b, "GET", "/lists?tag=fair", nil)
	require.Contains(t, got.body, "Spring fair")
	require.NotContains(t, s.send(b, "GET", "/lists?tag=autumn", nil).body, "Spring fair")
	require.Equal(t, http.StatusSeeOther, s.send(b, "POST", list+"/archival", nil).status)
	require.NotContains(t, s.send(b, "GET", "/lists", nil).body, "Spring fair")
	require.Contains(t, s.send(b, "GET", "/lists?archived=true", nil).body, "Spring fair")
	require.Equal(t, http.StatusSeeOther, s.send(b, "POST", list+"/unarchival", nil).status)

	require.Equal(t, http.StatusSeeOther, s.send(b, "POST", list+"/deletion", nil).status)
	require.Equal(t, http.StatusNotFound, s.send(b, "GET", list, nil).status)
	require.Contains(t, s.send(b, "GET", "/lists", nil).body, "“Spring fair” was deleted")
	require.Equal(t, http.StatusNotFound, s.send(s.signedIn("owner@two.example"), "POST", list+"/restoration", nil).status)
	require.Equal(t, http.StatusSeeOther, s.send(b, "POST", list+"/restoration", nil).status)
	require.Equal(t, http.StatusOK, s.send(b, "GET", list, nil).status)
	s.Work()
	require.Equal(t, app.ListFinished, s.WaitFor(s.owner, l.Ref, app.List.Ended).State, "its work goes on")
}

func TestFoundPersonIsAddedToAList(t *testing.T) {
	s := newSite(t, func(c *config.Config) { c.Worker.MaxTries = 1 })
	s.Work()
	b := s.signedIn("owner@one.example")
	require.NotContains(t, s.send(b, "POST", "/find", url.Values{"first_name": {"Grace"}, "last_name": {"Yates"}, "company": {"onegate.example"}}).body, "Add to a list", "there is none")
	l := s.finished()
	got := s.send(b, "POST", "/find", url.Values{"first_name": {"Grace"}, "last_name": {"Yates"}, "company": {"onegate.example"}}, "HX-Request", "true")
	require.Contains(t, got.body, `<option value="`+l.Ref+`">people</option>`)
	require.Contains(t, got.body, `name="domain" value="onegate.example"`)
	add := url.Values{"list": {l.Ref}, "first_name": {"Grace"}, "last_name": {"Yates"}, "domain": {"onegate.example"}}
	got = s.send(b, "POST", "/find/additions", add, "HX-Request", "true")
	require.Contains(t, got.body, "Added to")
	require.Equal(t, http.StatusNotFound, s.send(s.signedIn("owner@two.example"), "POST", "/find/additions", add).status)
	l = s.WaitFor(s.owner, l.Ref, func(l app.List) bool { return l.Ended() && l.Total == 5 })
	rows, _, err := s.Records(t.Context(), s.owner.Account, l, app.RecordQuery{})
	require.NoError(t, err)
	require.Equal(t, "grace.yates@onegate.example", rows[4].Email)
	require.Equal(t, []string{"Grace", "Yates", "onegate.example"}, rows[4].Cells)
	require.WithinDuration(t, time.Now(), *rows[4].CheckedAt, time.Minute)
}

func TestAListShowsWhatAFreshRunChanged(t *testing.T) {
	s := newSite(t)
	s.Work()
	l := s.finished()
	b := s.signedIn("owner@one.example")
	list := "/lists/" + l.Ref
	require.NotContains(t, s.send(b, "GET", list, nil).body, `id="tab-changed"`)
	ids := s.records(l)
	require.NoError(t, s.DB.Exec("UPDATE records SET previous_email = 'old@one.example', previous_status = 'accept_all', previous_at = ? WHERE id = ?", s.Now(), ids[0]).Error)
	require.NoError(t, s.DB.Exec("UPDATE records SET previous_email = email, previous_status = status, previous_at = ? WHERE id = ?", s.Now(), ids[1]).Error)
	got := s.send(b, "GET", list, nil).body
	require.Contains(t, got, `id="tab-changed"`)
	require.NotContains(t, got, "old@one.example", "the column is off until it is asked for")
	got = s.send(b, "GET", list+"?status=changed", nil).body
	require.Equal(t, ids[:1], shownRows(got))
	require.Contains(t, got, "old@one.example")
	require.Contains(t, got, `class="chip s-accept_all"`)
	got = s.send(b, "GET", list+"/download?format=csv&status=changed", nil).body
	require.Equal(t, 2, strings.Count(got, "\n"))
}
