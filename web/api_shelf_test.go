package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"

	"github.com/stretchr/testify/require"
)

// caller sends requests with a key and reads the answers.
type caller struct {
	*site
	key string
}

func (c caller) ask(method, path string, body any, want int) answer {
	c.t.Helper()
	got := c.send(http.DefaultClient, method, path, body, "X-API-KEY", c.key)
	require.Equal(c.t, want, got.status, "%s %s: %s", method, path, got.body)
	return got
}

func (c caller) list(method, path string, body any) (l listJSON) {
	c.t.Helper()
	require.NoError(c.t, json.Unmarshal([]byte(c.ask(method, path, body, 200).body), &struct{ Data *listJSON }{&l}))
	return l
}

func (c caller) lists(query string) []string {
	c.t.Helper()
	var got struct{ Data []listJSON }
	require.NoError(c.t, json.Unmarshal([]byte(c.ask("GET", "/v2/lists"+query, nil, 200).body), &got))
	names := make([]string, len(got.Data))
	for i, l := range got.Data {
		names[i] = l.Name
	}
	return names
}

func (c caller) action(method, path string, body any, want int) (a actionJSON) {
	c.t.Helper()
	require.NoError(c.t, json.Unmarshal([]byte(c.ask(method, path, body, want).body), &struct{ Data *actionJSON }{&a}))
	return a
}

func TestListsAreTaggedAndArchivedByTheAPI(t *testing.T) {
	s := newSite(t)
	c := caller{s, s.key(s.owner, false)}
	l := s.Upload(s.owner, "spring fair.csv", []byte(people))
	s.Upload(s.owner, "other.csv", []byte(people))
	at := "/v2/lists/" + l.Ref
	require.Equal(t, []string{"2026", "fairs"}, c.list("PATCH", at, `{"tags":[" Fairs ","2026","fairs",""]}`).Tags)
	edited := c.list("PATCH", at, `{"name":"Fair"}`)
	require.Equal(t, "Fair", edited.Name)
	require.Equal(t, []string{"2026", "fairs"}, edited.Tags, "what is not sent stays")
	require.Equal(t, []string{"Fair"}, c.lists("?tag=FAIRS"))
	require.Equal(t, []string{"Fair"}, c.lists("?search=fai"))
	require.Equal(t, []string{"other", "Fair"}, c.lists(""))
	require.NotNil(t, c.list("POST", at+"/archive", nil).ArchivedAt)
	require.NotNil(t, c.list("POST", at+"/archive", nil).ArchivedAt, "twice is once")
	require.Equal(t, []string{"Fair"}, c.lists("?archived=true"))
	require.Equal(t, []string{"other"}, c.lists("?archived=false"))
	require.Equal(t, []string{"other", "Fair"}, c.lists(""), "both")
	require.Nil(t, c.list("POST", at+"/unarchive", nil).ArchivedAt)
	require.Empty(t, c.list("PATCH", at, `{"tags":[]}`).Tags)
	for _, wrong := range []string{`{}`, `{"name":" "}`, `{"tags":"fairs"}`, `{"tags":["` + strings.Repeat("x", 41) + `"]}`, `{"tags":null}`, fmt.Sprintf(`{"tags":["%s"]}`, strings.Join(numbers(21), `","`))} {
		c.ask("PATCH", at, wrong, 400)
	}
}

func numbers(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint(i)
	}
	return out
}

func TestTagOfAListChangesWithItsTagsAndShelf(t *testing.T) {
	s := newSite(t)
	s.Work()
	at := "/v2/lists/" + s.finished().Ref
	c := caller{s, s.key(s.owner, false)}
	seen := map[string]bool{}
	for _, step := range []func(){func() {}, func() { c.list("PATCH", at, `{"tags":["fairs"]}`) }, func() { c.list("POST", at+"/archive", nil) }} {
		step()
		tag := c.ask("GET", at, nil, 200).header.Get("ETag")
		require.False(t, seen[tag])
		seen[tag] = true
	}
}

