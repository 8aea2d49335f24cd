package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"beagle/app"
	"beagle/app/apptest"

	"github.com/stretchr/testify/require"
)

// who gets what: a line for each route of the site.
var siteCases = map[string]struct {
	body                   any
	stranger, other, owner int
}{
	"GET /":                                       {nil, 200, 303, 303},
	"GET /sign-in":                                {nil, 200, 303, 303},
	"POST /sign-in":                               {url.Values{"email": {"a@b.example"}, "password": {"not the password"}}, 401, 401, 401},
	"GET /sign-up":                                {nil, 200, 303, 303},
	"POST /sign-up":                               {url.Values{"email": {"a@b.example"}, "password": {"short"}}, 400, 400, 400},
	"POST /sign-out":                              {nil, 303, 303, 303},
	"GET /reset":                                  {nil, 200, 200, 200},
	"POST /reset":                                 {url.Values{"email": {"nobody@two.example"}}, 503, 503, 503},
	"GET /reset/:token":                           {nil, 404, 404, 404},
	"POST /reset/:token":                          {url.Values{"password": {"eight loud badgers"}}, 404, 404, 404},
	"POST /settings/mails":                        {url.Values{"notify": {"1"}}, 303, 303, 303},
	"GET /admin":                                  {nil, 303, 404, 404},
	"GET /admin/queues":                           {nil, 303, 404, 404},
	"POST /admin/queues/:queue/runs":              {nil, 303, 404, 404},
	"POST /admin/queues/:queue/archivals":         {nil, 303, 404, 404},
	"POST /admin/queues/:queue/deletions":         {nil, 303, 404, 404},
	"POST /admin/credits":                         {url.Values{"email": {"owner@two.example"}, "amount": {"5"}, "key": {"k"}}, 303, 404, 404},
	"GET /dev/mail":                               {nil, 404, 404, 404},
	"GET /lists":                                  {nil, 303, 200, 200},
	"POST /lists":                                 {form{filename: "a.csv", file: []byte(people)}, 303, 303, 303},
	"POST /lists/sample":                          {nil, 303, 303, 303},
	"GET /lists/:list":                            {nil, 303, 404, 200},
	"GET /lists/:list/mapping":                    {nil, 303, 404, 303},
	"POST /lists/:list/mapping":                   {url.Values{"process": {"find"}}, 303, 404, 409},
	"GET /lists/:list/progress":                   {nil, 303, 404, 200},
	"GET /lists/:list/events":                     {nil, 303, 404, 200},
	"GET /lists/:list/records/:record":            {nil, 303, 404, 200},
	"GET /lists/:list/download":                   {nil, 303, 404, 200},
	"POST /lists/:list/name":                      {url.Values{"name": {"Other name"}}, 303, 404, 303},
	"POST /lists/:list/pause":                     {nil, 303, 404, 409},
	"POST /lists/:list/resumption":                {nil, 303, 404, 409},
	"POST /lists/:list/cancellation":              {nil, 303, 404, 409},
	"POST /lists/:list/exports":                   {nil, 303, 404, 303},
	"POST /lists/:list/retries":                   {nil, 303, 404, 303},
	"POST /lists/:list/deletion":                  {nil, 303, 404, 303},
	"GET /find":                                   {nil, 303, 200, 200},
	"POST /find":                                  {url.Values{"first_name": {"Grace"}, "last_name": {"Yates"}, "company": {"onegate.example"}}, 303, 200, 200},
	"POST /verify":                                {url.Values{"email": {"grace.yates@onegate.example"}}, 303, 200, 200},
	"GET /keys":                                   {nil, 303, 200, 200},
	"POST /keys":                                  {url.Values{"name": {"k"}}, 303, 201, 201},
	"POST /keys/:key/revocation":                  {nil, 303, 404, 303},
	"GET /settings":                               {nil, 303, 200, 200},
	"POST /settings/name":                         {url.Values{"name": {"Ada"}}, 303, 303, 303},
	"POST /settings/password":                     {url.Values{"present": {apptest.Password}, "password": {"short"}}, 303, 400, 400},
	"POST /settings/email":                        {url.Values{"email": {"no address"}}, 303, 400, 400},
	"GET /settings/email/:token":                  {nil, 404, 404, 404},
	"POST /settings/email/:token":                 {nil, 404, 404, 404},
	"POST /settings/sessions/:session/deletion":   {nil, 303, 404, 404},
	"POST /settings/others/deletion":              {nil, 303, 303, 303},
	"GET /domains":                                {nil, 303, 200, 200},
	"GET /domains/:domain":                        {nil, 303, 200, 200},
	"POST /domains/:domain/checks":                {nil, 303, 303, 429},
	"GET /usage":                                  {nil, 303, 200, 200},
	"GET /usage.csv":                              {nil, 303, 200, 200},
	"GET /catalogue":                              {nil, 303, 200, 200},
	"POST /catalogue":                             {nil, 303, 404, 404},
	"GET /catalogue/:item":                        {nil, 303, 200, 200},
	"POST /catalogue/:item/copies":                {nil, 303, 303, 303},
	"POST /catalogue/:item/withdrawal":            {nil, 303, 404, 404},
	"GET /team":                                   {nil, 303, 200, 200},
	"POST /team/name":                             {url.Values{"name": {"T"}}, 303, 303, 303},
	"POST /team/invitations":                      {url.Values{"email": {"new@three.example"}, "role": {"member"}}, 303, 201, 201},
	"POST /team/invitations/:invitation/mails":    {nil, 303, 404, 201},
	"POST /team/invitations/:invitation/deletion": {nil, 303, 404, 303},
	"POST /team/members/:member/role":             {url.Values{"role": {"owner"}}, 303, 404, 303},
	"POST /team/members/:member/deletion":         {nil, 303, 404, 409},
	"GET /invitations/:token":                     {nil, 404, 404, 404},
	"POST /invitations/:token":                    {nil, 404, 404, 404},
	"GET /privacy":                                {nil, 303, 200, 200},
	"GET /audit":                                  {nil, 303, 200, 200},
	"POST /privacy/retention":                     {url.Values{"days": {"30"}}, 303, 303, 303},
	"GET /privacy/data.zip":                       {nil, 303, 200, 200},
	"POST /privacy/deletion":                      {url.Values{"present": {apptest.Password}}, 303, 303, 303},
	"POST /privacy/keeping":                       {nil, 303, 303, 303},
	"GET /opt-out":                                {nil, 200, 200, 200},
	"POST /opt-out":                               {url.Values{"subject": {"a@b.example"}}, 503, 503, 503},
	"GET /opt-out/:token":                         {nil, 404, 404, 404},
	"POST /opt-out/:token":                        {nil, 404, 404, 404},
	"GET /webhooks":                               {nil, 303, 200, 200},
	"POST /webhooks":                              {url.Values{"url": {"https://hooks.example/y"}, "events": {"list.finished"}}, 303, 303, 303},
	"POST /webhooks/:webhook":                     {url.Values{"events": {"list.failed"}}, 303, 404, 303},
	"POST /webhooks/:webhook/switch":              {url.Values{"enabled": {"0"}}, 303, 404, 303},
	"POST /mcp":                                   {`{}`, 401, 401, 401},
	"POST /webhooks/:webhook/deletion":            {nil, 303, 404, 303},
	"POST /deliveries/:delivery/retries":          {nil, 303, 404, 404},
	"GET /openapi.yaml":                           {nil, 200, 200, 200},
	"POST /docs/api/tries":                        {`{"method":"GET","path":"/v2/account"}`, 303, 200, 200},
	"GET /docs/api":                               {nil, 200, 200, 200},
	"GET /sample.csv":                             {nil, 200, 200, 200},
	"GET /static/*":                               {nil, 200, 200, 200},
	"GET /favicon.ico":                            {nil, 200, 200, 200},
	"GET /robots.txt":                             {nil, 200, 200, 200},
	"GET /healthz":                                {nil, 200, 200, 200},
	"GET /readyz":                                 {nil, 200, 200, 200},
	"GET /metrics":                                {nil, 200, 200, 200},
}

