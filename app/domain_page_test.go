package app_test

import (
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"
	"beagle/app/probe"

	"github.com/stretchr/testify/require"
)

func TestDomainShowsWhatAllLearnedAndOnlyTheAccountsOwnAddresses(t *testing.T) {
	e := apptest.New(t)
	ctx, owner, other := t.Context(), e.NewActor("owner@one.example"), e.NewActor("owner@two.example")
	unseen, err := e.Domain(ctx, owner.Account, "https://www.onegate.example/about")
	require.NoError(t, err)
	require.Equal(t, "onegate.example", unseen.Name)
	require.Equal(t, probe.StateOK, unseen.Facts.State)
	require.Empty(t, unseen.Patterns)
	require.Nil(t, unseen.AcceptAll, "no mail server is asked for a look at a page")

	_, err = e.FindOne(ctx, owner, app.FindParams{First: "Grace", Last: "Yates", Domain: "onegate.example"})
	require.NoError(t, err)
	require.Eventually(t, func() bool { // what a process remembers of a domain is believed for some seconds
		mine, err := e.Domain(ctx, owner.Account, "onegate.example")
		require.NoError(t, err)
		return len(mine.Patterns) > 0
	}, apptest.Patience, 100*time.Millisecond)
	mine, err := e.Domain(ctx, owner.Account, "onegate.example")
	require.NoError(t, err)
	require.Equal(t, "{first}.{last}", mine.Patterns[0].Pattern)
	require.InDelta(t, 1, mine.Patterns[0].Share, 1e-9)
	require.Equal(t, probe.No, mine.AcceptAll.Verdict)
	require.Len(t, mine.Emails, 1)
	theirs, err := e.Domain(ctx, other.Account, "onegate.example")
	require.NoError(t, err)
	require.Equal(t, mine.Patterns, theirs.Patterns)
	require.Empty(t, theirs.Emails)
	_, err = e.Domain(ctx, owner.Account, "no domain at all!")
	require.Equal(t, app.CodeBadInput, app.CodeOf(err))
}

func TestDomainIsAskedAgainButNotForFun(t *testing.T) {
	e := apptest.New(t)
	ctx, owner := t.Context(), e.NewActor("owner@one.example")
	require.NoError(t, e.RefreshDomain(ctx, owner, "onegate.example"))
	view, err := e.Domain(ctx, owner.Account, "onegate.example")
	require.NoError(t, err)
	require.Equal(t, probe.No, view.AcceptAll.Verdict)
	require.False(t, view.MayRefresh)
	refusedAs(t, "too_soon", e.RefreshDomain(ctx, owner, "onegate.example"))
	e.App.Now = func() time.Time { return time.Now().UTC().Add(2 * time.Minute) }
	require.NoError(t, e.RefreshDomain(ctx, owner, "onegate.example"))
}

func TestRefreshAsksNoMailServerWherePatternsMustDo(t *testing.T) {
	e := apptest.New(t, func(c *config.Config) { c.Health.Mode = config.ProbePattern })
	ctx, owner := t.Context(), e.NewActor("owner@one.example")
	require.NoError(t, e.RefreshDomain(ctx, owner, "onegate.example"))
	view, err := e.Domain(ctx, owner.Account, "onegate.example")
	require.NoError(t, err)
	require.Equal(t, probe.StateOK, view.Facts.State)
	require.Nil(t, view.AcceptAll)
	require.Zero(t, e.World.Stats().Connections)
}
