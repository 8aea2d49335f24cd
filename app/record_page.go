package app

import (
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"beagle/app/db"
	"beagle/app/finder"

	"gorm.io/gorm"
)

// Orders of a records table. All but the row order show only rows with an address: those are in the indexes.
const (
	SortRow       = ""
	SortScore     = "score"  // best first
	SortScoreLow  = "-score" // worst first
	SortAddress   = "email"
	withAddress   = "state = 'done' AND email <> ''"
	foundStatuses = "status IN ('valid', 'accept_all')"
)

// StatusFound is a filter by status: valid or accept-all.
const StatusFound = "found"

// StatusChanged is a filter by status: rows whose address or status is another than before they were looked up again.
const StatusChanged = "changed"

// changedAnswer is in the words of the index records_changed, so that the planner sees it.
const changedAnswer = "previous_at IS NOT NULL AND (email <> previous_email OR status <> previous_status) AND state IN ('done', 'failed')"

// changedMost is how many changed rows are counted for a page.
const changedMost = 10_000

// Changed counts the rows of a list whose answer is another than before, up to changedMost. The caller has read l through its account.
func (a *App) Changed(ctx context.Context, l List) (n int64, err error) {
	err = a.DB.WithContext(ctx).Raw("SELECT count(*) FROM (SELECT 1 FROM records WHERE list_id = ? AND "+changedAnswer+" LIMIT ?) AS changed", l.ID, changedMost).Scan(&n).Error
	if err != nil {
		return 0, fmt.Errorf("counting changed rows of list %s: %w", l.Ref, err)
	}
	return n, nil
}

// maxScore is the end of the scale.
const maxScore = 100

// searchRows is how many rows one search goes through. Text in the middle of cells has no index that an import could afford (a
// trigram index halves COPY), so a search of a large list goes on page by page: 100,000 rows take PostgreSQL about 0.1 s.
const searchRows = 100_000

