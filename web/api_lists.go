package web

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"beagle/app"
	"beagle/app/sheet"
)

const apiListsPage, apiListsMost = 50, 100

// listJSON is a list.
type listJSON struct {
	ID            string     `json:"id"`
	Name          string     `json:"name"`
	Process       string     `json:"process"`
	State         string     `json:"state"`
	Counts        countsJSON `json:"counts"`
	Progress      float64    `json:"progress"` // 0 to 1
	RowsPerSecond float64    `json:"rows_per_second"`
	ETASeconds    *int64     `json:"eta_seconds"`
	NextRetryAt   *string    `json:"next_retry_at"`
	File          *fileJSON  `json:"file"`
	Reason        *string    `json:"reason"`  // why it failed
	Details       *string    `json:"details"` // the reason as a sentence
	Columns       []string   `json:"columns"`
	Mapping       any        `json:"mapping"`
	CallbackURL   *string    `json:"callback_url"`
	Tags          []string   `json:"tags"`
	ArchivedAt    *string    `json:"archived_at"`
	RestoreUntil  *string    `json:"restore_until"` // of a deleted list: until when it can be brought back
	CreatedAt     *string    `json:"created_at"`
	StartedAt     *string    `json:"started_at"`
	FinishedAt    *string    `json:"finished_at"`
}

type countsJSON struct {
	Total    int64            `json:"total"`
	Done     int64            `json:"done"`
	Found    int64            `json:"found"`
	Failed   int64            `json:"failed"`
	Retrying int64            `json:"retrying"`
	Waiting  int64            `json:"waiting"`
	ByStatus map[string]int64 `json:"by_status"`
}

// fileJSON is the result file as it was last written.
type fileJSON struct {
	Version   int     `json:"version"`
	Bytes     int64   `json:"bytes"`
	CreatedAt *string `json:"created_at"`
}

func toListJSON(l app.List, p app.Progress, tags []string) listJSON {
	out := listJSON{
		ID: l.Ref, Name: l.Name, Process: l.Process, State: l.State,
		Counts: countsJSON{Total: p.Counts.Total, Done: p.Counts.Done, Found: p.Counts.Found, Failed: p.Counts.Failed,
			Retrying: p.Counts.Retrying, Waiting: p.Counts.Waiting, ByStatus: p.Counts.ByStatus},
		Progress: p.Fraction, RowsPerSecond: math.Round(10*p.RowsPerSecond) / 10, NextRetryAt: stamp(p.Counts.NextRetry),
		Reason: orNull(l.Reason), Details: orNull(l.Note), Columns: l.Columns, Mapping: l.Mapping, CallbackURL: orNull(l.CallbackURL),
		Tags: append([]string{}, tags...), ArchivedAt: stamp(l.ArchivedAt), CreatedAt: stamp(&l.CreatedAt), StartedAt: stamp(l.StartedAt), FinishedAt: stamp(l.FinishedAt),
	}
	if p.ETA != nil {
		seconds := int64(math.Ceil(p.ETA.Seconds()))
		out.ETASeconds = &seconds
	}
	if out.Counts.ByStatus == nil {
		out.Counts.ByStatus = map[string]int64{}
	}
	if l.State == app.ListDeleting {
		out.RestoreUntil = stamp(l.ClearAt)
	}
	if l.ResultVersion > 0 {
		out.File = &fileJSON{Version: l.ResultVersion, Bytes: l.ResultBytes, CreatedAt: stamp(l.ResultAt)}
	}
	return out
}

func (s *Server) sendList(q *call, status int, l app.List, meta any) error {
	tags, err := s.app.TagsOf(q.ctx(), l)
	if err != nil {
		return err
	}
	return s.sendTagged(q, status, l, tags[l.ID], meta)
}

func (s *Server) sendTagged(q *call, status int, l app.List, tags []string, meta any) error {
	p, err := s.app.Progress(q.ctx(), l)
	if err != nil {
		return err
	}
	return s.sendJSON(q, status, toListJSON(l, p, tags), meta)
}

func (s *Server) apiLists(q *call) error {
	limit, err := limitOf(q, apiListsPage, apiListsMost)
	if err != nil {
		return err
	}
	if truth(q.query("deleted")) {
		return s.apiTrashed(q)
	}
	query := listFilters(q)
	query.Limit = limit
	lists, next, total, err := s.app.FindLists(q.ctx(), q.actor.Account, query)
	if err != nil {
		return err
	}
	return s.sendLists(q, lists, pageMeta{Total: &total, NextCursor: orNull(next)})
}

func (s *Server) sendLists(q *call, lists []app.List, meta pageMeta) error {
	progress, err := s.app.Progresses(q.ctx(), lists)
	if err != nil {
		return err
	}
	tags, err := s.app.TagsOf(q.ctx(), lists...)
	if err != nil {
		return err
	}
	out := make([]listJSON, len(lists))
	for i, l := range lists {
		out[i] = toListJSON(l, progress[i], tags[l.ID])
	}
	return s.sendJSON(q, http.StatusOK, out, meta)
}

