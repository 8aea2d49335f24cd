package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"beagle/app/config"
	"beagle/app/scaler"

	"github.com/spf13/cobra"
)

func benchAutoscaleCommand() *cobra.Command {
	return &cobra.Command{
		Use: "autoscale", Short: "The autoscaler through a simulated day of spiky backlog, against a stand-in of the Heroku API", Args: cobra.NoArgs,
		Long: "Needs nothing and is the same in every run: 144 decisions over a day with a slow wave, noise and a burst about once an hour.\nEach decision is asked for and carried out by HTTP. Prints changes, flaps (workers taken away within 30 minutes of having been added),\nthe backlog summed over the day, and what the workers would have cost, beside the fixed rule alone.",
		RunE: func(cmd *cobra.Command, _ []string) error { return benchAutoscale(cmd.Context(), cmd.OutOrStdout()) },
	}
}

// benchTarget is the target of the measured rule.
const benchTarget = 10 * time.Minute

func benchAutoscale(ctx context.Context, w io.Writer) error {
	c, err := config.Parse(nil)
	if err != nil {
		return err
	}
	rules := scaler.Rules{Min: c.Scale.Min, Max: c.Scale.Max, EventsPerWorker: c.Scale.EventsPerWorker, Interval: c.Scale.Interval}
	target := rules
	target.Target = benchTarget
	printf(w, "| rule | changes | flaps | fewest and most workers | thousand event-minutes of backlog | worker-hours |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, row := range []struct {
		name   string
		rules  scaler.Rules
		decide scaler.Decider
	}{{"the fixed rule alone", rules, scaler.FixedRule}, {"steadied (default)", rules, scaler.Decide}, {"drain within " + benchTarget.String(), target, scaler.Decide}} {
		day, err := simulateDay(ctx, row.rules, row.decide)
		if err != nil {
			return err
		}
		printf(w, "| %s | %d | %d | %d and %d | %.0f | %.0f |\n", row.name, day.Changes, day.Flaps, day.Fewest, day.Most, day.BacklogMinutes, day.WorkerHours)
		if day.Fewest < rules.Min || day.Most > rules.Max || day.Late > 0 {
			return fmt.Errorf("%s: between %d and %d workers, %d bursts not followed at the next tick", row.name, day.Fewest, day.Most, day.Late)
		}
	}
	return nil
}

// simulateDay runs one day against a stand-in of its own.
func simulateDay(ctx context.Context, r scaler.Rules, decide scaler.Decider) (_ scaler.Day, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return scaler.Day{}, fmt.Errorf("standing in for Heroku: %w", err)
	}
	server := &http.Server{Handler: &formation{quantity: r.Min}, ReadHeaderTimeout: time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	defer func() {
		err = errors.Join(err, server.Close())
		<-served
	}()
	return scaler.SimulateDay(ctx, r, decide, scaler.Heroku{App: "beagle", Key: "key", URL: "http://" + l.Addr().String()})
}

// formation stands in for the one part of the Heroku Platform API that is used, and refuses what the real one would.
type formation struct{ quantity int }

// ServeHTTP answers GET and PATCH of the worker's formation.
func (f *formation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/apps/beagle/formation/worker" || r.Header.Get("Accept") != "application/vnd.heroku+json; version=3" || r.Header.Get("Authorization") != "Bearer key" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if r.Method == http.MethodPatch {
		var change struct {
			Quantity *int `json:"quantity"`
		}
		if err := json.NewDecoder(r.Body).Decode(&change); err != nil || change.Quantity == nil {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		f.quantity = *change.Quantity
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "worker", "quantity": f.quantity})
}
