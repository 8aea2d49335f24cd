package web

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

func TestOperatorSeesTheInstallationAndTimeoutsAsRedDots(t *testing.T) {
	s := newSite(t)
	s.Work()
	s.finished()
	s.App.Metrics.Answered(120*time.Millisecond, 200, false, true)
	s.App.Metrics.Answered(25*time.Second, 503, true, true)
	require.NoError(t, s.WritePoint(t.Context()))
	for _, name := range []string{"clean", "measure"} {
		_, err := s.Fire(t.Context(), name)
		require.NoError(t, err)
	}
	require.NoError(t, s.DB.Exec("INSERT INTO alarms (name, note, since) VALUES ('process web', 'web 3 is silent', ?)", s.Now()).Error)
	require.NoError(t, s.DB.Exec("INSERT INTO processes (id, kind, started_at, beat_at) VALUES ('worker vm/7', 'worker', ?, ?)", s.Now(), s.Now()).Error)
	require.NoError(t, s.DB.Exec(`INSERT INTO outbox (once, kind, user_id, created_at, queued_at, failed_at, error) VALUES ('x', 'list_finished', ?, ?, ?, ?, '550 no')`,
		s.owner.User, s.Now(), s.Now(), s.Now()).Error)
	b := s.operator()
	for _, path := range []string{"/admin", "/admin?span=24h", "/admin?span=7d"} {
		got := s.send(b, "GET", path, nil)
		require.Equal(t, 200, got.status, got.body)
		require.Equal(t, 1, strings.Count(got.body, `<path class="v-red`), "one step with time-outs")
		require.Contains(t, got.body, "1 time-outs in the")
		require.Contains(t, got.body, "25000 ms")
		require.Contains(t, got.body, "deleted nothing")
		require.Contains(t, got.body, "0 rows in its hands")
		for _, part := range []string{"Backlog, at most", "Age of the oldest task", "Workers, at most 1", `<path class="v-dot`, "4 rows in ", "process web: web 3 is silent", "worker vm/7", "550 no", "every 1h0m0s"} {
			require.Contains(t, got.body, part)
		}
	}
	require.Contains(t, s.send(b, "GET", "/lists", nil).body, `href="/admin"`)
	require.NotContains(t, s.send(s.signedIn("owner@one.example"), "GET", "/lists", nil).body, `href="/admin"`)
}

func TestOperatorSeesWhetherTheScoresAreRight(t *testing.T) {
	s := newSite(t)
	b := s.operator()
	require.Contains(t, s.send(b, "GET", "/admin", nil).body, "Not looked at yet")
	require.NoError(t, s.DB.Exec(`INSERT INTO calibrations (kind, bins, made_at) VALUES ('verified', '[{"count":40,"right":30,"predicted":0.95}]', ?), ('guessed', '[]', ?)`, s.Now(), s.Now()).Error)
	got := s.send(b, "GET", "/admin", nil).body
	for _, part := range []string{"Addresses that a server confirmed", "40 outcomes", `cx="190.0" cy="50.0"`, "promised 95 %, right 75 %", "20.0 points raw", "No outcome is known yet."} {
		require.Contains(t, got, part)
	}
}

func TestARowThatIsLookedUpAgainShowsTheAnswerBefore(t *testing.T) {
	s := newSite(t)
	s.Work()
	l := s.finished()
	rows, _, err := s.Records(t.Context(), s.owner.Account, l, app.RecordQuery{Status: "valid"})
	require.NoError(t, err)
	id := fmt.Sprint(rows[0].ID)
	page := fmt.Sprintf("/lists/%s/records/%s", l.Ref, id)
	b := s.signedIn("owner@one.example")
	require.NotContains(t, s.send(b, "GET", page, nil).body, "as before")
	require.NoError(t, s.DB.Exec("UPDATE records SET previous_email = 'old@one.example', previous_status = 'accept_all', previous_score = 41, previous_at = ? WHERE id = ?", s.Now(), rows[0].ID).Error)
	require.Contains(t, s.send(b, "GET", page, nil).body, "Before: old@one.example")
	require.NoError(t, s.DB.Exec("UPDATE records SET previous_email = email, previous_status = status WHERE id = ?", rows[0].ID).Error)
	require.Contains(t, s.send(b, "GET", page, nil).body, "The same answer as before")
}

