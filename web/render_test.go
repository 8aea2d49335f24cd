package web

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/finder"
	"beagle/app/probe"
	"beagle/app/sheet"
	"beagle/static"
	"beagle/templates"

	"github.com/stretchr/testify/require"
)

// samplePages have, for each template, data that reaches its branches.
func samplePages() map[string][]any {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	eta, credits, score := 90*time.Second, int64(1234567), 97
	list := app.List{Ref: "abc", Name: `<b>"Bad" & name</b>`, Process: "find", State: app.ListRunning, Filename: "a.csv", UploadBytes: 4096, Imported: 10, Total: 10,
		CreatedAt: at, StartedAt: &at, ResultBytes: 99, ResultVersion: 2, ResultAt: &at, Note: "It broke."}
	counts := app.Counts{Total: 10, Done: 5, Found: 3, Failed: 1, Retrying: 2, Waiting: 2, ByStatus: map[string]int64{"valid": 3, "unknown": 2},
		ByReason: []app.ReasonCount{{Status: "unknown", Reason: "greylisted", Rows: 2}}, NextRetry: &at}
	progress := app.Progress{Counts: counts, Fraction: .5, RowsPerSecond: 12.5, ETA: &eta}
	inState := func(state string) listPage {
		l := list
		l.State = state
		if l.Ended() {
			l.FinishedAt = &at
		}
		live := livePart{List: l, Progress: progress, Slices: donut(counts), Chart: inWords(donut(counts)), Unsolved: []unsolved{{"greylisted", nextStep("greylisted"), 2, 1}}}
		rows := []app.Record{{ID: 1, RowNo: 1, FirstName: "Mara", LastName: "Li", Domain: "a.example", State: app.RecordDone, Email: "mara@a.example", Status: "valid", Score: score, Reason: "mailbox_exists"},
			{ID: 2, RowNo: 2, FullName: "Teo", Company: "A", State: app.RecordRetrying, NextAttemptAt: &at}, {ID: 3, RowNo: 3, Cells: []string{"x"}, State: app.RecordFailed, Reason: "bad_line"}}
		return listPage{List: l, Live: live, Formats: formats, Records: recordsPart{List: l, Rows: rows, Show: true, Next: "zz", Choices: live.Slices,
			Filters: url.Values{"status": {"valid"}, "reason": {"greylisted"}, "q": {"x"}, "min_score": {"5"}, "sort": {"score"}}, After: "a", Matching: 3, Columns: everyColumn(),
			Actions: []app.ListAction{{ID: 4, Kind: app.ActionRetry, State: app.ActionWaiting}, {ID: 1, State: app.ActionDone, Rows: 1, CreatedAt: at}, {ID: 2, State: app.ActionUndoing}, {ID: 3, State: app.ActionWaiting, Rows: 2000}}}, Parts: parts, Tags: []string{"fair"}}
	}
	answer := answerPage{List: &list, Row: 7, Cells: []cell{{"Name", "Mara"}}, Name: "Mara Li", Domain: "a.example", State: app.RecordRetrying, Email: "mara@a.example", Status: "unknown",
		Score: score, Reason: "greylisted", Sentence: "Come back later.", Next: &at, Tries: 2, Checked: &at, Repeated: true, Evidence: sampleEvidence(at), ID: "1", Edit: []editField{{sheet.FirstName, "First name", "Mara"}}, Lists: []app.List{list}, Asked: map[sheet.Field]string{sheet.Domain: "a.example"}}
	mapping := mappingPage{List: list, Dialect: sheet.Dialect{Format: "csv", Comma: ";", Encoding: "utf-8", Header: true}, Columns: []string{"Name", ""}, Rows: [][]string{{"Mara", ""}},
		Fields: []mappingField{{ID: sheet.FirstName, Word: "First name", Column: 0, Samples: []string{"Mara"}, Unsure: true}, {ID: sheet.Domain, Word: "Domain", Column: -1, Hint: "h"}},
		Mapped: map[int]string{0: "First name"}, Process: "find", Estimate: 1, Missing: "No domain.", Check: []string{"the delimiter", "the encoding", "the column for x"}, FileError: "Not readable.", StartError: "No.", Paid: true, Credits: credits}
	key := app.Key{ID: 1, Name: "k", Prefix: "bgl_abc", CreatedAt: at, InURL: true}
	revoked := app.Key{ID: 2, Name: "old", CreatedAt: at, LastUsedAt: &at, RevokedAt: &at}
	week := window{at, weekSpan, weekStep}
	return map[string][]any{
		"home":    {homePage{SignUps: true, Demo: true, Hint: "a@b.example"}, homePage{}},
		"sign_in": {signPage{Next: "/lists", SignUps: true, Demo: true, Hint: "a@b.example", Error: "No."}},
		"sign_up": {signPage{SignUps: true, Error: "No."}, signPage{}},
		"error":   {errorPage{Status: 404, Message: "No.", RequestID: "r"}, errorPage{Status: 500}, errorPage{Status: 503}, errorPage{Status: 429}, errorPage{Status: 409, List: "abc", Known: true}, errorPage{Status: 404, Known: true}},
		"find":    {findPage{Answer: &answer}, findPage{Error: "No."}},
		"keys":    {keysPage{Keys: []app.Key{key, revoked}, Made: &key, Secret: "bgl_secret", BaseURL: "https://b.example", Error: "No.", Manages: true}, keysPage{}},
		"lists/index": {listsPage{First: true, CanSample: true, MaxBytes: 1 << 20, Error: "No."},
			listsPage{First: true, Rows: []listRow{{list, progress, []string{"fair"}}, {app.List{State: app.ListMapping}, app.Progress{}, nil}}, Total: 2, Next: "x", Tag: "fair", Tags: []string{"fair"},
				Deleted: []app.List{{Ref: "d", Name: "Gone", ClearAt: &at}}}},
		"lists/mapping": {mapping, mappingPage{Dialect: sheet.Dialect{Format: "xlsx"}, Sheets: []string{"People"}, ReuseDays: 30, Check: []string{"the encoding"}}, mappingPage{Dialect: sheet.Dialect{Format: "jsonl"}}},
		"lists/show": {inState(app.ListImporting), inState(app.ListRunning), inState(app.ListPaused), inState(app.ListExporting), inState(app.ListFinished),
			inState(app.ListCanceled), inState(app.ListFailed), listPage{List: app.List{Process: "none"}}},
		"records/show": {answer, answerPage{State: app.RecordDone, Status: "not_found"}},
		"webhooks": {webhooksPage{Events: eventChoices(app.Events), Hooks: []webhookShown{{app.Webhook{Ref: "w", URL: "https://a.example", Events: app.Events, Enabled: true, CreatedAt: at}, eventChoices(app.Events)},
			{app.Webhook{Ref: "x", Note: "Gone.", CreatedAt: at}, eventChoices(nil)}, {app.Webhook{Ref: "y", Enabled: true, FailingSince: &at}, nil}},
			Deliveries: []app.Delivery{{Ref: "m", Event: "list.finished", State: "delivered", Code: 204, TriedAt: &at, CreatedAt: at}, {Ref: "n", State: "pending", NextAt: &at, CreatedAt: at}}, Callback: "whsec_x", Error: "No."}, webhooksPage{}},
		"docs": {sampleDocs()},
		"settings": {settingsPage{Mails: true, User: app.User{Notify: true, Operator: true}, Done: "Saved.", Sessions: []app.Session{{ID: "a", Current: true, Agent: "Mozilla/5.0 (X11; Linux x86_64) Chrome/150 Safari/537", SeenAt: at}, {ID: "b"}}},
			settingsPage{Error: "No.", At: "password"}, settingsPage{Error: "No.", At: "email"}, settingsPage{Error: "No.", At: "name"}},
		"usage": {usagePage{Counted: true, Left: credits, First: true}, usagePage{Days: []usageDay{{app.DaySpent{Day: at, Spent: 3, Granted: 5}, 7, 1}}, Chart: "[[1],[2]]", ChartWords: "w", Next: "x",
			Entries: []app.LedgerEntry{{Kind: "find", Amount: -1, ListRef: "l", ListName: "<b>", RowNo: 3, CreatedAt: at}, {Kind: "grant", Amount: 5}, {Kind: "catalogue", Amount: -5, Note: "Fair"}, {Kind: "find"}}}},
		"domains/index": {domainsPage{}, domainsPage{Recent: []string{"a.example"}}},
		"domains/show": {domainFacts{DomainView: app.DomainView{Name: "a.example", Facts: &probe.Domain{State: probe.StateOK, Provider: "google", Hosts: []probe.Host{{Name: "mx", Pref: 1}}, Detail: "d", CheckedAt: at},
			AcceptAll: &probe.AcceptAllAnswer{Verdict: probe.Unsure, Reason: "timeout", At: at}, Patterns: []app.PatternShare{{Pattern: "{first}", Hits: 3, Misses: 1, Share: .75}}, Confirmed: 4,
			Emails: []app.DomainEmail{{Email: "info@a.example", Generic: true, Status: "valid", Score: 99, At: at}}}, Total: 3, Error: "No."},
			domainFacts{DomainView: app.DomainView{Facts: &probe.Domain{State: probe.StateNoMX, Implicit: true}, MayRefresh: true}}, domainFacts{DomainView: app.DomainView{Facts: &probe.Domain{Webmail: true}, AcceptAll: &probe.AcceptAllAnswer{Verdict: probe.Yes}}},
			domainFacts{DomainView: app.DomainView{Facts: &probe.Domain{Disposable: true}, AcceptAll: &probe.AcceptAllAnswer{Verdict: probe.No}}}},
		"catalogue/index": {cataloguePage{}, cataloguePage{Operator: true, Counted: true, Items: []app.CatalogueItem{{Ref: "c", Title: "T", Price: 3, Rows: 4}, {Copied: "l"}}, Own: []app.List{list}, List: "abc", Error: "No."}, cataloguePage{Operator: true}},
		"catalogue/show":  {itemPage{CatalogueItem: app.CatalogueItem{Ref: "c", Title: "T", Price: 3, Columns: []string{"Name"}, Sample: [][]string{{"M•••"}}, PublishedAt: at}, Counted: true, Operator: true, Error: "No."}, itemPage{CatalogueItem: app.CatalogueItem{Copied: "l"}}},
		"team": {teamPage{Me: app.User{ID: 1, Role: app.RoleOwner}, Members: []app.User{{ID: 1, Role: app.RoleOwner, Email: "a@b.example", Name: "Ada"}, {ID: 2, Role: app.RoleMember, Email: "c@b.example"}}, Roles: app.Roles,
			Invitations: []app.Invitation{{ID: 3, Email: "d@b.example", Role: app.RoleAdmin, ExpiresAt: at}}, Mails: true}, teamPage{Me: app.User{ID: 2, Role: app.RoleMember}, Members: []app.User{{ID: 2}}, Link: "https://b.example/i/x", Error: "No."}},
		"invitation":     {invitationPage{Invitation: app.Invitation{Team: "T", By: "a@b.example", Email: "c@b.example", Role: app.RoleMember}, Token: "t", Error: "No."}, invitationPage{}},
		"confirm":        {confirmPage{Heading: "Sure?", Text: "t", Button: "Yes", Action: "/x"}, confirmPage{Heading: "Done", Done: true, Back: "/", BackWords: "Back"}},
		"privacy":        {privacyPage{Owns: true, Retentions: retentions, Other: true, Account: app.Account{RetentionDays: 5, DeleteAt: &at}, Error: "No."}, privacyPage{Owns: true, Retentions: retentions}, privacyPage{}},
		"audit":          {auditPage{Events: []app.AuditEvent{{Action: "key.created", Subject: "bgl_x", Email: "a@b.example", IP: "::1", CreatedAt: at}, {Action: "list.sorted"}}, Next: "x"}, auditPage{First: true}},
		"opt_out":        {optOutPage{}, optOutPage{Mails: true, Operator: true, Error: "No."}, optOutPage{SentTo: "a@b.example"}, optOutPage{Done: "b.example"}},
		"reset":          {resetPage{}, resetPage{Mails: true, Error: "No."}, resetPage{Sent: true, Email: "a@b.example"}},
		"reset_password": {passwordPage{Token: "t", Email: "a@b.example", Error: "No."}},
		"admin/index": {adminPage{}, adminPage{Bad: []string{"redis: away"}, Span: "7d", Spans: []spanChoice{{"1h", "hour"}, {"7d", "week"}}, KeepsMail: true, Measured: true,
			Charts: []series{responseTimes([]app.Point{{At: at, P99: 5, Timeouts: 2}}, week), throughput([]app.Point{{At: at, Requests: 3}}, week), listTimes([]app.ListTime{{At: at, Seconds: 3, Size: 4}}, week)},
			Health: app.Health{Workers: []app.Worker{{ID: "w", StartedAt: at, BeatAt: at, Holding: []string{"record:1:1"}}}, Queues: []app.QueueState{{Name: "high"}}, Lists: []app.List{list},
				Schedules: []app.ScheduleRun{{Name: "clean", LastRunAt: at, Failed: true}, {Name: "ping", Every: time.Minute}}, Processes: []app.Process{{ID: "web 1", Kind: "web"}},
				Alarms: []app.Alarm{{Name: "process web", Note: "gone", Since: at}}, FailedMails: []app.OwedMail{{Kind: "list_finished", Error: "550"}}}}},
		"admin/queues": {queuesPage{}, queuesPage{Queue: "high", State: "retry", Queues: []app.QueueState{{Name: "high"}}, Tasks: []app.Task{{ID: "<t>", LastErr: "e", NextProcessAt: at}}}},
		"dev/mail":     {keptMailsPage{}, keptMailsPage{Mails: []keptMail{{app.KeptMail{Subject: "s", TextBody: "see https://b.example/x"}, []string{"https://b.example/x"}}}}},
	}
}

