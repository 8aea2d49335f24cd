package finder

import (
	"bytes"
	"context"
	"encoding/csv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"

	"beagle/app/mailworld"
	"beagle/app/probe"
)

// asker starts a world and returns a finder that asks it over real sockets.
func asker(t *testing.T, w *mailworld.World) (*Finder, *probe.Prober) {
	t.Helper()
	require.NoError(t, w.Start())
	p, err := probe.New(probe.Config{DNSServer: w.DNSAddr(), SMTPPort: w.SMTPPort(), Helo: "probe.example", AllowPrivate: true, Dial: w.Dial,
		BannerTimeout: time.Second, ReplyTimeout: time.Second, ConnectTimeout: time.Second, DNSTimeout: time.Second, GreylistDelay: time.Second})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, p.Close())
		require.NoError(t, w.Close())
	})
	return New(p, nil, Options{}), p
}

// findTruths asks for every row at once, as workers would.
func findTruths(t *testing.T, f *Finder, truths []mailworld.Truth) []Result {
	t.Helper()
	results := make([]Result, len(truths))
	var wg sync.WaitGroup
	slots := make(chan struct{}, 24)
	for i, truth := range truths {
		if truth.Person == nil {
			continue
		}
		wg.Add(1)
		slots <- struct{}{}
		go func() {
			defer wg.Done()
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			results[i] = f.Find(ctx, Person{First: truth.Person.First, Last: truth.Person.Last, Domain: truth.Company.Domain})
		}()
	}
	wg.Wait()
	return results
}

func TestDemoWorldIsAnsweredRight(t *testing.T) {
	w := mailworld.Demo()
	f, p := asker(t, w)
	truths := w.ContactsTruth()
	results := findTruths(t, f, truths)
	again := make([]mailworld.Truth, len(truths))
	for i, r := range results {
		if r.Evidence.Rule == RuleColleagues {
			again[i] = truths[i]
		}
	}
	for i, r := range findTruths(t, f, again) {
		if again[i].Person != nil {
			results[i] = r
		}
	}
	for i, truth := range truths {
		if truth.Person != nil {
			checkTruth(t, truth, results[i])
		}
	}
	t.Logf("%d people, %+v", len(truths), p.Stats())
	require.Zero(t, w.Stats().Faults)
	require.Zero(t, w.Stats().DATACommands)
}

// checkTruth holds the promises: found people are found, nobody is valid without a mailbox, and where
// the server does not tell, nothing is claimed.
func checkTruth(t *testing.T, truth mailworld.Truth, r Result) {
	t.Helper()
	who := truth.Person.Full + " at " + truth.Company.Domain + " (" + string(truth.Company.Behaviour) + ", " + truth.Company.Pattern + ") -> " + r.Status + " " + r.Reason + " " + r.Email + ", want " + truth.Email
	if r.Status == StatusValid {
		right := strings.EqualFold(r.Email, truth.Email)
		for _, alias := range truth.Person.Aliases {
			right = right || strings.EqualFold(r.Email, alias)
		}
		if !right {
			t.Errorf("valid but wrong: %s", who)
		}
		return
	}
	if r.RetryAfter > 0 && r.Status == StatusUnknown {
		return // come back later
	}
	switch truth.Kind {
	case mailworld.KindFound:
		t.Errorf("not found: %s", who)
	case mailworld.KindAbsent:
		if r.Status != StatusNotFound && !(r.Status == StatusUnknown && (truth.OrUnknown || r.Reason == ReasonAmbiguous || r.Reason == ReasonPatternUnknown)) {
			t.Errorf("absent but not said so: %s", who)
		}
	case mailworld.KindAcceptAll:
		if r.Status != StatusAcceptAll {
			t.Errorf("accept-all not said: %s", who)
		}
	case mailworld.KindUnknown:
		if r.Status != StatusUnknown && !(truth.Email == "" && r.Status == StatusNotFound) {
			t.Errorf("unknown not said: %s", who)
		}
	case mailworld.KindInvalidDomain:
		if r.Status != StatusNotFound {
			t.Errorf("dead domain not said: %s", who)
		}
	}
}