// Routes that end what the others need come last.
var lastRoutes = []string{"POST /lists/:list/retries", "POST /lists/:list/records/:record", "POST /lists/:list/records/:record/retries", "POST /lists/:list/rows", "POST /lists/:list/deletion", "POST /sign-out"}

func TestEachPageIsForWhomItSays(t *testing.T) {
	s := newSite(t)
	s.Work()
	l := s.finished()
	fill := s.filler(l.Ref, s.records(l)[0])
	visitors := map[string]*http.Client{"stranger": s.browser(), "other": s.signedIn("owner@two.example"), "owner": s.signedIn("owner@one.example")}
	for _, visitor := range []string{"stranger", "other", "owner"} {
		for _, route := range inOrder(t, siteRoutes) {
			c, known := siteCases[route]
			if !known {
				c, known = tableCases[route]
			}
			require.True(t, known, "%s has no case", route)
			want := map[string]int{"stranger": c.stranger, "other": c.other, "owner": c.owner}[visitor]
			method, path, _ := strings.Cut(route, " ")
			got := s.send(visitors[visitor], method, fill.Replace(path), c.body)
			require.Equal(t, want, got.status, "%s as %s: %s", route, visitor, got.body)
			checkHeaders(t, route, got.header)
			if visitor == "stranger" && want == 303 && route != "POST /sign-out" {
				require.True(t, strings.HasPrefix(got.header.Get("Location"), "/sign-in"), "%s sends a stranger to %s", route, got.header.Get("Location"))
			}
			if visitor != "owner" && got.status == 200 {
				require.NotContains(t, got.body, l.Ref, "%s shows another account's list", route)
			}
		}
	}
}

