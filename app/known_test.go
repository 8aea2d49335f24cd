package app_test

import (
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
		require.Equal(t, "{first}.{last}", theirs.Pattern, "the pattern is everybody's")

		_, err = e.AddKnown(t.Context(), as, app.KnownBounce, []app.KnownEmail{{Email: "ada.ash@onegate.example"}, {Email: "ben.birch@onegate.example", First: "Ben", Last: "Birch"}})
		require.NoError(t, err)
		known, err = e.DomainSearch(t.Context(), as.Account, "onegate.example", "")
		require.NoError(t, err)
		require.Len(t, known.Emails, 1, "a bounced address is not shown")
		require.Empty(t, known.Pattern, "nobody is confirmed any more")
		var misses int
		require.NoError(t, e.DB.Raw("SELECT misses FROM domain_patterns WHERE domain = 'onegate.example' AND pattern = 'F.L'").Scan(&misses).Error)
		require.Equal(t, 1, misses)
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
