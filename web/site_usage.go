package web

import (
	"encoding/json"
	"fmt"
	"net/http"

	"beagle/app"
)

// usageDays is how many days the chart shows.
const usageDays = 30

// usagePage is the data of usage.html.
type usagePage struct {
	Counted           bool // this installation counts credits
	Left, Spent       int64
	Days              []app.DaySpent // with an entry, latest first: the chart as a table
	Chart             string         // JSON for uPlot: days, and what was spent on each
	ChartWords        string
	Entries           []app.LedgerEntry
	Next              string
	First             bool
	KeyLimit, AllKeys int // requests a minute
}

func (s *Server) usageShow(q *call) error {
	account, err := s.app.Account(q.ctx(), q.actor.Account)
	if err != nil {
		return err
	}
	page := usagePage{Counted: s.app.Config.Credits, Left: account.Credits, First: q.query("after") == "", KeyLimit: s.keyLimit.quota, AllKeys: s.teamLimit.quota}
	if page.Spent, err = s.app.SpentThisMonth(q.ctx(), account.ID); err != nil {
		return err
	}
	if page.Entries, page.Next, err = s.app.Ledger(q.ctx(), account.ID, q.query("after")); err != nil {
		return err
	}
	days, err := s.app.SpentByDay(q.ctx(), account.ID, usageDays)
	if err != nil {
		return err
	}
	if err := page.draw(days); err != nil {
		return err
	}
	s.sendPage(q, http.StatusOK, "usage", page)
	return nil
}

// draw prepares the chart and the table under it.
func (p *usagePage) draw(days []app.DaySpent) error {
	at, spent := make([]int64, len(days)), make([]int64, len(days))
	sum := int64(0)
	for i, d := range days {
		at[i], spent[i] = d.Day.Unix(), d.Spent
		sum += d.Spent
		if d.Spent != 0 || d.Granted != 0 {
			p.Days = append([]app.DaySpent{d}, p.Days...)
		}
	}
	body, err := json.Marshal([][]int64{at, spent})
	if err != nil {
		return fmt.Errorf("encoding a chart: %w", err)
	}
	p.Chart = string(body)
	p.ChartWords = fmt.Sprintf("Credits spent by day: %d in %d days. The table below has the figures.", sum, len(days))
	return nil
}

// usageDownload streams the whole ledger.
func (s *Server) usageDownload(q *call) error {
	q.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	q.w.Header().Set("Content-Disposition", attachment("beagle-ledger.csv"))
	if q.r.Method == http.MethodHead {
		return nil
	}
	if err := s.app.LedgerCSV(q.ctx(), q.actor.Account, q.w); err != nil {
		s.log.WarnContext(q.ctx(), "ledger cut off", "account", q.actor.Account, "request_id", q.visit.id, "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}
