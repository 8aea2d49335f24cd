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
	"slices"
	"strconv"
	"time"
)

// HerokuURL is the Heroku Platform API.
const HerokuURL = "https://api.heroku.com"

const (
	herokuAccept  = "application/vnd.heroku+json; version=3"
	herokuProcess = "worker" // the line of the Procfile that is scaled
	formation     = "/formation/" + herokuProcess
	restartShare  = 10 // one in so many dynos is restarted at a time
	herokuTries   = 4
	herokuTimeout = 20 * time.Second // of one try
	firstWait     = time.Second      // doubles
	longestWait   = time.Minute
	maxAnswer     = 1 << 20
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
func (h Heroku) Workers(ctx context.Context) (int, error) {
	return readFormation(h.call(ctx, http.MethodGet, formation, nil))
}

// Set changes the formation's quantity. Doing it twice is harmless.
func (h Heroku) Set(ctx context.Context, n int) error {
	body, err := json.Marshal(map[string]int{"quantity": n})
	if err != nil {
		return fmt.Errorf("encoding a formation: %w", err)
	}
	got, err := readFormation(h.call(ctx, http.MethodPatch, formation, body))
	if err == nil && got != n {
		err = fmt.Errorf("Heroku says %d workers, not %d", got, n)
	}
	return err
}

// call asks until there is an answer that will not change by asking again: 429, 5xx and broken connections are asked again.
func (h Heroku) call(ctx context.Context, method, what string, body []byte) ([]byte, error) {
	var last error
	for try := range herokuTries {
		text, wait, err := h.once(ctx, method, what, body)
		if err == nil {
			return text, nil
		}
		last = err
		if wait < 0 || try == herokuTries-1 {
			break
		}
		if err := h.rest(ctx, min(max(wait, firstWait<<try), longestWait)); err != nil {
			return nil, errors.Join(last, err)
		}
	}
	return nil, last
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
func (h Heroku) once(ctx context.Context, method, what string, body []byte) (text []byte, wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, herokuTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, h.URL+"/apps/"+url.PathEscape(h.App)+what, bytes.NewReader(body))
	if err != nil {
		return nil, -1, fmt.Errorf("asking Heroku: %w", err)
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
		return nil, 0, fmt.Errorf("asking Heroku: %w", err)
	}
	defer got.Body.Close()
	if text, err = io.ReadAll(io.LimitReader(got.Body, maxAnswer)); err != nil {
		return nil, 0, fmt.Errorf("reading Heroku's answer: %w", err)
	}
	if got.StatusCode/100 == 2 {
		return text, 0, nil
	}
	var refusal struct {
		Message string `json:"message"`
	}
	_ = json.Unmarshal(text, &refusal) // the status says enough when there is no message
	err = fmt.Errorf("Heroku answers %s %s", got.Status, refusal.Message)
	if got.StatusCode == http.StatusTooManyRequests || got.StatusCode >= 500 {
		return nil, retryAfter(got.Header.Get("Retry-After")), err
	}
	return nil, -1, err
}

func readFormation(text []byte, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	var answer struct {
		Quantity *int `json:"quantity"`
	}
	if json.Unmarshal(text, &answer) != nil || answer.Quantity == nil || *answer.Quantity < 0 {
		return 0, errors.New("Heroku's answer is no formation")
	}
	return *answer.Quantity, nil
}

// Dyno is one running process of the app.
type Dyno struct {
	Name      string    `json:"name"` // such as worker.1
	Type      string    `json:"type"`
	State     string    `json:"state"`
	CreatedAt time.Time `json:"created_at"`
}

// RestartOlder restarts the oldest worker dynos that have been up for longer than age, at most a tenth of them (and at least one) at a time,
// and gives their names. Called again and again it replaces all of them without ever missing many.
func (h Heroku) RestartOlder(ctx context.Context, now time.Time, age time.Duration) ([]string, error) {
	text, err := h.call(ctx, http.MethodGet, "/dynos", nil)
	if err != nil {
		return nil, err
	}
	var dynos []Dyno
	if err := json.Unmarshal(text, &dynos); err != nil {
		return nil, errors.New("Heroku's answer is no list of dynos")
	}
	dynos = slices.DeleteFunc(dynos, func(d Dyno) bool { return d.Type != herokuProcess })
	most := (len(dynos) + restartShare - 1) / restartShare
	dynos = slices.DeleteFunc(dynos, func(d Dyno) bool { return d.State != "up" || now.Sub(d.CreatedAt) < age })
	slices.SortFunc(dynos, func(x, y Dyno) int { return x.CreatedAt.Compare(y.CreatedAt) })
	var done []string
	for _, d := range dynos[:min(most, len(dynos))] {
		if _, err := h.call(ctx, http.MethodDelete, "/dynos/"+url.PathEscape(d.Name), nil); err != nil {
			return done, fmt.Errorf("restarting %s: %w", d.Name, err)
		}
		done = append(done, d.Name)
	}
	return done, nil
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
