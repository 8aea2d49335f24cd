package web

import (
	"encoding/json"
	"net/http"
	"net/url"

	"beagle/app"
)

const apiRecordsPage, apiRecordsMost = 100, 500

// recordJSON is one row of a list.
type recordJSON struct {
	ID            string            `json:"id"`
	Row           int64             `json:"row"`
	Input         map[string]string `json:"input"` // the cells of the file, by column
	FirstName     string            `json:"first_name"`
	LastName      string            `json:"last_name"`
	Domain        string            `json:"domain"`
	State         string            `json:"state"`
	Email         *string           `json:"email"`
	Status        *string           `json:"status"`
	Score         *int              `json:"score"`
	Pattern       *string           `json:"pattern"`
	Reason        *string           `json:"reason"`
	Details       *string           `json:"details"` // the answer in a sentence
	NextAttemptAt *string           `json:"next_attempt_at"`
	CheckedAt     *string           `json:"checked_at"`
	Previous      *previousJSON     `json:"previous,omitempty"` // the answer before the row was looked up again
	Evidence      json.RawMessage   `json:"evidence,omitempty"` // only when one record is read
}

// previousJSON is an answer that a newer one replaced.
type previousJSON struct {
	Email     *string `json:"email"`
	Status    string  `json:"status"`
	Score     int     `json:"score"`
	CheckedAt *string `json:"checked_at"`
}

func toRecordJSON(l app.List, r app.Record) recordJSON {
	out := recordJSON{ID: idOf(r.ID), Row: r.RowNo, Input: map[string]string{}, FirstName: r.FirstName, LastName: r.LastName, Domain: r.Domain, State: r.State,
		Email: orNull(r.Email), Status: orNull(r.Status), Pattern: orNull(r.Pattern), Reason: orNull(r.Reason), Details: orNull(r.Note), CheckedAt: stamp(r.CheckedAt)}
	for _, c := range cells(l.Columns, r.Cells) {
		if _, twice := out.Input[c.Column]; !twice {
			out.Input[c.Column] = c.Value
		}
	}
	if r.State == app.RecordDone {
		out.Score = &r.Score
	}
	if r.PreviousAt != nil {
		out.Previous = &previousJSON{orNull(r.PreviousEmail), r.PreviousStatus, r.PreviousScore, stamp(r.PreviousAt)}
	}
	if r.State == app.RecordRetrying {
		out.NextAttemptAt = stamp(r.NextAttemptAt)
	}
	return out
}

func (s *Server) apiRecords(q *call) error {
	l, err := s.listed(q)
	if err != nil {
		return err
	}
	limit, err := limitOf(q, apiRecordsPage, apiRecordsMost)
	if err != nil {
		return err
	}
	if q.isFresh(s.listVersion(q, l)) {
		return nil
	}
	if err := checkScores(q.values()); err != nil {
		return err
	}
	query := recordFilters(q.values())
	query.Sort, query.After, query.Limit = q.query("sort"), q.query("cursor"), limit
	rows, next, err := s.app.Records(q.ctx(), q.actor.Account, l, query)
	if err != nil {
		return err
	}
	out := make([]recordJSON, len(rows))
	for i, r := range rows {
		out[i] = toRecordJSON(l, r)
	}
	return s.sendJSON(q, http.StatusOK, out, pageMeta{NextCursor: orNull(next)})
}

// checkScores refuses bounds that are none.
func checkScores(v url.Values) error {
	for _, name := range []string{"min_score", "max_score"} {
		if text := v.Get(name); text != "" && text != "0" && scoreOf(text) == 0 {
			return app.Refuse(app.CodeBadInput, "wrong_params", "The parameter %s must be a whole number from 0 to 100.", name)
		}
	}
	return nil
}

func (s *Server) apiRecord(q *call) error {
	l, err := s.listed(q)
	if err != nil || q.isFresh(s.listVersion(q, l)) {
		return err
	}
	r, err := s.app.Record(q.ctx(), q.actor.Account, l, q.param("record"))
	if err != nil {
		return err
	}
	out := toRecordJSON(l, r)
	if json.Valid([]byte(r.Evidence)) {
		out.Evidence = json.RawMessage(r.Evidence)
	}
	return s.sendJSON(q, http.StatusOK, out, nil)
}

// addedMeta goes with records that were added.
type addedMeta struct {
	Added int `json:"added"`
}

// apiRecordsCreate adds records to a list; their jobs start at once.
func (s *Server) apiRecordsCreate(q *call) error {
	var in struct {
		Records []postedRow `json:"records"`
	}
	if err := readJSON(q.r.Body, &in); err != nil {
		return err
	}
	if len(in.Records) == 0 {
		return app.Refuse(app.CodeBadInput, "wrong_params", "You are missing the records parameter.")
	}
	rows := make([]map[string]string, len(in.Records))
	for i, r := range in.Records {
		rows[i] = r.values
	}
	records, err := s.app.AddRecords(q.ctx(), q.actor, q.param("list"), rows)
	if err != nil {
		return err
	}
	l, err := s.listed(q)
	if err != nil {
		return err
	}
	out := make([]recordJSON, len(records))
	for i, r := range records {
		out[i] = toRecordJSON(l, r)
	}
	return s.sendJSON(q, http.StatusCreated, out, addedMeta{len(out)})
}

// apiRecordEdit changes cells or fields of a record, which is then looked up again.
func (s *Server) apiRecordEdit(q *call) error {
	var in postedRow
	if err := readJSON(q.r.Body, &in); err != nil {
		return err
	}
	r, err := s.app.EditRecord(q.ctx(), q.actor, q.param("list"), q.param("record"), in.values)
	return s.sendRecord(q, r, err)
}

func (s *Server) apiRecordRetry(q *call) error {
	r, err := s.app.RetryRecord(q.ctx(), q.actor, q.param("list"), q.param("record"))
	return s.sendRecord(q, r, err)
}

func (s *Server) sendRecord(q *call, r app.Record, err error) error {
	if err != nil {
		return err
	}
	l, err := s.listed(q)
	if err != nil {
		return err
	}
	return s.sendJSON(q, http.StatusOK, toRecordJSON(l, r), nil)
}

func (s *Server) apiRecordDelete(q *call) error {
	if err := s.app.DeleteRecord(q.ctx(), q.actor, q.param("list"), q.param("record")); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}
