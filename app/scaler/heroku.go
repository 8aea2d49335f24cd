package scaler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// HerokuURL is the Heroku Platform API.
const HerokuURL = "https://api.heroku.com"

const (
	herokuAccept  = "application/vnd.heroku+json; version=3"
	herokuProcess = "worker" // the line of the Procfile that is scaled
	herokuTries   = 4
	herokuTimeout = 20 * time.Second // of one try
	firstWait     = time.Second      // doubles
	longestWait   = time.Minute
	maxAnswer     = 64 << 10
)

// Driver reads and sets how many workers there are.
type Driver interface {
	// Workers is how many there are; 0 when that cannot be known.
	Workers(ctx context.Context) (int, error)
	// Set makes it n.
	Set(ctx context.Context, n int) error
}

// Heroku scales the worker line of a Heroku app by its Platform API.
type Heroku struct {
	App, Key string
	URL      string // HerokuURL, but for tests
	Client   *http.Client
	Wait     func(context.Context, time.Duration) error // between two tries; nil: the clock's time
}

// Workers reads the formation.
func (h Heroku) Workers(ctx context.Context) (int, error) { return h.call(ctx, http.MethodGet, nil) }

// Set changes the formation's quantity. Doing it twice is harmless.
func (h Heroku) Set(ctx context.Context, n int) error {
	body, err := json.Marshal(map[string]int{"quantity": n})
	if err != nil {
		return fmt.Errorf("encoding a formation: %w", err)
	}
	got, err := h.call(ctx, http.MethodPatch, body)
	if err == nil && got != n {
		err = fmt.Errorf("Heroku says %d workers, not %d", got, n)
	}
	return err
}

// call asks until there is an answer that will not change by asking again: 429, 5xx and broken connections are asked again.
func (h Heroku) call(ctx context.Context, method string, body []byte) (int, error) {
	var last error
	for try := range herokuTries {
		n, wait, err := h.once(ctx, method, body)
		if err == nil {
			return n, nil
		}
		last = err
		if wait < 0 || try == herokuTries-1 {
			break
		}
		if err := h.rest(ctx, min(max(wait, firstWait<<try), longestWait)); err != nil {
			return 0, errors.Join(last, err)
		}
	}
	return 0, last
}

func (h Heroku) rest(ctx context.Context, d time.Duration) error {
	if h.Wait != nil {
		return h.Wait(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// once asks once. A wait below zero says that asking again is of no use.
func (h Heroku) once(ctx context.Context, method string, body []byte) (n int, wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, herokuTimeout)
	defer cancel()
	where := h.URL + "/apps/" + url.PathEscape(h.App) + "/formation/" + herokuProcess
	r, err := http.NewRequestWithContext(ctx, method, where, bytes.NewReader(body))
	if err != nil {
		return 0, -1, fmt.Errorf("asking Heroku: %w", err)
	}
	r.Header.Set("Accept", herokuAccept)
	r.Header.Set("Authorization", "Bearer "+h.Key)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	client := h.Client
	if client == nil {
		client = http.DefaultClient
	}
	got, err := client.Do(r)
	if err != nil {
		return 0, 0, fmt.Errorf("asking Heroku: %w", err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(io.LimitReader(got.Body, maxAnswer))
	if err != nil {
		return 0, 0, fmt.Errorf("reading Heroku's answer: %w", err)
	}
	return readFormation(got, text)
}

func readFormation(got *http.Response, text []byte) (n int, wait time.Duration, err error) {
	var answer struct {
		Quantity *int   `json:"quantity"`
		Message  string `json:"message"`
	}
	err = json.Unmarshal(text, &answer)
	switch again := got.StatusCode == http.StatusTooManyRequests || got.StatusCode >= 500; {
	case again:
		return 0, retryAfter(got.Header.Get("Retry-After")), fmt.Errorf("Heroku answers %s %s", got.Status, answer.Message)
	case got.StatusCode != http.StatusOK:
		return 0, -1, fmt.Errorf("Heroku answers %s %s", got.Status, answer.Message)
	case err != nil || answer.Quantity == nil || *answer.Quantity < 0:
		return 0, -1, errors.New("Heroku's answer is no formation")
	}
	return *answer.Quantity, 0, nil
}

// retryAfter reads RFC 9110 §10.2.3: seconds or a date. 0 when there is none.
func retryAfter(s string) time.Duration {
	if seconds, err := strconv.Atoi(s); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, int(longestWait.Seconds()))) * time.Second
	}
	if at, err := http.ParseTime(s); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