func TestDeletedListIsBroughtBackByTheAPI(t *testing.T) {
	s := newSite(t)
	s.Work()
	l := s.finished()
	c, other := caller{s, s.key(s.owner, false)}, caller{s, s.key(s.other, false)}
	at := "/v2/lists/" + l.Ref
	c.ask("DELETE", at, nil, 204)
	c.ask("GET", at, nil, 404)
	require.Empty(t, c.lists(""))
	require.Equal(t, []string{l.Name}, c.lists("?deleted=true"))
	require.Empty(t, other.lists("?deleted=true"))
	got := c.ask("GET", "/v2/lists?deleted=true", nil, 200).body
	require.Contains(t, got, `"state":"deleting"`)
	require.NotContains(t, got, `"restore_until":null`)
	other.ask("POST", at+"/restore", nil, 404)
	back := c.list("POST", at+"/restore", nil)
	require.Equal(t, "finished", back.State)
	require.Nil(t, back.RestoreUntil)
	require.EqualValues(t, 4, back.Counts.Total)
	require.Equal(t, back, c.list("POST", at+"/restore", nil), "twice is once")

	c.ask("DELETE", at, nil, 204)
	require.NoError(t, s.DB.Exec("UPDATE lists SET clear_at = ?", s.Now().Add(-time.Second)).Error)
	c.ask("POST", at+"/restore", nil, 404)

	l = s.finished()
	c.ask("DELETE", "/v2/lists/"+l.Ref+"?permanently=true", nil, 204)
	c.ask("POST", "/v2/lists/"+l.Ref+"/restore", nil, 404)
	upload := s.Upload(s.owner, "people.csv", []byte(people))
	c.ask("DELETE", "/v2/lists/"+upload.Ref, nil, 204)
	require.Empty(t, c.lists("?deleted=true"), "nothing is kept of what was not started")
}

func TestManyRecordsAreDeletedAndBroughtBackByTheAPI(t *testing.T) {
	s := newSite(t)
	s.Work()
	l := s.finished()
	c, other := caller{s, s.key(s.owner, false)}, caller{s, s.key(s.other, false)}
	at := "/v2/lists/" + l.Ref
	total := func() int64 { return c.list("GET", at, nil).Counts.Total }

	ids := s.records(l)
	gone := c.action("POST", at+"/records/delete", `{"ids":["`+ids[0]+`","`+ids[3]+`","999999999"]}`, 200)
	require.Equal(t, "delete", gone.Kind)
	require.Equal(t, "done", gone.State)
	require.EqualValues(t, 2, gone.Rows)
	require.NotNil(t, gone.UndoUntil)
	require.EqualValues(t, 2, total())
	require.Equal(t, gone, c.action("GET", at+"/actions/"+gone.ID, nil, 200))
	require.Contains(t, c.ask("GET", at+"/actions", nil, 200).body, `"id":"`+gone.ID+`"`)
	other.ask("POST", at+"/actions/"+gone.ID+"/undo", nil, 404)
	c.ask("GET", at+"/actions/999999", nil, 404)
	back := c.action("POST", at+"/actions/"+gone.ID+"/undo", nil, 200)
	require.Equal(t, "undone", back.State)
	require.Nil(t, back.UndoUntil)
	require.Equal(t, back, c.action("POST", at+"/actions/"+gone.ID+"/undo", nil, 200), "undone twice is undone once")
	require.EqualValues(t, 4, total())

	valid := c.list("GET", at, nil).Counts.ByStatus["valid"]
	require.Positive(t, valid)
	gone = c.action("POST", at+"/records/delete", `{"filter":{"status":"valid","min_score":50}}`, 202)
	require.Equal(t, "waiting", gone.State)
	require.Eventually(t, func() bool { return c.action("GET", at+"/actions/"+gone.ID, nil, 200).State == "done" }, apptest.Patience, 50*time.Millisecond)
	require.EqualValues(t, 4-valid, total())
	require.NoError(t, s.DB.Exec("UPDATE list_actions SET clear_at = ?", s.Now().Add(-time.Second)).Error)
	require.Nil(t, c.action("GET", at+"/actions/"+gone.ID, nil, 200).UndoUntil)
	c.ask("POST", at+"/actions/"+gone.ID+"/undo", nil, 409)
}

