package app_test

import (
	"sync"
	"testing"

	"beagle/app"
	"beagle/app/apptest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOperatorGivesCreditsAndTakesThemBack(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, stack apptest.Stack) {
		e := apptest.NewOn(t, stack)
		as := e.NewActor("a@one.example")
		operator := app.Actor{Operator: true}
		_, err := e.GiveCredits(t.Context(), as, app.GrantParams{Email: "a@one.example", Amount: 5})
		require.Equal(t, app.CodeNotFound, app.CodeOf(err), "nobody gives to himself")
		g, err := e.GiveCredits(t.Context(), operator, app.GrantParams{Email: " A@one.example ", Amount: 500, Note: "paid by invoice 7"})
		require.NoError(t, err)
		require.EqualValues(t, 500, g.Left)
		g, err = e.GiveCredits(t.Context(), operator, app.GrantParams{Email: "a@one.example", Amount: -100})
		require.NoError(t, err)
		require.EqualValues(t, 400, g.Left)
		for _, wrong := range []struct {
			email, reason string
			amount        int64
		}{{"a@one.example", "too_few_credits", -401}, {"a@one.example", "invalid_amount", 0}, {"a@one.example", "invalid_amount", 2_000_000_000}, {"b@one.example", "user_not_found", 1}} {
			_, err := e.GiveCredits(t.Context(), operator, app.GrantParams{Email: wrong.email, Amount: wrong.amount})
			refusal, ok := app.Refusal(err)
			require.True(t, ok, err)
			require.Equal(t, wrong.reason, refusal.ID)
		}
		account, err := e.Account(t.Context(), as.Account)
		require.NoError(t, err)
		require.EqualValues(t, 400, account.Credits)
		ledger, _, err := e.Ledger(t.Context(), as.Account, "")
		require.NoError(t, err)
		require.Len(t, ledger, 2, "what was refused left nothing behind")
		require.Equal(t, []any{"grant", int64(500), "paid by invoice 7"}, []any{ledger[1].Kind, ledger[1].Amount, ledger[1].Note})
		events, _, err := e.AuditEvents(t.Context(), as, "")
		require.NoError(t, err)
		require.Equal(t, []string{"credits.given", "+500 paid by invoice 7"}, []string{events[1].Action, events[1].Subject})
		last, err := e.Grants(t.Context(), operator)
		require.NoError(t, err)
		require.Len(t, last, 2)
		require.EqualValues(t, []int64{-100, 400}, []int64{last[0].Amount, last[0].Left})
	})
}

func TestFormThatIsSentTwiceGivesOnce(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, stack apptest.Stack) {
		e := apptest.NewOn(t, stack)
		as, other := e.NewActor("a@one.example"), e.NewActor("b@two.example")
		form := app.GrantParams{Email: "a@one.example", Amount: 500, Note: "invoice 7", Key: "form-1"}
		give := func(p app.GrantParams) (app.Grant, error) {
			return e.GiveCredits(t.Context(), app.Actor{Operator: true}, p)
		}
		var sent sync.WaitGroup
		for range 4 {
			sent.Go(func() {
				g, err := give(form)
				assert.NoError(t, err)
				assert.EqualValues(t, 500, g.Left)
			})
		}
		sent.Wait()
		for _, changed := range []app.GrantParams{{Email: "b@two.example", Amount: 500, Note: "invoice 7", Key: "form-1"},
			{Email: "a@one.example", Amount: 50, Note: "invoice 7", Key: "form-1"}, {Email: "a@one.example", Amount: 500, Key: "form-1"}} {
			_, err := give(changed)
			refusedAs(t, "form_sent_before", err)
		}
		refused := app.GrantParams{Email: "a@one.example", Amount: -501, Key: "form-2"}
		_, err := give(refused)
		refusedAs(t, "too_few_credits", err)
		refused.Amount = -500
		g, err := give(refused)
		require.NoError(t, err, "what was refused has not used the key up")
		require.Zero(t, g.Left)
		ledger, _, err := e.Ledger(t.Context(), as.Account, "")
		require.NoError(t, err)
		require.Len(t, ledger, 2)
		events, _, err := e.AuditEvents(t.Context(), as, "")
		require.NoError(t, err)
		given := 0
		for _, event := range events {
			if event.Action == "credits.given" {
				given++
			}
		}
		require.Equal(t, 2, given)
		account, err := e.Account(t.Context(), other.Account)
		require.NoError(t, err)
		require.Zero(t, account.Credits)
	})
}
