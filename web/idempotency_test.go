package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"beagle/app"

	"github.com/stretchr/testify/require"
)

func TestOneKeyMakesOneList(t *testing.T) {
	s := newSite(t)
	key := s.key(s.owner, false)
	for name, body := range map[string]any{
		"file": form{fields: []string{"name", "From a file"}, filename: "a.csv", file: []byte(people)},
		"json": `{"name":"From JSON","records":[{"first_name":"Grace","last_name":"Yates","domain":"onegate.example"}]}`,
	} {
		answers := make([]answer, 50)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() {
				answers[i] = s.send(http.DefaultClient, "POST", "/v2/lists", body, "X-API-KEY", key, "Idempotency-Key", "key "+name)
			})
		}
		all.Wait()
		made := ""
		for _, got := range answers {
			switch got.status {
			case http.StatusCreated:
				if made == "" {
					made = got.body
				}
				require.Equal(t, made, got.body, "the same answer, byte for byte")
			case http.StatusConflict:
				require.Contains(t, got.body, "idempotency_key_in_flight")
				require.NotEmpty(t, got.header.Get("Retry-After"))
			default:
				t.Fatalf("%s: %d %s", name, got.status, got.body)
			}
		}
		require.NotEmpty(t, made)
		again := s.send(http.DefaultClient, "POST", "/v2/lists", body, "X-API-KEY", key, "Idempotency-Key", "key "+name)
		require.Equal(t, made, again.body)
		require.Equal(t, http.StatusCreated, again.status)
		require.Equal(t, "true", again.header.Get("Idempotent-Replayed"))
		require.Equal(t, "application/json; charset=utf-8", again.header.Get("Content-Type"))
	}
	require.Contains(t, s.send(http.DefaultClient, "GET", "/v2/lists", nil, "X-API-KEY", key).body, `"total":2,`, "one list for each key")
}

func TestIdempotencyKeyIsForOneRequest(t *testing.T) {
	s := newSite(t)
	key, other := s.key(s.owner, false), s.key(s.other, false)
	post := func(path string, body any, as, idempotency string) answer {
		return s.send(http.DefaultClient, "POST", path, body, "X-API-KEY", as, "Idempotency-Key", idempotency)
	}
	first := post("/v2/known-emails", `{"emails":["ada@alder.example"]}`, key, "k")
	require.Equal(t, http.StatusOK, first.status, first.body)
	require.Empty(t, first.header.Get("Idempotent-Replayed"))
	require.Equal(t, http.StatusUnprocessableEntity, post("/v2/known-emails", `{"emails":["ben@alder.example"]}`, key, "k").status, "another body")
	require.Equal(t, http.StatusUnprocessableEntity, post("/v2/lists", `{"records":[]}`, key, "k").status, "another path")
	require.Equal(t, http.StatusUnprocessableEntity, post("/v2/lists", "{}", key, strings.Repeat("k", 256)).status)
	require.Contains(t, post("/v2/known-emails", `{"emails":["ben@alder.example"]}`, other, "k").body, `"stored":1`, "another account's key is another key")
	require.Contains(t, post("/v2/known-emails", `{"emails":["ada@alder.example"]}`, key, "k").body, `"stored":1`, "replayed")
	require.Contains(t, post("/v2/known-emails", `{"emails":["ada@alder.example"]}`, key, "l").body, `"stored":0`, "done again")

	require.Equal(t, http.StatusBadRequest, post("/v2/known-emails", `{}`, key, "rejected").status)
	require.Equal(t, http.StatusOK, post("/v2/known-emails", `{"emails":["cleo@alder.example"]}`, key, "rejected").status, "what was rejected is not kept")

	a := form{fields: []string{"name", "A"}, filename: "a.csv", file: []byte(people)}
	require.Equal(t, http.StatusCreated, post("/v2/lists", a, key, "file").status)
	a.file = []byte(people + "Ada,Ash,alder.example\n")
	require.Equal(t, http.StatusUnprocessableEntity, post("/v2/lists", a, key, "file").status, "another file")
}

// died puts a key back to where it is when a process died after what the request made was committed and before its answer was kept.
func (s *site) died(more ...string) {
	s.t.Helper()
	require.NoError(s.t, s.DB.Exec("UPDATE idempotency_keys SET status = 0, body = NULL, claimed_at = ?", s.Now().Add(-time.Hour)).Error)
	for _, statement := range more {
		require.NoError(s.t, s.DB.Exec(statement).Error)
	}
}