func TestManyRecordsAreRunAgainByTheAPI(t *testing.T) {
	s := newSite(t)
	s.Work()
	l := s.finished()
	c := caller{s, s.key(s.owner, false)}
	at := "/v2/lists/" + l.Ref
	runs := func() (runs []int) {
		require.NoError(t, s.DB.Raw("SELECT run FROM records WHERE list_id = ? ORDER BY row_no", l.ID).Scan(&runs).Error)
		return runs
	}
	require.Equal(t, []int{1, 1, 1, 1}, runs())
	again := c.action("POST", at+"/records/retry", `{"ids":["`+s.records(l)[1]+`"]}`, 200)
	require.Equal(t, "retry", again.Kind)
	require.EqualValues(t, 1, again.Rows)
	require.Nil(t, again.UndoUntil)
	require.Equal(t, []int{1, 2, 1, 1}, runs())
	s.WaitFor(s.owner, l.Ref, app.List.Ended)
	c.ask("POST", at+"/actions/"+again.ID+"/undo", nil, 409)
	all := c.action("POST", at+"/records/retry", `{"all":true}`, 202)
	require.Eventually(t, func() bool { return c.action("GET", at+"/actions/"+all.ID, nil, 200).State == "done" }, apptest.Patience, 50*time.Millisecond)
	require.Equal(t, []int{2, 3, 2, 2}, runs())
	s.WaitFor(s.owner, l.Ref, app.List.Ended)
}

// A slip must not become something that is done to every row.
func TestWhatIsMeantMustBeSaidBeforeManyRecordsAreTouched(t *testing.T) {
	s := newSite(t)
	s.Work()
	l := s.finished()
	c := caller{s, s.key(s.owner, false)}
	for _, path := range []string{"/v2/lists/" + l.Ref + "/records/delete", "/v2/lists/" + l.Ref + "/records/retry"} {
		for _, wrong := range []string{`{}`, `{"ids":[]}`, `{"all":false}`, `{"filter":{}}`, `{"filter":{"statuss":"valid"}}`, `{"filter":{"status":""}}`, `{"filter":{"status":null}}`,
			`{"filter":{"min_score":101}}`, `{"filter":{"min_score":"many"}}`, `{"filter":{"status":["valid"]}}`, `{"ids":["1"],"all":true}`, `{"ids":["1"],"filter":{"status":"valid"}}`,
			`{"filter":{"status":"valid"},"all":true}`, `{"ids":"1"}`, `{"filter":"valid"}`, `[]`} {
			got := c.ask("POST", path, wrong, 400)
			require.Contains(t, got.body, `"id":"wrong_params"`, wrong)
		}
		c.ask("POST", path, `{"ids":["x"]}`, 404)
		c.ask("POST", path, `{"ids":["`+strings.Join(numbers(app.MaxSelected+1), `","`)+`"]}`, 413)
	}
	require.EqualValues(t, 4, c.list("GET", "/v2/lists/"+l.Ref, nil).Counts.Total)
}

func TestActionOfARequestThatDiedIsDoneOnce(t *testing.T) {
	s := newSite(t)
	s.Work()
	l := s.finished()
	key, path := s.key(s.owner, false), "/v2/lists/"+l.Ref+"/records/delete"
	post := func(body string) answer {
		return s.send(http.DefaultClient, "POST", path, body, "X-API-KEY", key, "Idempotency-Key", "once")
	}
	body := `{"ids":["` + s.records(l)[0] + `"]}`
	first := post(body)
	require.Equal(t, 200, first.status, first.body)
	require.Equal(t, first.body, post(body).body, "replayed")
	require.Equal(t, 422, post(`{"all":true}`).status, "another request")
	s.died()
	require.Equal(t, first.body, post(body).body)
	var n int64
	require.NoError(t, s.DB.Table("list_actions").Count(&n).Error)
	require.EqualValues(t, 1, n)
	require.Len(t, s.records(l), 3)
}