func (s *Server) apiList(q *call) error {
	l, err := s.listed(q)
	if err != nil {
		return err
	}
	tags, err := s.app.TagsOf(q.ctx(), l)
	if err != nil || q.isFresh(s.listVersion(q, l, tags[l.ID]...)) {
		return err
	}
	return s.sendTagged(q, http.StatusOK, l, tags[l.ID], nil)
}

// apiControl is the handler of an action on a list.
func apiControl(do func(*app.App, context.Context, app.Actor, string) (app.List, error)) func(*Server, *call) error {
	return func(s *Server, q *call) error {
		l, err := do(s.app, q.ctx(), q.actor, q.param("list"))
		if err != nil {
			return err
		}
		return s.sendList(q, http.StatusOK, l, nil)
	}
}

// startParams reads what the fields of an upload say about how to start it.
func (s *Server) startParams(q *call, fields map[string]string, l app.List) (app.StartParams, error) {
	p := app.StartParams{Name: fields["name"], Process: fields["process"], CallbackURL: fields["callback_url"],
		Options: &app.ListOptions{SkipDuplicates: truth(fields["skip_duplicates"]), Refresh: truth(fields["refresh"])}}
	dialect, err := readDialect(fields, l.Dialect)
	if err != nil || fields["mapping"] == "" {
		p.Dialect = &dialect
		return p, err
	}
	seen, err := s.app.Preview(q.ctx(), q.actor.Account, l.Ref, &dialect) // columns have the names of this reading
	if err != nil {
		return p, err
	}
	p.Dialect = &seen.Dialect
	p.Mapping, err = readMapping(fields["mapping"], seen.Columns)
	return p, err
}

// commaWords are the delimiters by the names that are easier to send than the characters.
var commaWords = map[string]string{"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}

// readDialect is the detected way of reading a file with what the request changes of it.
func readDialect(fields map[string]string, detected sheet.Dialect) (sheet.Dialect, error) {
	d := detected
	if v := fields["has_header"]; v != "" {
		d.Header = truth(v)
	}
	if v := fields["delimiter"]; v != "" {
		d.Comma = firstOf(commaWords[v], v)
	}
	d.Format = firstOf(fields["format"], d.Format)
	d.Encoding = firstOf(fields["encoding"], d.Encoding)
	d.Sheet = firstOf(fields["sheet"], d.Sheet)
	switch {
	case !slices.Contains([]string{sheet.CSV, sheet.XLSX, sheet.JSONL}, d.Format) || (d.Format == sheet.XLSX) != (detected.Format == sheet.XLSX):
		return d, app.Refuse(app.CodeBadInput, "invalid_dialect", "The format must be csv or jsonl; a workbook is always xlsx.")
	case d.Comma != "" && !slices.Contains(sheet.Commas(), d.Comma):
		return d, app.Refuse(app.CodeBadInput, "invalid_dialect", "The delimiter must be comma, semicolon, tab or pipe.")
	case d.Encoding != "" && !slices.Contains(sheet.Encodings(), d.Encoding):
		return d, app.Refuse(app.CodeBadInput, "invalid_dialect", "The encoding must be one of %s.", strings.Join(sheet.Encodings(), ", "))
	}
	return d, nil
}

// readMapping reads {"first_name": 0, "domain": "Website"}: a field and its column, by number from 0 or by name.
func readMapping(text string, columns []string) (sheet.Mapping, error) {
	var raw map[string]any
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, app.Refuse(app.CodeBadInput, "invalid_mapping", `The mapping must be JSON such as {"first_name": 0, "domain": "Website"}.`)
	}
	mapping := sheet.Mapping{}
	for name, value := range raw {
		column, ok := columnOf(value, columns)
		if !ok {
			return nil, app.Refuse(app.CodeBadInput, "invalid_mapping", "The mapping of %s names no column of this file. Its columns are: %s.", name, strings.Join(columns, ", "))
		}
		if !isField(name) {
			return nil, app.Refuse(app.CodeBadInput, "invalid_mapping", "There is no field %s to map to.", name)
		}
		mapping[sheet.Field(name)] = column
	}
	return mapping, nil
}

func columnOf(value any, columns []string) (int, bool) {
	switch v := value.(type) {
	case float64:
		return int(v), v == math.Trunc(v) && v >= 0 && int(v) < len(columns)
	case string:
		for i, c := range columns {
			if strings.EqualFold(strings.TrimSpace(c), strings.TrimSpace(v)) {
				return i, true
			}
		}
		n, err := strconv.Atoi(v)
		return n, err == nil && n >= 0 && n < len(columns)
	}
	return 0, false
}

func isField(name string) bool {
	for _, f := range fields {
		if string(f.ID) == name {
			return true
		}
	}
	return false
}