// everyColumn are all columns of a table, and one of the file, switched on.
func everyColumn() []column {
	all := append(slices.Clone(ownColumns), column{ID: "c0", Word: "Name", Index: 0})
	for i := range all {
		all[i].On = true
	}
	return all
}

func sampleDocs() docsPage {
	page, err := readDocs(openAPI, "https://b.example")
	if err != nil {
		panic(err)
	}
	return page
}

func sampleEvidence(at time.Time) finder.Evidence {
	return finder.Evidence{Why: "The server takes it.", Asked: 2, Region: "eu",
		Name:       &finder.NameEvidence{First: []finder.Form{{Text: "mara", Weight: 1}}, Middle: []finder.Form{{Text: "x", Weight: .5}}, Last: []finder.Form{{Text: "li", Weight: 1}}, Swapped: .1, Notes: []string{"n"}},
		Domain:     &finder.DomainEvidence{Name: "a.example", State: "ok", Provider: "google", Hosts: []string{"mx1", "mx2"}, Implicit: true, Detail: "d", CheckedAt: at},
		AcceptAll:  &finder.AcceptAllEvidence{Verdict: "unknown", Reason: "greylisted", At: at, Remembered: true, Code: 450, Text: "later"},
		Patterns:   []finder.PatternEvidence{{Pattern: "{first}", Hits: 1, P: .5}},
		Candidates: []finder.CandidateEvidence{{Email: "mara@a.example", Pattern: "{first}", Prior: .2, Posterior: .6, Verdict: "valid", Code: 250, Text: "<script>alert(1)</script>", Earlier: true}, {Email: "m@a.example"}},
		Score:      []finder.ScorePart{{Factor: .9, Why: "w"}},
		Transcript: []probe.Line{{At: at, From: "I", Text: "connected"}, {At: at.Add(time.Second), From: "C", Text: "EHLO"}, {At: at.Add(2 * time.Second), From: "S", Text: "250 <hi>"}}}
}

