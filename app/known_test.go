package app_test

import (
	"strings"
	"testing"

	"beagle/app"
	"beagle/app/apptest"

	"github.com/stretchr/testify/require"
)

func TestKnownAddressesTeachAndBouncesTakeBack(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as, other := e.NewActor("owner@one.example"), e.NewActor("owner@two.example")
		people := []app.KnownEmail{{Email: "Ada.Ash@onegate.example", First: "Ada", Last: "Ash"}, {Email: "ben.birch@onegate.example", Full: "Ben Birch"},
			{Email: "info@onegate.example"}, {Email: "nobody"}, {Email: "ada.ash@onegate.example", First: "Ada", Last: "Ash"}}
		sum, err := e.AddKnown(t.Context(), as, app.KnownRight, people)
		require.NoError(t, err)
		require.Equal(t, 5, sum.Received)
		require.Equal(t, 3, sum.Stored)
		require.Equal(t, 2, sum.Taught)
		require.Equal(t, []app.KnownSkip{{Index: 3, Email: "nobody", Reason: "bad_input"}}, sum.Skipped)
		sum, err = e.AddKnown(t.Context(), as, app.KnownRight, people)
		require.NoError(t, err)
		require.Zero(t, sum.Stored, "the same again is no news")

		known, err := e.DomainSearch(t.Context(), as.Account, "onegate.example", "")
		require.NoError(t, err)
		require.Equal(t, "{first}.{last}", known.Pattern)
		require.Len(t, known.Emails, 3)
		require.True(t, known.Emails[2].Generic, "info@")
		theirs, err := e.DomainSearch(t.Context(), other.Account, "https://www.onegate.example/", "")
		require.NoError(t, err)
		require.Empty(t, theirs.Emails, "addresses are the account's own")
		require.Empty(t, theirs.Pattern, "what they teach too")

		_, err = e.AddKnown(t.Context(), as, app.KnownBounce, []app.KnownEmail{{Email: "ada.ash@onegate.example"}, {Email: "ben.birch@onegate.example", First: "Ben", Last: "Birch"}})
		require.NoError(t, err)
		known, err = e.DomainSearch(t.Context(), as.Account, "onegate.example", "")
		require.NoError(t, err)
		require.Len(t, known.Emails, 1, "a bounced address is not shown")
		require.Empty(t, known.Pattern, "nobody is confirmed any more")
		var shared int64
		require.NoError(t, e.DB.Raw("SELECT COUNT(*) FROM domain_patterns WHERE domain = 'onegate.example'").Scan(&shared).Error)
		require.Zero(t, shared)
	})
}

func TestDomainsThatTakeNoMailAreRefused(t *testing.T) {
	e := apptest.New(t)
	as := e.NewActor("owner@one.example")
	for _, domain := range []string{"nowhere-at-all.example", "1.2.3.4"} {
		_, err := e.DomainSearch(t.Context(), as.Account, domain, "")
		refusal, ok := app.Refusal(err)
		require.True(t, ok, "%v", err)
		require.Equal(t, "invalid_domain", refusal.ID)
	}
	_, err := e.AddKnown(t.Context(), as, "guess", []app.KnownEmail{{Email: "a@b.example"}})
	require.Equal(t, app.CodeBadInput, app.CodeOf(err))
	_, err = e.AddKnown(t.Context(), as, app.KnownRight, make([]app.KnownEmail, app.MaxKnown+1))
	require.Equal(t, app.CodeTooLarge, app.CodeOf(err))
}

func TestKnownAddressesTeachTheirAccountAndNobodyElse(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as, other := e.NewActor("owner@one.example"), e.NewActor("owner@two.example")
		pattern := func(account int64) string {
			known, err := e.DomainSearch(t.Context(), account, "onegate.example", "")
			require.NoError(t, err)
			return known.Pattern
		}
		found, err := e.FindOne(t.Context(), as, app.FindParams{First: "Grace", Last: "Yates", Domain: "onegate.example"})
		require.NoError(t, err)
		require.Equal(t, "valid", found.Status)
		require.Equal(t, "{first}.{last}", pattern(other.Account), "what a mail server has said is for everybody")

		var lies []app.KnownEmail
		for _, name := range []string{"Ash", "Birch", "Cedar", "Elder"} {
			lies = append(lies, app.KnownEmail{Email: "x" + strings.ToLower(name) + "@onegate.example", First: "Xenia", Last: name})
		}
		sum, err := e.AddKnown(t.Context(), other, app.KnownRight, lies)
		require.NoError(t, err)
		require.Equal(t, 4, sum.Taught)
		require.Equal(t, "{f}{last}", pattern(other.Account), "they asked for it")
		require.Equal(t, "{first}.{last}", pattern(as.Account))
		_, err = e.AddKnown(t.Context(), other, app.KnownBounce, []app.KnownEmail{{Email: found.Email, First: "Grace", Last: "Yates"}})
		require.NoError(t, err)
		require.Equal(t, "{first}.{last}", pattern(as.Account), "nor does a bounce take away what was seen")
		_, err = e.AddKnown(t.Context(), as, app.KnownRight, []app.KnownEmail{{Email: found.Email, First: "Grace", Last: "Yates"}})
		require.NoError(t, err)
		require.Equal(t, "{first}.{last}", pattern(as.Account), "the same address is not counted twice, and stays")
	})
}
