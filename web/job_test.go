package web

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"beagle/app"

	"github.com/stretchr/testify/require"
)

// The main job by plain forms and links, as a browser without JavaScript does it.
func TestListFromUploadToDownloadWithoutJavaScript(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("owner@one.example")
	got := s.send(b, "POST", "/lists", form{filename: "people.csv", file: []byte(people)})
	mapping := got.header.Get("Location")
	require.Regexp(t, `^/lists/\w+/mapping$`, mapping)

	got = s.send(b, "GET", mapping, nil)
	require.Equal(t, http.StatusOK, got.status)
	require.Contains(t, got.body, "onegate.example")
	require.Contains(t, got.body, "<strong>4</strong> rows")
	got = s.send(b, "GET", mapping+"?format=csv&comma=%3B&encoding=utf-8&header=true&process=find", nil)
	require.Contains(t, got.body, "First Name,Last Name,Website", "read with another delimiter it is one column")
	require.Contains(t, got.body, `class="alert warn"`)

	got = s.send(b, "POST", mapping, url.Values{"process": {"verify"}})
	require.Equal(t, http.StatusUnprocessableEntity, got.status, "there is no address to verify")
	require.Contains(t, got.body, `role="alert"`)
	got = s.send(b, "POST", mapping, url.Values{"process": {"find"}, "name": {"My people"}})
	list := got.header.Get("Location")
	require.Equal(t, strings.TrimSuffix(mapping, "/mapping"), list, got.body)

	stop := s.Work()
	defer stop()
	l := s.WaitFor(s.owner, strings.TrimPrefix(list, "/lists/"), app.List.Ended)
	got = s.send(b, "GET", list, nil)
	for _, want := range []string{"My people", "grace.yates@onegate.example", "nathan.fenwick@pelican-apps.example", "Finished", `class="chip s-valid"`} {
		require.Contains(t, got.body, want)
	}
	got = s.send(b, "GET", list+"?status=valid&q=grace", nil, "HX-Request", "true", "HX-Target", "records")
	require.Contains(t, got.body, "grace.yates@")
	require.NotContains(t, got.body, "nathan.fenwick@")
	require.NotContains(t, got.body, "<html")

	know := regexp.MustCompile(list + `/records/\d+`).FindString(got.body)
	got = s.send(b, "GET", know, nil)
	for _, want := range []string{"How we know", "The rule that decided", "Candidates", "mx1.onegate.example"} {
		require.Contains(t, got.body, want)
	}
	got = s.send(b, "GET", list+"/download?format=csv", nil)
	require.Equal(t, http.StatusOK, got.status)
	require.Contains(t, got.header.Get("Content-Disposition"), `filename="My people.csv"`)
	require.Contains(t, got.body, "Grace,Yates,onegate.example,grace.yates@onegate.example,valid,")
	require.Contains(t, got.body, "'=cmd,Person", "no formula gets out")
	for format, kind := range map[string]string{"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "jsonl": "application/jsonl; charset=utf-8"} {
		got = s.send(b, "GET", list+"/download?format="+format, nil)
		require.Equal(t, http.StatusOK, got.status)
		require.Equal(t, kind, got.header.Get("Content-Type"))
		require.NotEmpty(t, got.body)
	}
	require.Equal(t, http.StatusBadRequest, s.send(b, "GET", list+"/download?format=doc", nil).status)
	require.EqualValues(t, 4, l.Total)
}

func TestPastedRowsAreAList(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("owner@one.example")
	got := s.send(b, "POST", "/lists", form{fields: []string{"rows", "First name\tLast name\tWebsite\nGrace\tYates\tonegate.example\n"}})
	require.Equal(t, http.StatusSeeOther, got.status, got.body)
	got = s.send(b, "GET", got.header.Get("Location"), nil)
	require.Contains(t, got.body, "Pasted rows")
	require.Contains(t, got.body, `<option value="0" selected>First name</option>`)
	got = s.send(b, "POST", "/lists", form{fields: []string{"rows", " "}})
	require.Equal(t, http.StatusUnprocessableEntity, got.status)
}