var (
	inline   = regexp.MustCompile(`(?i)\sstyle=|\son[a-z]+="|<script(?:>|[^>]*>[^<])|javascript:`)
	idInHTML = regexp.MustCompile(`\sid="([^"]+)"`)
)

func TestEveryPageRendersWithoutInlineScriptOrStyle(t *testing.T) {
	a, err := packAssets(static.FS)
	require.NoError(t, err)
	p, err := parsePages(templates.FS, a)
	require.NoError(t, err)
	samples := samplePages()
	for page := range p.sets {
		require.NotEmpty(t, samples[page], "page %s has no sample", page)
	}
	for page, all := range samples {
		for i, data := range all {
			for _, user := range []*app.User{nil, {Email: "u@b.example"}} {
				body, err := p.render(page, "layout.html", frame{User: user, Demo: true, Version: "1", SignUps: true, Data: data})
				require.NoError(t, err, "%s, sample %d", page, i)
				checkHTML(t, page, string(body))
			}
		}
	}
}

func checkHTML(t *testing.T, page, body string) {
	t.Helper()
	require.NotContains(t, body, "<no value>", page)
	require.NotContains(t, body, "ZgotmplZ", page)
	require.NotContains(t, body, "<script>alert", page)
	require.Empty(t, inline.FindString(body), page)
	require.Equal(t, 1, strings.Count(body, "<h1"), "%s has one heading of the first rank", page)
	seen := map[string]bool{}
	for _, m := range idInHTML.FindAllStringSubmatch(body, -1) {
		require.False(t, seen[m[1]], "%s has the id %s twice", page, m[1])
		seen[m[1]] = true
	}
}

