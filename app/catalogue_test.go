package app_test

import (
	"strings"
	"sync"
	"testing"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

const fair = "First Name,Last Name,Website\nGrace,Yates,onegate.example\nNathan,Fenwick,pelican-apps.example\nNobody,Atall,nullarbor.test\n"

func withCredits(c *config.Config) { c.Credits = true }

// published is a list of an operator in the catalogue.
func published(t *testing.T, e *apptest.Env, price int64) (operator app.Actor, list app.List, item app.CatalogueItem) {
	user, err := e.AddUser(t.Context(), "operator@one.example", apptest.Password, "", true)
	require.NoError(t, err)
	operator = user.Actor()
	require.NoError(t, e.GrantCredits(t.Context(), operator.Account, 10))
	e.Work()
	list = e.Run(operator, "fair.csv", []byte(fair))
	item, err = e.Publish(t.Context(), operator, list.Ref, app.PublishParams{Title: "Spring fair", Description: "Who was there.", Price: price})
	require.NoError(t, err)
	return operator, list, item
}

func TestListFromTheCatalogueIsPaidOnceAndIsTheAccountsOwn(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s, withCredits)
		operator, source, item := published(t, e, 3)
		ctx, buyer := t.Context(), e.NewActor("owner@two.example")
		_, _, err := e.GetFromCatalogue(ctx, buyer, item.Ref)
		refusedAs(t, "no_credits", err)
		require.NoError(t, e.GrantCredits(ctx, buyer.Account, 7))

		var group sync.WaitGroup
		refs, made := make([]string, 4), make([]bool, 4)
		for i := range refs {
			group.Go(func() {
				l, first, err := e.GetFromCatalogue(ctx, buyer, item.Ref)
				if err == nil {
					refs[i], made[i] = l.Ref, first
				}
			})
		}
		group.Wait()
		times := 0
		for i, ref := range refs {
			require.Equal(t, refs[0], ref, "all get the same copy")
			if made[i] {
				times++
			}
		}
		require.Equal(t, 1, times)
		account, err := e.Account(ctx, buyer.Account)
		require.NoError(t, err)
		require.EqualValues(t, 4, account.Credits, "paid once")
		entries, _, err := e.Ledger(ctx, buyer.Account, "")
		require.NoError(t, err)
		require.Len(t, entries, 2)
		require.Equal(t, "Spring fair", entries[0].Note)
		require.EqualValues(t, -3, entries[0].Amount)

		mine := e.WaitFor(buyer, refs[0], app.List.Ended)
		require.Equal(t, app.ListFinished, mine.State)
		require.Equal(t, string(e.Result(operator, source, "csv", false)), string(e.Result(buyer, mine, "csv", false)))
		p, err := e.Progress(ctx, mine)
		require.NoError(t, err)
		require.EqualValues(t, 3, p.Done)
		require.EqualValues(t, 2, p.Found)

		refusedAs(t, "published", e.DeleteList(ctx, operator, source.Ref))
		refusedAs(t, "published", e.TrashList(ctx, operator, source.Ref))
		require.NoError(t, e.DeleteList(ctx, buyer, mine.Ref))
		again, first, err := e.GetFromCatalogue(ctx, buyer, item.Ref)
		require.NoError(t, err)
		require.True(t, first)
		require.NotEqual(t, mine.Ref, again.Ref, "who paid may have it again")
		account, err = e.Account(ctx, buyer.Account)
		require.NoError(t, err)
		require.EqualValues(t, 4, account.Credits, "free the second time")

		require.NoError(t, e.Withdraw(ctx, operator, item.Ref))
		_, _, err = e.GetFromCatalogue(ctx, buyer, item.Ref)
		refusedAs(t, "catalogue_not_found", err)
		_, err = e.List(ctx, buyer.Account, again.Ref)
		require.NoError(t, err, "copies stay")
		require.NoError(t, e.DeleteList(ctx, operator, source.Ref))
	})
}

