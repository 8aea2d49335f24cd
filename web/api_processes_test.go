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
	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

func TestEveryProcessRunsOverTheAPI(t *testing.T) {
	s := newSite(t)
	s.Work()
	auth := []string{"X-API-KEY", s.key(s.owner, false)}
	ran := map[string]bool{}
	for process, c := range map[string]struct {
		record string
		check  func(r map[string]any)
	}{
		app.ProcessFind: {`{"first_name":"Grace","last_name":"Yates","domain":"onegate.example"}`, func(r map[string]any) {
			require.Equal(t, "grace.yates@onegate.example", r["email"])
			require.Equal(t, "valid", r["status"])
		}},
		app.ProcessFindAll: {`{"first_name":"Grace","last_name":"Yates","domain":"onegate.example"}`, func(r map[string]any) {
			require.Equal(t, "grace.yates@onegate.example", r["email"])
			require.Greater(t, len(r["evidence"].(map[string]any)["candidates"].([]any)), 1)
		}},
		app.ProcessVerify: {`{"email":"grace.yates@onegate.example"}`, func(r map[string]any) { require.Equal(t, "valid", r["status"]) }},
		app.ProcessPattern: {`{"domain":"onegate.example"}`, func(r map[string]any) {
			require.Nil(t, r["email"])
			require.Contains(t, []any{"{first}.{last}", nil}, r["pattern"]) // known once somebody was found there
		}},
		app.ProcessNone: {`{"domain":"onegate.example"}`, func(r map[string]any) {
			require.Nil(t, r["email"])
			require.Nil(t, r["status"])
		}},
	} {
		ran[process] = true
		made := s.send(http.DefaultClient, "POST", "/v2/lists", fmt.Sprintf(`{"process":%q,"records":[%s]}`, process, c.record), auth...)
		require.Equal(t, http.StatusCreated, made.status, made.body)
		var l struct{ Data struct{ ID string } }
		require.NoError(t, json.Unmarshal([]byte(made.body), &l))
		ended := s.WaitFor(s.owner, l.Data.ID, app.List.Ended)
		require.Equal(t, app.ListFinished, ended.State, "%s: %s", process, ended.Note)
		got := s.send(http.DefaultClient, "GET", "/v2/lists/"+ended.Ref+"/records/"+s.records(ended)[0], nil, auth...)
		var r struct{ Data map[string]any }
		require.NoError(t, json.Unmarshal([]byte(got.body), &r))
		require.Equal(t, "done", r.Data["state"], process)
		c.check(r.Data)
		require.Contains(t, s.send(http.DefaultClient, "GET", "/v2/lists/"+ended.Ref, nil, auth...).body, `"process":"`+process+`"`)
	}
	for _, process := range app.Processes {
		require.True(t, ran[process] || process == "classify", "%s has no case", process)
	}
}

func TestRecordsPostedToAListStartAtOnce(t *testing.T) {
	s := newSite(t, func(c *config.Config) { c.Probe.Timeout = 10 * time.Second })
	s.Work()
	auth := []string{"X-API-KEY", s.key(s.owner, false)}
	slow := ""
	for _, c := range s.World.Companies() {
		if c.Domain == "molasses-mills.example" {
			slow = fmt.Sprintf(`{"first_name":%q,"last_name":%q,"domain":%q}`, c.People[0].First, c.People[0].Last, c.Domain)
		}
	}
	made := s.send(http.DefaultClient, "POST", "/v2/lists", `{"records":[`+slow+`]}`, auth...)
	require.Equal(t, http.StatusCreated, made.status, made.body)
	var l struct{ Data struct{ ID string } }
	require.NoError(t, json.Unmarshal([]byte(made.body), &l))
	s.WaitFor(s.owner, l.Data.ID, func(l app.List) bool { return l.State == app.ListRunning })
	at := "/v2/lists/" + l.Data.ID + "/records"
	added := s.send(http.DefaultClient, "POST", at, `{"records":[{"first_name":"Grace","last_name":"Yates","domain":"onegate.example"}]}`, auth...)
	require.Equal(t, http.StatusCreated, added.status, added.body)
	require.Eventually(t, func() bool {
		got := s.send(http.DefaultClient, "GET", at+"?status=valid", nil, auth...)
		return strings.Contains(got.body, "grace.yates@onegate.example")
	}, apptest.Patience, 20*time.Millisecond)
	ended := s.WaitFor(s.owner, l.Data.ID, app.List.Ended)
	require.EqualValues(t, 2, ended.Total)

	added = s.send(http.DefaultClient, "POST", at, `{"records":[{"first_name":"Nathan","last_name":"Fenwick","domain":"pelican-apps.example"}]}`, auth...)
	require.Equal(t, http.StatusCreated, added.status, added.body)
	ended = s.WaitFor(s.owner, l.Data.ID, func(l app.List) bool { return l.State == app.ListFinished && l.Total == 3 })
	require.Equal(t, app.ListFinished, ended.State, "a list that had ended runs again")
}

func TestNoRequestLivesLongerThanItsTimeOut(t *testing.T) {
	s := newSite(t, func(c *config.Config) { c.RequestTimeout, c.Probe.Timeout = 2*time.Second, 10*time.Second })
	s.Work()
	query, email := s.slowPerson()
	key := s.key(s.owner, false)
	for _, path := range []string{"/v2/email-finder?" + strings.Replace(query, "max_duration=3", "max_duration=20", 1), "/v2/email-verifier?email=" + email} {
		began := time.Now()
		got := s.send(http.DefaultClient, "GET", path, nil, "X-API-KEY", key)
		require.Equal(t, http.StatusAccepted, got.status, "%s: %s", path, got.body)
		require.Less(t, time.Since(began), 2500*time.Millisecond, path)
		require.Eventually(t, func() bool {
			return s.send(http.DefaultClient, "GET", path, nil, "X-API-KEY", key).status == http.StatusOK
		}, apptest.Patience, 50*time.Millisecond, "%s goes on as a job", path)
	}
}