var (
	styleClass = regexp.MustCompile(`\.([a-z][a-z0-9_-]*)`)
	styleRules = regexp.MustCompile(`(?s)/\*.*?\*/|\{[^{}]*\}`)
	styledLive = regexp.MustCompile(`^([dpstv]-|icon-|htmx-|u-legend)`) // by a status, an icon's name, or a library
	iconInHTML = regexp.MustCompile(`\{\{template "icon" "(\w+)"\}\}`)
	iconDrawn  = regexp.MustCompile(`if eq \. "(\w+)"\}\}<`)
)

// What nobody uses any more is taken out of the style sheet and the icons.
func TestEveryStyleAndIconIsUsed(t *testing.T) {
	var all strings.Builder
	for _, pattern := range []string{"../templates/*.html", "../templates/*/*.html", "../static/js/*.js"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, name := range files {
			body, err := os.ReadFile(name)
			require.NoError(t, err)
			all.Write(body)
		}
	}
	words := regexp.MustCompile(`[a-z][a-z0-9_-]*`).FindAllString(all.String(), -1)
	slices.Sort(words)
	css, err := os.ReadFile("../static/css/app.css")
	require.NoError(t, err)
	for _, m := range styleClass.FindAllStringSubmatch(styleRules.ReplaceAllString(string(css), " "), -1) {
		_, used := slices.BinarySearch(words, m[1])
		require.True(t, used || styledLive.MatchString(m[1]), "no page uses the class %s", m[1])
	}
	drawn := map[string]bool{}
	for _, m := range iconDrawn.FindAllStringSubmatch(all.String(), -1) {
		drawn[m[1]] = false
	}
	for _, m := range iconInHTML.FindAllStringSubmatch(all.String(), -1) {
		require.Contains(t, drawn, m[1])
		drawn[m[1]] = true
	}
	for name, used := range drawn {
		require.True(t, used, "no page shows the icon %s", name)
	}
}