func TestRequestThatDiedMakesNothingTwice(t *testing.T) {
	s := newSite(t)
	key := s.key(s.owner, false)
	post := func(path string, body any) answer {
		return s.send(http.DefaultClient, "POST", path, body, "X-API-KEY", key, "Idempotency-Key", "k "+path+strings.Repeat("x", len(path)%7))
	}
	idOf := func(a answer) string {
		t.Helper()
		require.Equal(t, http.StatusCreated, a.status, a.body)
		var got struct{ Data struct{ ID string } }
		require.NoError(t, json.Unmarshal([]byte(a.body), &got))
		return got.Data.ID
	}
	count := func(table string) (n int64) {
		require.NoError(t, s.DB.Table(table).Count(&n).Error)
		return n
	}
	rows := `{"records":[{"domain":"onegate.example","first_name":"Grace","last_name":"Yates"}]}`
	first := idOf(post("/v2/lists", rows))
	s.died()
	require.Equal(t, first, idOf(post("/v2/lists", rows)), "the list that was made is the answer")
	s.died()
	other := post("/v2/lists", strings.Replace(rows, "Grace", "Vera", 1))
	require.Equal(t, http.StatusUnprocessableEntity, other.status, other.body)
	s.died("UPDATE lists SET state = 'mapping'")
	require.Equal(t, first, idOf(post("/v2/lists", rows)))
	l, err := s.List(t.Context(), s.owner.Account, first)
	require.NoError(t, err)
	require.Equal(t, app.ListImporting, l.State, "what was not started yet is started")
	require.EqualValues(t, 1, count("lists"))
	kept := post("/v2/lists", rows)
	require.Equal(t, "true", kept.header.Get("Idempotent-Replayed"))

	require.NoError(t, s.Import(t.Context(), l.ID))
	at := "/v2/lists/" + first + "/records"
	added := post(at, rows)
	require.Equal(t, http.StatusCreated, added.status, added.body)
	s.died()
	require.Equal(t, added.body, post(at, rows).body)
	require.EqualValues(t, 2, count("records"))
	s.died()
	require.NoError(t, s.DB.Exec("UPDATE idempotency_keys SET created_at = ?", s.Now().Add(-25*time.Hour)).Error)
	require.NotEqual(t, added.body, post(at, rows).body, "after 24 hours it is another request")
	require.EqualValues(t, 3, count("records"))

	retry := at + "/" + s.records(l)[0] + "/retry"
	require.Equal(t, http.StatusOK, post(retry, nil).status)
	run := func() (n int) {
		require.NoError(t, s.DB.Raw("SELECT MAX(run) FROM records").Scan(&n).Error)
		return n
	}
	before := run()
	s.died()
	require.Equal(t, http.StatusOK, post(retry, nil).status)
	require.Equal(t, before, run(), "run once")

	hook := idOf(post("/v2/webhooks", `{"url":"https://hooks.example/x"}`))
	s.died()
	require.Equal(t, hook, idOf(post("/v2/webhooks", `{"url":"https://hooks.example/x"}`)))
	require.EqualValues(t, 1, count("webhooks"))
	s.died("DELETE FROM webhooks")
	require.NotEqual(t, hook, idOf(post("/v2/webhooks", `{"url":"https://hooks.example/x"}`)), "what was deleted since is made anew")
}

func TestUploadThatDiedMakesOneList(t *testing.T) {
	s := newSite(t)
	key := s.key(s.owner, false)
	file := form{fields: []string{"name", "A"}, filename: "a.csv", file: []byte(people), after: []string{"callback_url", "https://hooks.example/c"}}
	post := func() answer {
		return s.send(http.DefaultClient, "POST", "/v2/lists", file, "X-API-KEY", key, "Idempotency-Key", "file")
	}
	first := post()
	require.Equal(t, http.StatusCreated, first.status, first.body)
	for _, state := range []string{"importing", "mapping"} {
		s.died("UPDATE lists SET state = '" + state + "'")
		again := post()
		require.Equal(t, http.StatusCreated, again.status, again.body)
		require.Equal(t, first.body[:40], again.body[:40], "the same list")
		require.Contains(t, again.body, `"state":"importing"`)
	}
	require.Contains(t, s.send(http.DefaultClient, "GET", "/v2/lists", nil, "X-API-KEY", key).body, `"total":1,`)
}

func TestListToBeStartedLaterKeepsWhatWasSent(t *testing.T) {
	s := newSite(t)
	got := s.send(http.DefaultClient, "POST", "/v2/lists", form{fields: []string{"start", "false", "callback_url", "https://hooks.example/c", "process", "pattern"},
		filename: "a.csv", file: []byte(people)}, "X-API-KEY", s.key(s.owner, false))
	require.Equal(t, http.StatusCreated, got.status, got.body)
	require.Contains(t, got.body, `"state":"mapping"`)
	require.Contains(t, got.body, `"callback_url":"https://hooks.example/c"`)
	require.Contains(t, got.body, `"process":"pattern"`)
	got = s.send(http.DefaultClient, "POST", "/v2/lists", form{fields: []string{"start", "false", "callback_url", "ftp://hooks.example"}, filename: "a.csv", file: []byte(people)},
		"X-API-KEY", s.key(s.owner, false))
	require.Equal(t, http.StatusBadRequest, got.status, got.body)
	require.Contains(t, s.send(http.DefaultClient, "GET", "/v2/lists", nil, "X-API-KEY", s.key(s.owner, false)).body, `"total":1,`, "what is refused leaves nothing")
}