func TestOperatorRunsAndDeletesTasks(t *testing.T) {
	s := newSite(t)
	b := s.operator()
	require.Equal(t, 404, s.send(b, "GET", "/admin/queues?queue=nosuch&state=pending", nil).status)
	require.Equal(t, 404, s.send(b, "GET", "/admin/queues?queue=high&state=nosuch", nil).status)
	require.Equal(t, 200, s.send(b, "GET", "/admin/queues?queue=low&state=archived", nil).status)
	l := s.Upload(s.owner, "people.csv", []byte(people))
	require.NoError(t, s.ImportLater(t.Context(), l))
	task := fmt.Sprintf("list:import:%d", l.ID)
	require.Contains(t, s.send(b, "GET", "/admin/queues?queue=high&state=pending", nil).body, task)
	require.Equal(t, 409, s.send(b, "POST", "/admin/queues/high/runs", url.Values{"task": {task}}).status, "it waits already")
	got := s.send(b, "POST", "/admin/queues/high/deletions", url.Values{"task": {task}, "state": {"pending"}})
	require.Equal(t, 303, got.status)
	require.Equal(t, "/admin/queues?queue=high&state=pending", got.header.Get("Location"))
	require.NotContains(t, s.send(b, "GET", "/admin/queues?queue=high&state=pending", nil).body, task)
	require.Equal(t, 404, s.send(b, "POST", "/admin/queues/high/deletions", url.Values{"task": {task}}).status)
	require.Equal(t, app.CodeNotFound, app.CodeOf(s.RunTask(t.Context(), s.owner, "high", task)), "asked for below the routes too")
}

// looked writes down a look at how mail servers see us, as if the clock had looked.
func (s *site) looked(state string) {
	require.NoError(s.t, s.DB.Exec(`INSERT INTO schedules (name, last_run_at, state) VALUES ('mail_health', ?, ?)`, s.Now(), state).Error)
}

func TestBannerSaysThatMailServersAreNotAsked(t *testing.T) {
	s := newSite(t)
	s.looked(fmt.Sprintf(`{"at":%q,"port_25":"no","listed":["192.0.2.7 by bl.test"],"findings":[{"part":"port 25","ok":"no","text":"mx.canary.test: no answer","mend":"Ask your provider."}]}`,
		time.Now().UTC().Format(time.RFC3339)))
	user, operator := s.send(s.signedIn("owner@one.example"), "GET", "/lists", nil).body, s.operator()
	require.Contains(t, user, "Addresses are not verified at present.")
	require.NotContains(t, user, "192.0.2.7", "what is wrong with the installation is its operator's affair")
	lists := s.send(operator, "GET", "/lists", nil).body
	require.Contains(t, lists, "Outgoing port 25 is closed.")
	require.Contains(t, lists, "192.0.2.7 by bl.test")
	require.Contains(t, lists, `href="/admin#h-mail"`)
	admin := s.send(operator, "GET", "/admin", nil).body
	require.Contains(t, admin, "mx.canary.test: no answer")
	require.Contains(t, admin, "Ask your provider.")
	require.NotContains(t, s.send(s.browser(), "GET", "/", nil).body, "health-bar", "strangers are told nothing")
}

func TestNoBannerWhileAllIsWell(t *testing.T) {
	s := newSite(t)
	b := s.operator()
	require.NotContains(t, s.send(b, "GET", "/lists", nil).body, "health-bar", "nobody has looked")
	require.Contains(t, s.send(b, "GET", "/admin", nil).body, "Nobody has looked lately")
}