// Examples are about nobody: their domains are those that RFC 2606 keeps for that.
func TestExamplesOnPagesNameNobodysDomain(t *testing.T) {
	named := regexp.MustCompile(`(?:placeholder="|domain=|such as |@)[^"<\s]*\b[a-z0-9-]+\.(com|net|org|io)\b`)
	for _, pattern := range []string{"../templates/*.html", "../templates/*/*", "../app/*.go", "*.go", "openapi.yaml"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, name := range files {
			body, err := os.ReadFile(name)
			if strings.HasSuffix(name, "_test.go") || err != nil {
				continue
			}
			require.Empty(t, named.FindString(string(body)), name)
		}
	}
}

// A page's own weight: the scripts and styles that it names.
func TestPagesStayUnder60KBOfScriptAndStyle(t *testing.T) {
	a, err := packAssets(static.FS)
	require.NoError(t, err)
	p, err := parsePages(templates.FS, a)
	require.NoError(t, err)
	for page, samples := range samplePages() {
		body, err := p.render(page, "layout.html", frame{Data: samples[0]})
		require.NoError(t, err, page)
		sum := 0
		for name, url := range a.named {
			if ext := path.Ext(name); (ext == ".js" || ext == ".css") && strings.Contains(string(body), url) {
				sum += len(a.served[strings.TrimPrefix(url, "/static/")].packed)
			}
		}
		require.Positive(t, sum, page)
		require.LessOrEqual(t, sum, codeBudget, "%s: bytes of scripts and styles, packed", page)
	}
}

