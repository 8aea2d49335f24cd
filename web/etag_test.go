package web

import (
	"net/http"
	"strings"
	"testing"

	"beagle/app"

	"github.com/stretchr/testify/require"
)

func TestEveryReadIs304UntilSomethingChanges(t *testing.T) {
	s := newSite(t)
	s.Work()
	l := s.finished()
	fill, auth := s.filler(l.Ref, s.records(l)[0]), []string{"X-API-KEY", s.key(s.owner, false)}
	for _, rt := range apiRoutes {
		if rt.method != http.MethodGet {
			continue
		}
		path := fill.Replace(rt.path) + queries[rt.method+" "+rt.path]
		s.send(http.DefaultClient, "GET", path, nil, auth...) // a question's second answer is the kept one
		first := s.send(http.DefaultClient, "GET", path, nil, auth...)
		require.Equal(t, http.StatusOK, first.status, "%s: %s", path, first.body)
		tag := first.header.Get("ETag")
		require.NotEmpty(t, tag, path)
		require.Equal(t, "private, no-cache", first.header.Get("Cache-Control"), path)
		again := s.send(http.DefaultClient, "GET", path, nil, append(auth, "If-None-Match", `"other", `+tag)...)
		require.Equal(t, http.StatusNotModified, again.status, "%s: %s", path, again.body)
		require.Empty(t, again.body, path)
		require.Equal(t, tag, again.header.Get("ETag"), path)
		require.NotEmpty(t, again.header.Get("RateLimit"), "%s is counted", path)
		require.Equal(t, http.StatusOK, s.send(http.DefaultClient, "GET", path, nil, append(auth, "If-None-Match", `"other"`)...).status, path)
	}
}

func TestTagOfAListChangesWithItsNameAndItsRecords(t *testing.T) {
	s := newSite(t)
	s.Work()
	l := s.finished()
	auth, at := []string{"X-API-KEY", s.key(s.owner, false)}, "/v2/lists/"+l.Ref
	paths := []string{at, at + "/records", at + "/records?limit=1", at + "/download?format=csv", at + "/download?format=jsonl"}
	seen := map[string]bool{}
	tags := func() []string {
		out := make([]string, len(paths))
		for i, path := range paths {
			out[i] = s.send(http.DefaultClient, "GET", path, nil, auth...).header.Get("ETag")
			require.False(t, seen[out[i]], "%s has a new tag", path)
			seen[out[i]] = true
		}
		return out
	}
	old := tags()
	s.send(http.DefaultClient, "PATCH", at, `{"name":"Another"}`, auth...)
	tags()
	require.Equal(t, http.StatusOK, s.send(http.DefaultClient, "POST", at+"/records/"+s.records(l)[0]+"/retry", nil, auth...).status)
	s.WaitFor(s.owner, l.Ref, app.List.Ended)
	tags()
	for i, path := range paths {
		require.Equal(t, http.StatusOK, s.send(http.DefaultClient, "GET", path, nil, append(auth, "If-None-Match", old[i])...).status, path)
	}
	got := s.send(http.DefaultClient, "GET", at+"/records/999999", nil, append(auth, "If-None-Match", old[0])...)
	require.Equal(t, http.StatusNotFound, got.status, "another address has another tag")
}

func TestTagsAreComparedWeakly(t *testing.T) {
	for header, want := range map[string]bool{"": false, `"a"`: true, `W/"a"`: true, `"b"`: false, `"b", W/"a"`: true, "*": true, `a`: false, strings.Repeat(",", 100): false} {
		require.Equal(t, want, matchesTag(header, `W/"a"`), header)
	}
}
