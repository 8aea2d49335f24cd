package web

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"beagle/app/apptest"
	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

// slowPerson is somebody whose mail server takes its time, as a query.
func (s *site) slowPerson() (query, email string) {
	for _, c := range s.World.Companies() {
		if c.Domain != "molasses-mills.example" {
			continue
		}
		for _, p := range c.People {
			if p.Email != "" {
				return url.Values{"domain": {c.Domain}, "first_name": {p.First}, "last_name": {p.Last}, "max_duration": {"3"}}.Encode(), p.Email
			}
		}
	}
	s.t.Fatal("nobody is slow")
	return "", ""
}

func TestAnswerThatTakesLongGoesOnAsAJobAndIsChargedOnce(t *testing.T) {
	s := newSite(t, func(c *config.Config) { c.Credits, c.Probe.Timeout = true, 10*time.Second })
	require.NoError(t, s.GrantCredits(t.Context(), s.owner.Account, 10))
	s.Work()
	key := s.key(s.owner, false)
	query, email := s.slowPerson()
	ask := func() answer {
		return s.send(http.DefaultClient, "GET", "/v2/email-finder?"+query, nil, "X-API-KEY", key)
	}
	began := time.Now()
	got := ask()
	require.Equal(t, http.StatusAccepted, got.status, got.body)
	require.Less(t, time.Since(began), 4*time.Second)
	require.NotEmpty(t, got.header.Get("Retry-After"))
	require.Contains(t, got.body, "Ask again")
	require.Eventually(t, func() bool { got = ask(); return got.status == http.StatusOK }, apptest.Patience, 50*time.Millisecond)
	require.Contains(t, got.body, email)
	for range 3 {
		require.Contains(t, ask().body, email)
	}
	account, err := s.Account(t.Context(), s.owner.Account)
	require.NoError(t, err)
	require.EqualValues(t, 9, account.Credits, "charged once")
}

func TestWorkStopsWhenTheClientHangsUp(t *testing.T) {
	s := newSite(t, func(c *config.Config) { c.Probe.Timeout = 10 * time.Second })
	query, _ := s.slowPerson()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", s.http.URL+"/v2/email-finder?"+query, nil)
	require.NoError(t, err)
	r.Header.Set("X-API-KEY", s.key(s.owner, false))
	_, err = http.DefaultClient.Do(r)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	began := time.Now()
	s.http.Close() // waits for the handlers
	require.Less(t, time.Since(began), 1500*time.Millisecond, "the work has ended")
	tasks, err := s.Queue.Redis.Keys(t.Context(), "asynq:*:t:single:*").Result()
	require.NoError(t, err)
	require.Empty(t, tasks, "and no job goes on")
}