func TestWordsForPeople(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", 1234567: "1,234,567"} {
		got, err := count(n)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KB", 512 << 20: "512 MB", 3 << 40: "3.0 TB"} {
		require.Equal(t, want, size(n))
	}
	for d, want := range map[time.Duration]string{-1: "0 s", 40 * time.Second: "40 s", 3 * time.Minute: "3 min", 125 * time.Minute: "2 h 5 min", 72 * time.Hour: "3 days"} {
		require.Equal(t, want, span(d))
	}
	for p, want := range map[float64]string{0: "0 %", .0004: "<0.1 %", .055: "5.5 %", .05: "5 %", .37: "37 %", 1: "100 %"} {
		require.Equal(t, want, percent(p))
	}
	require.Equal(t, "Mailbox full", reasonWord("mailbox_full"))
}

// notAudited have the form of actions: events of webhooks, and files of an archive.
var notAudited = map[string]bool{"list.imported": true, "list.finished": true, "list.failed": true, "account.json": true, "records.csv": true}

// What the audit page shows of who did what, said in words.
func TestEveryActionThatIsAuditedHasAWord(t *testing.T) {
	files, err := filepath.Glob("../app/*.go")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	audited, found := regexp.MustCompile(`"((?:account|key|list|member|opt_out|password|record|records|session|team|user|webhook)\.[a-z_]+)"`), 0
	for _, name := range files {
		body, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, m := range audited.FindAllStringSubmatch(string(body), -1) {
			if !notAudited[m[1]] {
				require.Contains(t, actionWords, m[1], name)
				found++
			}
		}
	}
	require.Greater(t, found, 20)
}

func TestDonutCountsEveryRowOnce(t *testing.T) {
	parts := donut(app.Counts{Total: 10, Done: 5, Failed: 1, Retrying: 2, Waiting: 2, ByStatus: map[string]int64{"valid": 3, "unknown": 2}})
	sum, rows := 0.0, int64(0)
	for _, p := range parts {
		sum, rows = sum+p.Share, rows+p.Rows
	}
	require.EqualValues(t, 10, rows)
	require.InDelta(t, 1, sum, 1e-9)
	require.Empty(t, donut(app.Counts{}))
}