// TestGeneratedWorldFindsPeopleAndInventsNobody: companies that answer honestly, some people whose
// address breaks their company's pattern (not all of those can be found) and some who have left.
func TestGeneratedWorldFindsPeopleAndInventsNobody(t *testing.T) {
	w := mailworld.New(mailworld.Options{Seed: 11, Companies: 60, People: 900, Mix: map[mailworld.Behaviour]int{mailworld.Accurate: 8, mailworld.Microsoft: 1, mailworld.PlainText: 1}})
	f, p := asker(t, w)
	truths := w.Truths()
	found, right := 0, 0
	findTruths(t, f, truths)
	for i, r := range findTruths(t, f, truths) { // what is known is not asked again
		truth := truths[i]
		if r.Status == StatusValid {
			require.True(t, strings.EqualFold(r.Email, truth.Email), "%s at %s is valid, but not theirs: %s, want %q", truth.Person.Full, truth.Company.Domain, r.Email, truth.Email)
			right++
		}
		if truth.Kind == mailworld.KindFound {
			found++
		}
	}
	t.Logf("%d of %d found, %d RCPTs for %d rows", right, found, p.Stats().RCPTs, len(truths))
	require.Greater(t, float64(right), 0.96*float64(found))
	require.Less(t, float64(p.Stats().RCPTs), 3.2*float64(len(truths)))
}

// TestGalleryTellsWhatCanBeKnown asks every behaviour, and again those that said when to come back.
func TestGalleryTellsWhatCanBeKnown(t *testing.T) {
	if testing.Short() {
		t.Skip("asks slow servers")
	}
	w := mailworld.Gallery(mailworld.Options{GreylistFor: time.Second})
	f, _ := asker(t, w)
	now := time.Now()
	f.opts.Now = func() time.Time { return now }
	truths := w.Truths()
	results := findTruths(t, f, truths)
	for try := 0; try < 3; try++ {
		var again []mailworld.Truth
		var at []int
		for i, r := range results {
			if r.RetryAfter > 0 && truths[i].Kind != mailworld.KindUnknown {
				again, at = append(again, truths[i]), append(at, i)
			}
		}
		if len(again) == 0 {
			break
		}
		time.Sleep(1100 * time.Millisecond) // the world's own greylisting time
		now = now.Add(20 * time.Minute)
		for k, r := range findTruths(t, f, again) {
			results[at[k]] = r
		}
	}
	for i, truth := range truths {
		if truth.Person != nil {
			checkTruth(t, truth, results[i])
		}
	}
	require.Zero(t, w.Stats().DATACommands)
}

// TestMessyRowsAreAnsweredRight takes the list as people really have it: whole names in one column,
// titles, and rows that name nobody.
func TestMessyRowsAreAnsweredRight(t *testing.T) {
	w := mailworld.Demo()
	f, _ := asker(t, w)
	text, err := charmap.Windows1252.NewDecoder().Bytes(w.MessyCSV())
	require.NoError(t, err)
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes = ';', -1, true
	rows, err := r.ReadAll()
	require.NoError(t, err)
	truths := w.MessyTruth()
	for i, truth := range truths {
		row := append(rows[i+1], "", "", "")
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		res := f.Find(ctx, Person{Full: row[0], Company: row[1], Domain: row[2]})
		cancel()
		if truth.Person != nil {
			checkTruth(t, truth, res)
			continue
		}
		require.Empty(t, res.Email, "%q", row)
		require.NotEqual(t, StatusValid, res.Status)
		require.NotEmpty(t, res.Sentence)
	}
}

// TestTheTranscriptShowsEverySession: a server takes one recipient in a session, so that somebody who is not there costs several.
func TestTheTranscriptShowsEverySession(t *testing.T) {
	w := mailworld.New(mailworld.Options{Seed: 5, Companies: 1, PeoplePerCompany: 4, Mix: map[mailworld.Behaviour]int{mailworld.OneRcpt: 1}})
	f, _ := asker(t, w)
	r := f.Find(t.Context(), Person{Full: "Zebulon Quackenbush", Domain: w.Companies()[0].Domain, Alone: true})
	opened := 0
	for i, l := range r.Evidence.Transcript {
		if strings.HasPrefix(l.Text, "connected to ") {
			opened++
		}
		require.False(t, i > 0 && l.At.Before(r.Evidence.Transcript[i-1].At), "in the order of time")
	}
	require.GreaterOrEqual(t, opened, maxEvidenceSessions-1, "the answer that decided may have gone over an open one")
	require.Greater(t, r.Evidence.Asked, maxEvidenceSessions)
}

var _ Prober = (*probe.Prober)(nil)
