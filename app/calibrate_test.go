package app_test

import (
	"fmt"
	"testing"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/finder"

	"github.com/stretchr/testify/require"
)

// TestScoresAreCorrectedByWhatBecameOfTheAddresses: of 200 addresses scored 90, people say that half came back.
func TestScoresAreCorrectedByWhatBecameOfTheAddresses(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		as := e.NewActor("owner@one.example")
		none, err := e.Calibrate(t.Context())
		require.NoError(t, err)
		require.Zero(t, none[0].Outcomes()+none[1].Outcomes())

		file := "first name,last name,domain\n"
		for i := range 200 {
			file += fmt.Sprintf("P%c%c,Q%c%c,alder.example\n", 'a'+i/26, 'a'+i%26, 'a'+i%26, 'a'+i/26)
		}
		_, rows := running(t, e, as, file)
		var right, bounced []app.KnownEmail
		for i, r := range rows {
			email := fmt.Sprintf("p%d@alder.example", i)
			require.NoError(t, e.Answer(t.Context(), r, r.Attempt, email))
			if i%2 == 0 {
				right = append(right, app.KnownEmail{Email: email})
			} else {
				bounced = append(bounced, app.KnownEmail{Email: email})
			}
		}
		require.NoError(t, e.DB.Exec(`UPDATE records SET score = 90, evidence = '{"raw":0.9,"guess":{"email":"p0@alder.example","p":0.4}}'`).Error)
		for kind, emails := range map[string][]app.KnownEmail{app.KnownRight: right, app.KnownBounce: bounced} {
			_, err = e.AddKnown(t.Context(), as, kind, emails)
			require.NoError(t, err)
		}

		made, err := e.Calibrate(t.Context())
		require.NoError(t, err)
		verified, guessed := made[0], made[1]
		require.Equal(t, app.CalibrationVerified, verified.Kind)
		require.Equal(t, 200, verified.Outcomes())
		require.InDelta(t, 0.5, verified.Bins[9].Observed(), 1e-9)
		require.InDelta(t, 0.4, verified.Error(false), 1e-9)
		require.Less(t, verified.Error(true), 0.05)
		require.Equal(t, 200, guessed.Outcomes(), "the guess before asking, judged by the server's answer")
		require.Equal(t, 1, guessed.Bins[4].Right)

		_, err = e.Reliability(t.Context(), as)
		require.Equal(t, app.CodeNotFound, app.CodeOf(err), "for operators only")
		as.Operator = true
		stored, err := e.Reliability(t.Context(), as)
		require.NoError(t, err)
		require.Equal(t, verified.Bins, stored[0].Bins)

		found, err := e.FindOne(t.Context(), as, app.FindParams{First: "Grace", Last: "Yates", Domain: "onegate.example"})
		require.NoError(t, err)
		require.Equal(t, finder.StatusValid, found.Status)
		require.InDelta(t, 50, found.Score, 6, "workers use it: %v", found.Evidence.Score)
		require.Greater(t, found.Evidence.Raw, 0.8)
	})
}