// Records reads a page of a list's records, without their evidence, in the order that q asks for. A page may be short, even empty,
// and yet have a next one: a search stops after searchRows. The caller has read l through its account.
func (a *App) Records(ctx context.Context, account int64, l List, q RecordQuery) (rows []Record, next string, err error) {
	if l.AccountID != account {
		return nil, "", Refuse(CodeNotFound, "list_not_found", "No such list.")
	}
	q = q.tidy()
	at, err := parsePlace(q.Sort, q.After)
	if err != nil {
		return nil, "", err
	}
	limit := clampLimit(q.Limit)
	found, err := a.page(ctx, l.ID, q, at, limit+1).Rows()
	if err == nil {
		rows = make([]Record, 0, min(limit+1, defaultPage))
		err = db.Each(found, func(row *sql.Rows) error {
			rows = append(rows, Record{})
			return row.Scan(rows[len(rows)-1].places()...)
		})
	}
	if err != nil {
		return nil, "", fmt.Errorf("reading records of list %s: %w", l.Ref, err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		return rows, placeOf(q.Sort, rows[limit-1]), nil
	}
	if q.Search == "" {
		return rows, "", nil
	}
	more := false
	err = a.DB.WithContext(ctx).Raw("SELECT EXISTS (SELECT 1 FROM records WHERE list_id = ? AND row_no > ?)", l.ID, at.row+searchRows).Scan(&more).Error
	if err != nil {
		return nil, "", fmt.Errorf("looking for more records of list %s: %w", l.Ref, err)
	}
	if more {
		next = strconv.FormatInt(at.row+searchRows, 36)
	}
	return rows, next, nil
}

// page is the query of a page.
func (a *App) page(ctx context.Context, list int64, q RecordQuery, at place, limit int) *gorm.DB {
	one := func(q RecordQuery) *gorm.DB {
		page := q.narrow(a.DB.WithContext(ctx).Table("records").Select(recordFields).Where("list_id = ?", list))
		return q.ordered(page, at).Limit(limit)
	}
	statuses := q.scored()
	if statuses == nil {
		return one(q)
	}
	var parts []string
	var pages []any
	for _, status := range statuses {
		q.Status = status
		parts, pages = append(parts, "SELECT * FROM (?) AS "+status), append(pages, one(q))
	}
	order := " ORDER BY score DESC, row_no DESC LIMIT ?"
	if q.Sort == SortScoreLow {
		order = " ORDER BY score, row_no LIMIT ?"
	}
	return a.DB.WithContext(ctx).Raw(strings.Join(parts, " UNION ALL ")+order, append(pages, limit)...)
}

// scored are the statuses whose best (or worst) rows make a page in the order of scores: the index records_score has each status by
// itself, since the best of a status of low scores would otherwise stand behind all rows of the others. Nil where one query does.
func (q RecordQuery) scored() []string {
	switch {
	case q.Sort != SortScore && q.Sort != SortScoreLow:
		return nil
	case q.Status == StatusFound:
		return []string{finder.StatusValid, finder.StatusAcceptAll}
	case q.Status == "":
		return []string{finder.StatusValid, finder.StatusAcceptAll, finder.StatusUnknown, finder.StatusInvalid, finder.StatusNotFound, finder.StatusDisposable, finder.StatusWebmail}
	}
	return nil
}

// tidy settles what goes together: a search is in row order, a range of scores in the order of scores.
func (q RecordQuery) tidy() RecordQuery {
	q.Search = strings.ToLower(strings.TrimSpace(q.Search))
	switch {
	case q.Search != "":
		q.Sort = SortRow
	case q.Sort == SortRow && q.byScore():
		q.Sort = SortScore
	}
	return q
}

func (q RecordQuery) byScore() bool { return q.MinScore > 0 || q.MaxScore > 0 }

// narrow adds the filters of q, not its page, to a query over records.
func (q RecordQuery) narrow(page *gorm.DB) *gorm.DB {
	switch q.Status {
	case "":
	case StatusFound:
		page = page.Where(foundStatuses + " AND state IN ('done', 'failed')")
	case StatusChanged:
		page = page.Where(changedAnswer)
	case "unknown": // as a word of the query, so that the planner sees the index records_unknown
		page = page.Where("status = 'unknown' AND state IN ('done', 'failed')")
	default:
		page = page.Where("status = ? AND state IN ('done', 'failed')", q.Status)
	}
	if q.State != "" {
		page = page.Where("state = ?", q.State)
	}
	if q.Reason != "" {
		page = page.Where("reason = ?", q.Reason)
	}
	if q.byScore() {
		most := q.MaxScore
		if most <= 0 {
			most = maxScore
		}
		page = page.Where(withAddress+" AND score >= ? AND score <= ?", q.MinScore, most)
	}
	if s := strings.ToLower(strings.TrimSpace(q.Search)); s != "" {
		like := "%" + likeEscaper.Replace(s) + "%"
		page = page.Where(`(LOWER(cells) LIKE ? ESCAPE '\' OR LOWER(email) LIKE ? ESCAPE '\')`, like, like)
	}
	return page
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// ordered puts the page's rows in order, after a place in it.
func (q RecordQuery) ordered(page *gorm.DB, at place) *gorm.DB {
	switch q.Sort {
	case SortScore:
		page = page.Where(withAddress)
		if at.set {
			page = page.Where("(score, row_no) < (?, ?)", at.score, at.row)
		}
		return page.Order("score DESC, row_no DESC")
	case SortScoreLow:
		page = page.Where(withAddress)
		if at.set {
			page = page.Where("(score, row_no) > (?, ?)", at.score, at.row)
		}
		return page.Order("score, row_no")
	case SortAddress:
		page = page.Where(withAddress)
		if at.set {
			page = page.Where("(email, row_no) > (?, ?)", at.email, at.row)
		}
		return page.Order("email, row_no")
	}
	page = page.Where("row_no > ?", at.row)
	if q.Search != "" {
		page = page.Where("row_no <= ?", at.row+searchRows)
	}
	return page.Order("row_no")
}

// place is where a page of records ends: the values that its order goes by.
type place struct {
	set   bool
	row   int64
	score int
	email string
}

// placeOf is the cursor after a record: its row, and before it what else the order goes by.
func placeOf(sort string, r Record) string {
	row := strconv.FormatInt(r.RowNo, 36)
	switch sort {
	case SortScore, SortScoreLow:
		return strconv.Itoa(r.Score) + "." + row
	case SortAddress:
		return base64.RawURLEncoding.EncodeToString([]byte(r.Email)) + "." + row
	}
	return row
}

// parsePlace reads a cursor that placeOf made for the same order.
func parsePlace(sort, after string) (place, error) {
	foreign := Refuse(CodeBadInput, "pagination_error", "This cursor was not made here, or for another order. Begin again without one.")
	switch sort {
	case SortRow, SortScore, SortScoreLow, SortAddress:
	default:
		return place{}, Refuse(CodeBadInput, "invalid_sort", "Records can be sorted by score, -score or email.")
	}
	if after == "" {
		return place{}, nil
	}
	value, row, both := strings.Cut(after, ".")
	if both == (sort == SortRow) {
		return place{}, foreign
	}
	if !both {
		value, row = "", after
	}
	at := place{set: true}
	var err error
	if at.row, err = strconv.ParseInt(row, 36, 64); err != nil {
		return place{}, foreign
	}
	switch sort {
	case SortRow:
		return at, nil
	case SortScore, SortScoreLow:
		at.score, err = strconv.Atoi(value)
	case SortAddress:
		var email []byte
		email, err = base64.RawURLEncoding.DecodeString(value)
		at.email = string(email)
	}
	if err != nil {
		return place{}, foreign
	}
	return at, nil
}