func TestBannerWhenTheOperatorAsksInSpiteOfAListing(t *testing.T) {
	s := newSite(t, func(c *config.Config) { c.Health.Mode = config.ProbeSMTP })
	s.looked(fmt.Sprintf(`{"at":%q,"port_25":"yes","listed":["192.0.2.7 by bl.test"]}`, time.Now().UTC().Format(time.RFC3339)))
	require.Contains(t, s.send(s.signedIn("owner@one.example"), "GET", "/lists", nil).body, "Some mail servers refuse us at present.")
}

var keyOfForm = regexp.MustCompile(`name="key" value="([A-Z0-9]{20,})"`)

// formKey is the key of the form for credits on a page.
func formKey(t *testing.T, page string) string {
	t.Helper()
	found := keyOfForm.FindStringSubmatch(page)
	require.NotNil(t, found)
	return found[1]
}

func TestOperatorGivesCreditsOnThePage(t *testing.T) {
	s := newSite(t, func(c *config.Config) { c.Credits = true })
	b := s.operator()
	first := s.send(b, "GET", "/admin", nil).body
	require.Contains(t, first, "None was given yet.")
	key := formKey(t, first)
	refused := s.send(b, "POST", "/admin/credits", url.Values{"email": {"nobody@one.example"}, "amount": {"70"}, "note": {"for trying"}, "key": {key}})
	require.Equal(t, 404, refused.status)
	for _, kept := range []string{"Nobody here has the address", `value="nobody@one.example"`, `value="70"`, `value="for trying"`} {
		require.Contains(t, refused.body, kept)
	}
	require.Equal(t, 400, s.send(b, "POST", "/admin/credits", url.Values{"email": {"owner@one.example"}, "amount": {"many"}, "key": {key}}).status)
	require.NotEqual(t, key, formKey(t, refused.body), "another form each time")
	filled := url.Values{"email": {"owner@one.example"}, "amount": {"70"}, "note": {"for trying"}}
	require.Equal(t, 400, s.send(b, "POST", "/admin/credits", filled).status, "without a key nobody knows whether it is the second time")
	filled.Set("key", formKey(t, refused.body))
	for range 2 { // a double click
		got := s.send(b, "POST", "/admin/credits", filled)
		require.Equal(t, []any{303, "/admin#h-credits"}, []any{got.status, got.header.Get("Location")})
	}
	filled.Set("amount", "71")
	again := s.send(b, "POST", "/admin/credits", filled)
	require.Equal(t, 409, again.status)
	require.Contains(t, again.body, "This form was sent before")
	require.Regexp(t, `\+70</strong> .*for trying`, s.send(b, "GET", "/admin", nil).body)
	owner := s.signedIn("owner@one.example")
	usage := s.send(owner, "GET", "/usage", nil).body
	require.Contains(t, usage, `<dd class="big">70</dd>`)
	require.Contains(t, usage, "for trying")
	audit := s.send(owner, "GET", "/audit", nil).body
	require.Contains(t, audit, "Gave credits")
	require.Contains(t, audit, "owner@two.example", "and who it was")
}

func TestOperatorSetsATaskAsideAndRunsItAgain(t *testing.T) {
	s := newSite(t)
	b := s.operator()
	l := s.Upload(s.owner, "people.csv", []byte(people))
	require.NoError(t, s.ImportLater(t.Context(), l))
	task := url.Values{"task": {fmt.Sprintf("list:import:%d", l.ID)}}
	require.Equal(t, 303, s.send(b, "POST", "/admin/queues/high/archivals", task).status)
	archived := s.send(b, "GET", "/admin/queues?queue=high&state=archived", nil).body
	require.Contains(t, archived, task.Get("task"))
	require.NotContains(t, archived, "Set aside")
	require.Equal(t, 303, s.send(b, "POST", "/admin/queues/high/runs", task).status)
	pending := s.send(b, "GET", "/admin/queues?queue=high&state=pending", nil).body
	require.Contains(t, pending, task.Get("task"))
	require.Contains(t, pending, "Set aside")
}
