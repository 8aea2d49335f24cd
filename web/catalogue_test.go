package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"beagle/app"
	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

// publishes puts a list of the first account into the catalogue, as its owner were an operator, and gives its id there.
func (s *site) publishes(list string) string {
	as := s.owner
	as.Operator = true
	item, err := s.Publish(s.t.Context(), as, list, app.PublishParams{Title: "Spring fair", Description: "Who was there.", Price: 3})
	require.NoError(s.t, err)
	return item.Ref
}

func TestOperatorPublishesAndAnotherAccountGetsForCredits(t *testing.T) {
	s := newSite(t, func(c *config.Config) { c.Credits = true })
	s.Work()
	operator := s.operator() // owner@two.example
	require.NoError(t, s.GrantCredits(t.Context(), s.other.Account, 50))
	l := s.Run(s.other, "fair.csv", []byte(people))
	require.Contains(t, s.send(operator, "GET", "/catalogue?list="+l.Ref, nil).body, `value="`+l.Ref+`" selected`)
	form := url.Values{"list": {l.Ref}, "title": {"Spring fair"}, "description": {"Who was there."}, "price": {"three"}}
	refused := s.send(operator, "POST", "/catalogue", form)
	require.Equal(t, 400, refused.status)
	require.Contains(t, refused.body, `value="Spring fair"`, "what was typed stays")
	form.Set("price", "3")
	made := s.send(operator, "POST", "/catalogue", form)
	require.Equal(t, 303, made.status, made.body)
	where := made.header.Get("Location")

	buyer := s.signedIn("owner@one.example")
	require.Contains(t, s.send(buyer, "GET", "/catalogue", nil).body, "3 credits")
	require.Contains(t, s.send(buyer, "GET", where, nil).body, "Get it for 3 credits")
	require.Equal(t, 402, s.send(buyer, "POST", where+"/copies", nil).status)
	require.NoError(t, s.GrantCredits(t.Context(), s.owner.Account, 5))
	got := s.send(buyer, "POST", where+"/copies", nil)
	require.Equal(t, 303, got.status)
	copied := strings.TrimPrefix(got.header.Get("Location"), "/lists/")
	require.Equal(t, got.header.Get("Location"), s.send(buyer, "POST", where+"/copies", nil).header.Get("Location"), "twice is once")
	s.WaitFor(s.owner, copied, app.List.Ended)
	require.Contains(t, s.send(buyer, "GET", "/lists/"+copied, nil).body, "Spring fair")
	usage := s.send(buyer, "GET", "/usage", nil).body
	require.Contains(t, usage, "List from the catalogue")
	require.Contains(t, usage, `<dd class="big">2</dd>`)
	require.Contains(t, s.send(buyer, "GET", "/usage.csv", nil).body, ",catalogue,-3,")

	key := "Bearer " + s.key(s.owner, false)
	all := s.send(http.DefaultClient, "GET", "/v2/catalogue", nil, "Authorization", key)
	var listed struct{ Data []catalogueItemJSON }
	require.NoError(t, json.Unmarshal([]byte(all.body), &listed))
	require.Equal(t, copied, *listed.Data[0].ListID)
	again := s.send(http.DefaultClient, "POST", "/v2/catalogue/"+listed.Data[0].ID+"/get", nil, "Authorization", key)
	require.Equal(t, 200, again.status)
	require.Contains(t, again.body, `"created":false`)
	require.Equal(t, 404, s.send(http.DefaultClient, "POST", "/v2/catalogue/none/get", nil, "Authorization", key).status)
	require.Equal(t, 303, s.send(operator, "POST", where+"/withdrawal", nil).status)
	require.Equal(t, 404, s.send(buyer, "GET", where, nil).status)
}

func TestDomainsAreFoundByTheirBoxAndFromAnAnswer(t *testing.T) {
	s := newSite(t)
	b := s.signedIn("owner@one.example")
	require.Equal(t, "/domains/onegate.example", s.send(b, "GET", "/domains?domain=+onegate.example", nil).header.Get("Location"))
	found := s.send(b, "POST", "/find", url.Values{"first_name": {"Grace"}, "last_name": {"Yates"}, "company": {"onegate.example"}})
	require.Contains(t, found.body, `href="/domains/onegate.example"`)
	page := s.send(b, "GET", "/domains/onegate.example", nil)
	require.Contains(t, page.body, "grace.yates@onegate.example")
	require.NotContains(t, s.send(s.signedIn("owner@two.example"), "GET", "/domains/onegate.example", nil).body, "grace.yates")
	require.Equal(t, 400, s.send(b, "GET", "/domains/no%20domain", nil).status)
	require.Equal(t, 200, s.send(b, "GET", "/domains/nullarbor.test", nil).status, "a domain without mail has a page that says so")
}

func TestUsageCountsCallsWhereCreditsAreNot(t *testing.T) {
	s := newSite(t)
	require.NoError(t, s.DB.Exec("INSERT INTO api_calls (account_id, key_id, day, calls, refused) VALUES (?, 1, ?, 1234, 56)", s.owner.Account, s.Now().Format("2006-01-02")).Error)
	body := s.send(s.signedIn("owner@one.example"), "GET", "/usage", nil).body
	require.Contains(t, body, "API calls by day")
	require.Contains(t, body, `<dd class="big">1,234</dd>`)
	require.Contains(t, body, `<td class="num">56</td>`)
	require.NotContains(t, body, "Credits left")
	require.NotContains(t, s.send(s.signedIn("owner@two.example"), "GET", "/usage", nil).body, "1,234")
}