// who gets what: a line for each call of the API.
var apiCases = map[string]struct {
	body         any
	other, owner int
}{
	"GET /v2/email-finder":                       {nil, 200, 200},
	"GET /v2/email-verifier":                     {nil, 200, 200},
	"GET /v2/domain-search":                      {nil, 200, 200},
	"GET /v2/email-count":                        {nil, 200, 200},
	"POST /v2/known-emails":                      {`{"emails":["ada.ash@alder.example"]}`, 200, 200},
	"GET /v2/account":                            {nil, 200, 200},
	"GET /v2/lists":                              {nil, 200, 200},
	"POST /v2/lists":                             {form{filename: "a.csv", file: []byte(people)}, 201, 201},
	"GET /v2/lists/:list":                        {nil, 404, 200},
	"PATCH /v2/lists/:list":                      {`{"name":"New name"}`, 404, 200},
	"POST /v2/lists/:list/pause":                 {nil, 404, 409},
	"POST /v2/lists/:list/resume":                {nil, 404, 409},
	"POST /v2/lists/:list/cancel":                {nil, 404, 409},
	"POST /v2/lists/:list/rebuild":               {nil, 404, 200},
	"POST /v2/lists/:list/archive":               {nil, 404, 200},
	"POST /v2/lists/:list/unarchive":             {nil, 404, 200},
	"POST /v2/lists/:list/restore":               {nil, 404, 200},
	"GET /v2/lists/:list/actions":                {nil, 404, 200},
	"GET /v2/lists/:list/actions/:action":        {nil, 404, 200},
	"POST /v2/lists/:list/actions/:action/undo":  {nil, 404, 200},
	"POST /v2/lists/:list/records/retry":         {`{"filter":{"status":"unknown"}}`, 404, 202},
	"POST /v2/lists/:list/records/delete":        {`{"filter":{"status":"unknown","max_score":1}}`, 404, 202},
	"GET /v2/lists/:list/records":                {nil, 404, 200},
	"GET /v2/lists/:list/records/:record":        {nil, 404, 200},
	"GET /v2/catalogue":                          {nil, 200, 200},
	"POST /v2/catalogue/:item/get":               {nil, 201, 201},
	"GET /v2/webhooks":                           {nil, 200, 200},
	"POST /v2/webhooks":                          {`{"url":"https://hooks.example/x"}`, 201, 201},
	"GET /v2/webhooks/:webhook":                  {nil, 404, 200},
	"PATCH /v2/webhooks/:webhook":                {`{"enabled":false}`, 404, 200},
	"DELETE /v2/webhooks/:webhook":               {nil, 404, 204},
	"GET /v2/lists/:list/download":               {nil, 404, 200},
	"POST /v2/lists/:list/records":               {`{"records":[{"first_name":"Grace","last_name":"Yates","domain":"onegate.example"}]}`, 404, 201},
	"PATCH /v2/lists/:list/records/:record":      {`{"First Name":"Grace"}`, 404, 200},
	"POST /v2/lists/:list/records/:record/retry": {nil, 404, 200},
	"DELETE /v2/lists/:list/records/:record":     {nil, 404, 204},
	"POST /v2/lists/:list/retry":                 {nil, 404, 200},
	"DELETE /v2/lists/:list":                     {nil, 404, 204},
}