func TestOwnerIsToldOnceWhenAListOfTheCatalogueLeavesFewCredits(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s, withCredits, keepsMail, func(c *config.Config) { c.CreditsLow = 5 })
		operator, source, item := published(t, e, 3)
		ctx, buyer := t.Context(), e.NewActor("owner@two.example")
		require.NoError(t, e.GrantCredits(ctx, buyer.Account, 8))
		toldLow := func() (told []app.OwedMail) {
			require.NoError(t, e.DB.Where("kind = 'credits_low' AND user_id = ?", buyer.User).Find(&told).Error)
			return told
		}
		buy := func(ref string) {
			_, made, err := e.GetFromCatalogue(ctx, buyer, ref)
			require.NoError(t, err)
			require.True(t, made)
		}
		buy(item.Ref)
		require.Empty(t, toldLow(), "5 are left: not fewer than 5")
		for _, price := range []int64{1, 2} {
			require.NoError(t, e.Withdraw(ctx, operator, item.Ref))
			var err error
			item, err = e.Publish(ctx, operator, source.Ref, app.PublishParams{Title: "Autumn fair", Price: price})
			require.NoError(t, err)
			buy(item.Ref)
			require.Len(t, toldLow(), 1, "once, although it sinks further")
		}
	})
}

func TestCatalogueShowsNobodyAndCopiesNobodyWhoOptedOut(t *testing.T) {
	e := apptest.New(t)
	operator, _, item := published(t, e, 0)
	ctx, buyer := t.Context(), e.NewActor("owner@two.example")
	items, err := e.Catalogue(ctx, buyer.Account)
	require.NoError(t, err)
	require.Len(t, items, 1)
	require.Len(t, items[0].Sample, 3)
	for _, row := range items[0].Sample {
		for _, cell := range row {
			for _, name := range []string{"Grace", "grace", "Yates", "yates", "onegate", "pelican"} {
				require.NotContains(t, cell, name)
			}
		}
	}
	require.Equal(t, "g••••.y••••@o••••••.e••••••", items[0].Sample[0][3])
	_, err = e.Suppress(ctx, operator, "grace.yates@onegate.example")
	require.NoError(t, err)
	_, err = e.Suppress(ctx, operator, "pelican-apps.example")
	require.NoError(t, err)
	l, _, err := e.GetFromCatalogue(ctx, buyer, item.Ref)
	require.NoError(t, err)
	file := string(e.Result(buyer, e.WaitFor(buyer, l.Ref, app.List.Ended), "csv", false))
	require.Equal(t, 2, strings.Count(file, "\n"), "a header and one row:\n%s", file)
	require.NotContains(t, file, "Grace")
	require.NotContains(t, file, "Nathan")
}

func TestOnlyOperatorsPublishFinishedListsOfTheirOwn(t *testing.T) {
	e := apptest.New(t)
	operator, list, _ := published(t, e, 1)
	ctx, other := t.Context(), e.NewActor("owner@two.example")
	good := app.PublishParams{Title: "T", Price: 1}
	_, err := e.Publish(ctx, other, list.Ref, good)
	refusedAs(t, "not_found", err)
	refusedAs(t, "not_found", e.Withdraw(ctx, other, list.Ref))
	theirs := e.Upload(other, "theirs.csv", []byte(fair))
	_, err = e.Publish(ctx, operator, theirs.Ref, good)
	refusedAs(t, "list_not_found", err)
	_, err = e.Publish(ctx, operator, list.Ref, good)
	refusedAs(t, "already_published", err)
	fresh := e.Upload(operator, "fresh.csv", []byte(fair))
	_, err = e.Publish(ctx, operator, fresh.Ref, good)
	refusedAs(t, "wrong_state", err)
	for id, p := range map[string]app.PublishParams{"invalid_title": {}, "invalid_price": {Title: "T", Price: -1}, "invalid_description": {Title: "T", Description: strings.Repeat("x", 2001)}} {
		_, err = e.Publish(ctx, operator, list.Ref, p)
		refusedAs(t, id, err)
	}
}
