package web

import (
	"net/http"
	"strings"
	"sync"
	"testing"

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
