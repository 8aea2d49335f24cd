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
	Calls             int64      // of the API in all days shown
	Days              []usageDay // with something, latest first: the chart as a table
	Chart             string     // JSON for uPlot: days, and what was spent (or called) on each
	ChartLabel        string
	ChartWords        string
	Entries           []app.LedgerEntry
	Next              string
	First             bool
	KeyLimit, AllKeys int // requests a minute
}

// usageDay is a line of the table under the chart.
type usageDay struct {
	app.DaySpent
	Calls, Refused int64
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
	spent, err := s.app.SpentByDay(q.ctx(), account.ID, usageDays)
	if err != nil {
		return err
	}
	calls, err := s.app.CallsByDay(q.ctx(), account.ID, usageDays)
	if err != nil {
		return err
	}
	if err := page.draw(spent, calls); err != nil {
		return err
	}
	s.sendPage(q, http.StatusOK, "usage", page)
	return nil
}

// draw prepares the chart and the table under it. The chart is of credits where they are counted, else of API calls.
func (p *usagePage) draw(spent []app.DaySpent, calls []app.DayCalls) error {
	at, values := make([]int64, len(spent)), make([]int64, len(spent))
	sum := int64(0)
	p.ChartLabel = "API calls"
	if p.Counted {
		p.ChartLabel = "Spent"
	}
	for i := range spent {
		day := usageDay{DaySpent: spent[i], Calls: calls[i].Calls, Refused: calls[i].Refused}
		at[i], values[i] = day.Day.Unix(), day.Calls
		if p.Counted {
			values[i] = day.Spent
		}
		sum, p.Calls = sum+values[i], p.Calls+day.Calls
		if day.Spent != 0 || day.Granted != 0 || day.Calls != 0 {
			p.Days = append([]usageDay{day}, p.Days...)
		}
	}
	body, err := json.Marshal([][]int64{at, values})
	if err != nil {
		return fmt.Errorf("encoding a chart: %w", err)
	}
	p.Chart = string(body)
	p.ChartWords = fmt.Sprintf("%s by day: %d in %d days. The table below has the figures.", p.ChartLabel, sum, len(spent))
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