var queries = map[string]string{
	"GET /v2/domain-search":  "?domain=onegate.example",
	"GET /v2/email-count":    "?domain=onegate.example",
	"GET /v2/email-finder":   "?domain=onegate.example&first_name=Grace&last_name=Yates",
	"GET /v2/email-verifier": "?email=grace.yates@onegate.example",
}

func TestEachCallIsForWhomItSays(t *testing.T) {
	s := newSite(t)
	s.server.badKeys.quota = 4 * len(apiRoutes) // this test has many bad keys
	s.Work()
	l := s.finished()
	fill := s.filler(l.Ref, s.records(l)[0])
	auth := map[string]string{"no key": "", "bad key": "Bearer bgl_NOSUCHKEY", "other": "Bearer " + s.key(s.other, false), "owner": "Bearer " + s.key(s.owner, false)}
	for _, caller := range []string{"no key", "bad key", "other", "owner"} {
		for _, route := range inOrder(t, apiRoutes) {
			c, known := apiCases[route]
			require.True(t, known, "%s has no case", route)
			want := map[string]int{"no key": 401, "bad key": 401, "other": c.other, "owner": c.owner}[caller]
			method, path, _ := strings.Cut(route, " ")
			var more []string
			if auth[caller] != "" {
				more = []string{"Authorization", auth[caller]}
			}
			got := s.send(http.DefaultClient, method, fill.Replace(path)+queries[route], c.body, more...)
			require.Equal(t, want, got.status, "%s with %s: %s", route, caller, got.body)
			checkHeaders(t, route, got.header)
			for _, name := range []string{"RateLimit", "RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} {
				require.NotEmpty(t, got.header.Get(name), "%s lacks %s", route, name)
			}
			if want >= 400 {
				require.Contains(t, got.body, `"errors":[{"id":"`, "%s", route)
			}
		}
	}
}

// filler puts real ids into a route's path.
func (s *site) filler(list, record string) *strings.Replacer {
	keys, _, err := s.CreateKey(s.t.Context(), s.owner, "to revoke", false)
	require.NoError(s.t, err)
	hook, err := s.CreateWebhook(s.t.Context(), s.owner, "https://hooks.example/z", nil)
	require.NoError(s.t, err)
	_, err = s.Invite(s.t.Context(), s.owner, "open@one.example", app.RoleMember)
	require.NoError(s.t, err)
	open, err := s.Invitations(s.t.Context(), s.owner.Account)
	require.NoError(s.t, err)
	act, err := s.RemoveRecords(s.t.Context(), s.owner, list, app.Selection{IDs: []string{"999999999"}}) // of nothing
	require.NoError(s.t, err)
	css := strings.TrimPrefix(s.server.assets.named["css/app.css"], "/static/")
	return strings.NewReplacer(":webhook", hook.Ref, ":delivery", "msg_none", ":removal", "7", ":action", idOf(act.ID), ":invitation", idOf(open[0].ID), ":member", idOf(s.owner.User), ":item", s.publishes(s.finished().Ref), ":domain", "quietmill.example", ":session", "0123456789abcdef", ":list", list, ":record", record, ":key", idOf(keys.ID), "*", css)
}

// inOrder names the routes, those that end things last.
func inOrder(t *testing.T, table []route) []string {
	var first, last []string
	ends := append([]string{"POST /v2/lists/:list/retry", "POST /v2/lists/:list/records/retry", "POST /v2/lists/:list/records/delete", "POST /v2/lists/:list/records", "PATCH /v2/lists/:list/records/:record", "POST /v2/lists/:list/records/:record/retry",
		"DELETE /v2/lists/:list/records/:record", "DELETE /v2/lists/:list", "POST /v2/lists/:list/restore"}, lastRoutes...)
	for _, rt := range table {
		first = append(first, rt.method+" "+rt.path)
	}
	for _, end := range ends {
		for i, name := range first {
			if name == end {
				first, last = append(first[:i:i], first[i+1:]...), append(last, name)
				break
			}
		}
	}
	require.NotEmpty(t, last)
	return append(first, last...)
}

func checkHeaders(t *testing.T, route string, h http.Header) {
	t.Helper()
	require.Equal(t, contentPolicy, h.Get("Content-Security-Policy"), route)
	require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), route)
	require.Equal(t, "same-origin", h.Get("Referrer-Policy"), route)
	require.Equal(t, "same-origin", h.Get("Cross-Origin-Opener-Policy"), route)
	require.Regexp(t, goodRequestID, h.Get("X-Request-Id"), route)
	require.NotEmpty(t, h.Get("Cache-Control"), route)
}