func TestMappingKeepsWhatWasChosenUntilTheReadingChanges(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("owner@one.example")
	l := s.Upload(s.owner, "people.csv", []byte(people))
	chosen := url.Values{"format": {"csv"}, "comma": {","}, "encoding": {"utf-8"}, "header": {"true"}, "sheet": {""}, "skip": {"0"}, "read_as": {readAs(l.Dialect)},
		"process": {"find"}, "map_full_name": {"1"}, "map_domain": {"2"}}
	got := s.send(b, "GET", "/lists/"+l.Ref+"/mapping?"+chosen.Encode(), nil, "HX-Request", "true")
	require.Contains(t, got.body, `<option value="1" selected>Last Name</option>`)
	require.Equal(t, 2, strings.Count(got.body, `class="map mapped"`))
	chosen.Set("header", "false")
	got = s.send(b, "GET", "/lists/"+l.Ref+"/mapping?"+chosen.Encode(), nil, "HX-Request", "true")
	require.Contains(t, got.body, ">Column 1</option>")
	require.Equal(t, 3, strings.Count(got.body, `class="map mapped"`), "detected anew")
	chosen.Set("encoding", "klingon")
	got = s.send(b, "GET", "/lists/"+l.Ref+"/mapping?"+chosen.Encode(), nil, "HX-Request", "true")
	require.Equal(t, http.StatusBadRequest, got.status)
	require.Contains(t, got.body, `role="alert"`)
	for _, bad := range []string{"x", "-1"} {
		chosen := url.Values{"format": {"csv"}, "comma": {","}, "encoding": {"utf-8"}, "header": {"true"}, "skip": {"0"}, "read_as": {readAs(l.Dialect)}, "map_domain": {bad}}
		require.Equal(t, http.StatusBadRequest, s.send(b, "POST", "/lists/"+l.Ref+"/mapping", chosen).status)
	}
}

func TestLivePageFollowsAListToItsEnd(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("owner@one.example")
	l, err := s.Start(t.Context(), s.owner, s.Upload(s.owner, "people.csv", []byte(people)).Ref, app.StartParams{})
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.http.URL+"/lists/"+l.Ref+"/events", nil)
	require.NoError(t, err)
	events, err := b.Do(r)
	require.NoError(t, err)
	defer events.Body.Close()
	s.Work()
	var names, data []string
	for lines := bufio.NewScanner(events.Body); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			names = append(names, name)
		}
		if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			data = append(data, text)
		}
	}
	require.Equal(t, "progress", names[0])
	require.Equal(t, "end", names[len(names)-1])
	require.Contains(t, strings.Join(data, "\n"), "addresses found")
	finished := `<section class="card live" data-state="finished"`
	require.Contains(t, strings.Join(data, "\n"), finished, "the page learns the state with the numbers")
	got := s.send(b, "GET", "/lists/"+l.Ref+"/progress", nil)
	require.Contains(t, got.body, finished)
}

func TestAnAccountHasOnlySoManyLivePages(t *testing.T) {
	g := newGauge(2)
	first, ok := g.enter(1)
	require.True(t, ok)
	_, ok = g.enter(1)
	require.True(t, ok)
	_, ok = g.enter(1)
	require.False(t, ok)
	_, ok = g.enter(2)
	require.True(t, ok)
	first()
	_, ok = g.enter(1)
	require.True(t, ok)
}

func TestSampleOfTheDemoIsOneClickAway(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("owner@one.example")
	require.Contains(t, s.send(b, "GET", "/lists", nil).body, "Try it with the sample file")
	got := s.send(b, "POST", "/lists/sample", nil)
	require.Regexp(t, `/mapping$`, got.header.Get("Location"))
	require.Contains(t, s.send(b, "GET", got.header.Get("Location"), nil).body, "Sample contacts")
}

func TestScriptsGetTheirAnswersAsJSON(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("owner@one.example")
	got := s.send(b, "POST", "/lists", form{filename: "people.csv", file: []byte(people)}, "Accept", "application/json")
	var made struct{ Data struct{ ID, Location string } }
	require.NoError(t, json.Unmarshal([]byte(got.body), &made))
	require.Equal(t, "/lists/"+made.Data.ID+"/mapping", made.Data.Location)
	got = s.send(b, "POST", "/lists", form{filename: "a.csv"}, "Accept", "application/json")
	require.Equal(t, http.StatusUnprocessableEntity, got.status)
	require.Contains(t, got.body, `"id":"empty_file"`)
}
