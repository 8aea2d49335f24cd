package app_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"

	"github.com/stretchr/testify/require"
)

func TestOptOutIsRememberedAsAHashAndForgetsTheAddress(t *testing.T) {
	e := apptest.New(t)
	ctx, owner := t.Context(), e.NewActor("owner@one.example")
	_, err := e.AddKnown(ctx, owner, app.KnownRight, []app.KnownEmail{{Email: "grace.yates@onegate.example", First: "Grace", Last: "Yates"}})
	require.NoError(t, err)
	_, err = e.Suppress(ctx, owner, "grace.yates@onegate.example")
	require.Equal(t, app.CodeNotFound, app.CodeOf(err), "for operators alone")
	operator := owner
	operator.Operator = true
	_, err = e.Suppress(ctx, operator, " Grace.Yates@OneGate.example ")
	require.NoError(t, err)
	for _, table := range []string{"known_emails", "observations", "single_answers"} {
		var n int64
		require.NoError(t, e.DB.Table(table).Count(&n).Error)
		require.Zero(t, n, table)
	}
	var hashes []string
	require.NoError(t, e.DB.Table("suppressions").Pluck("hash", &hashes).Error)
	require.Len(t, hashes, 1)
	require.NotContains(t, hashes[0], "@")
	_, err = e.VerifyOne(ctx, owner, "grace.yates@onegate.example")
	require.Equal(t, app.CodeSuppressed, app.CodeOf(err))
	_, err = e.Suppress(ctx, operator, "not a domain")
	refusedAs(t, "invalid_opt_out", err)
}

func TestAccountEndsWhenItsDayComesUnlessSomebodyChangesTheirMind(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		ctx, owner, other := t.Context(), e.NewActor("owner@one.example"), e.NewActor("owner@two.example")
		e.Work()
		e.Run(owner, "people.csv", []byte("Name,Website\nGrace Yates,onegate.example\n"))
		kept := e.Run(other, "people.csv", []byte("Name,Website\nGrace Yates,onegate.example\n"))
		_, secret, err := e.CreateKey(ctx, owner, "k", false)
		require.NoError(t, err)
		require.NoError(t, e.DB.Exec("INSERT INTO api_calls (account_id, key_id, day, calls, refused) VALUES (?, 1, '2026-01-01', 1, 0)", owner.Account).Error)
		_, err = e.DeleteAccount(ctx, owner, "not the password")
		refusedAs(t, "wrong_password", err)
		_, err = e.DeleteAccount(ctx, owner, apptest.Password)
		require.NoError(t, err)
		require.NoError(t, e.KeepAccount(ctx, owner))
		clean(t, e)
		_, err = e.UseKey(ctx, secret, false, time.Minute)
		require.NoError(t, err, "kept")

		at, err := e.DeleteAccount(ctx, owner, apptest.Password)
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(7*24*time.Hour), at, time.Minute)
		clean(t, e)
		_, err = e.Account(ctx, owner.Account)
		require.NoError(t, err, "the grace is not over")
		require.NoError(t, e.DB.Exec("UPDATE accounts SET delete_at = ? WHERE id = ?", e.Now().Add(-time.Second), owner.Account).Error)
		require.Eventually(t, func() bool {
			clean(t, e)
			_, err := e.Account(ctx, owner.Account)
			return app.CodeOf(err) == app.CodeNotFound
		}, apptest.Patience, 50*time.Millisecond)
		for _, table := range tablesOfAccounts(t) {
			var n int64
			require.NoError(t, e.DB.Table(table).Where("account_id = ?", owner.Account).Count(&n).Error)
			require.Zero(t, n, table)
		}
		_, err = e.List(ctx, other.Account, kept.Ref)
		require.NoError(t, err, "another account loses nothing")
	})
}

// tablesOfAccounts are the tables with something of an account, as the migrations make them.
func tablesOfAccounts(t *testing.T) (tables []string) {
	files, err := filepath.Glob("../migrations/sqlite/*.sql")
	require.NoError(t, err)
	made := regexp.MustCompile(`(?s)CREATE TABLE (\w+) \((.*?)\n\);`)
	for _, name := range files {
		body, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, m := range made.FindAllStringSubmatch(string(body), -1) {
			if strings.Contains(m[2], "account_id ") {
				tables = append(tables, m[1])
			}
		}
	}
	require.Greater(t, len(tables), 12)
	return tables
}

// clean runs what the clock runs.
func clean(t *testing.T, e *apptest.Env) {
	t.Helper()
	_, err := e.Clean(t.Context())
	require.NoError(t, err)
}

func TestOwnerTakesAllTheirDataAway(t *testing.T) {
	e := apptest.New(t)
	ctx, owner := t.Context(), e.NewActor("owner@one.example")
	e.Work()
	e.Run(owner, "people.csv", []byte("Name,Website\nGrace Yates,onegate.example\n"))
	e.Run(e.NewActor("owner@two.example"), "theirs.csv", []byte("Name,Website\nNathan Fenwick,pelican-apps.example\n"))
	_, secret, err := e.CreateKey(ctx, owner, "k", false)
	require.NoError(t, err)
	member := join(t, e, owner, "member@one.example", app.RoleMember)
	refusedAs(t, "not_allowed", e.ExportData(ctx, member, io.Discard))
	var body bytes.Buffer
	require.NoError(t, e.ExportData(ctx, owner, &body))
	archive, err := zip.NewReader(bytes.NewReader(body.Bytes()), int64(body.Len()))
	require.NoError(t, err)
	files := map[string]string{}
	for _, f := range archive.File {
		r, err := f.Open()
		require.NoError(t, err)
		text, err := io.ReadAll(r)
		require.NoError(t, err)
		files[f.Name] = string(text)
	}
	require.Len(t, files, 2)
	var account struct {
		Members []struct{ Email string }
		Lists   []struct{ File string }
	}
	require.NoError(t, json.Unmarshal([]byte(files["account.json"]), &account))
	require.Len(t, account.Members, 2)
	require.Contains(t, files[account.Lists[0].File], "grace.yates@onegate.example")
	require.False(t, strings.Contains(body.String(), secret))
	require.NotContains(t, files["account.json"], "argon2id")
}

func TestDataThatIsTakenAwayIsWholeHoweverMuchThereIs(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		ctx, owner := t.Context(), e.NewActor("owner@one.example")
		const many = 2*app.ExportPage + 3
		for _, insert := range []string{
			"INSERT INTO credit_entries (account_id, amount, kind, note, created_at) SELECT ?, 1, 'grant', 'n' || i, ? FROM n",
			"INSERT INTO known_emails (account_id, email, domain, kind, created_at) SELECT ?, 'p' || i || '@onegate.example', 'onegate.example', 'known', ? FROM n",
			"INSERT INTO audit_events (account_id, action, subject, created_at) SELECT ?, 'list.started', 's' || i, ? FROM n",
		} {
			require.NoError(t, e.DB.Exec("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "+insert, many, owner.Account, e.Now()).Error)
		}
		var body bytes.Buffer
		require.NoError(t, e.ExportData(ctx, owner, &body))
		archive, err := zip.NewReader(bytes.NewReader(body.Bytes()), int64(body.Len()))
		require.NoError(t, err)
		file, err := archive.Open("account.json")
		require.NoError(t, err)
		var account struct {
			Team        string
			Ledger      []struct{ Note string }
			KnownEmails []struct{ Email string }           `json:"known_emails"`
			Audit       []struct{ Action, Subject string } `json:"audit_events"`
		}
		require.NoError(t, json.NewDecoder(file).Decode(&account))
		require.NotEmpty(t, account.Team)
		distinct := map[string]bool{}
		for _, l := range account.Ledger {
			distinct[l.Note] = true
		}
		for _, k := range account.KnownEmails {
			distinct[k.Email] = true
		}
		for _, a := range account.Audit {
			if a.Action == "list.started" {
				distinct[a.Subject] = true
			}
		}
		require.Len(t, distinct, 3*many, "each once")
	})
}

func TestWhoDidWhatIsKnownToManagers(t *testing.T) {
	e := apptest.New(t)
	ctx, owner := t.Context(), e.NewActor("owner@one.example")
	for range 60 {
		require.NoError(t, e.RenameTeam(ctx, owner, "North Pier"))
	}
	first, next, err := e.AuditEvents(ctx, owner, "")
	require.NoError(t, err)
	require.Len(t, first, 50)
	require.Equal(t, "owner@one.example", first[0].Email)
	rest, end, err := e.AuditEvents(ctx, owner, next)
	require.NoError(t, err)
	require.Len(t, rest, 10)
	require.Empty(t, end)
	none, _, err := e.AuditEvents(ctx, e.NewActor("owner@two.example"), "")
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestNobodyGetsIntoAnAccountWhoseDayHasCome(t *testing.T) {
	e := apptest.New(t)
	ctx, owner := t.Context(), e.NewActor("owner@one.example")
	running(t, e, owner, threePeople) // what is being cleared takes its time
	_, err := e.DeleteAccount(ctx, owner, apptest.Password)
	require.NoError(t, err)
	_, _, err = e.SignIn(ctx, "owner@one.example", apptest.Password, "192.0.2.1", "")
	require.NoError(t, err, "there is time to change one's mind")
	e.App.Now = func() time.Time { return time.Now().UTC().Add(8 * 24 * time.Hour) }
	_, err = e.Clean(ctx)
	require.NoError(t, err)
	_, _, err = e.SignIn(ctx, "owner@one.example", apptest.Password, "192.0.2.1", "")
	refusedAs(t, "account_deleted", err)
}

func TestWhatCannotBeDeletedKeepsNothingElse(t *testing.T) {
	e := apptest.New(t)
	ctx := t.Context()
	var lists []app.List
	for _, who := range []string{"owner@one.example", "owner@two.example", "owner@three.example"} {
		as := e.NewActor(who)
		lists = append(lists, e.Upload(as, "people.csv", []byte("Name,Website\nGrace Yates,onegate.example\n")))
	}
	require.NoError(t, e.SetRetention(ctx, app.Actor{Account: lists[2].AccountID, Role: app.RoleOwner}, 0))
	require.NoError(t, e.DB.Exec(fmt.Sprintf("CREATE TRIGGER stuck BEFORE UPDATE ON lists WHEN OLD.id = %d BEGIN SELECT RAISE(ABORT, 'stuck'); END", lists[0].ID)).Error)
	e.App.Now = func() time.Time { return time.Now().UTC().Add(91 * 24 * time.Hour) }
	_, err := e.Clean(ctx)
	require.ErrorContains(t, err, "stuck")
	_, err = e.List(ctx, lists[0].AccountID, lists[0].Ref)
	require.NoError(t, err)
	_, err = e.List(ctx, lists[1].AccountID, lists[1].Ref)
	require.Equal(t, app.CodeNotFound, app.CodeOf(err), "the other list of its age is gone")
	_, err = e.List(ctx, lists[2].AccountID, lists[2].Ref)
	require.NoError(t, err, "kept for ever")
}
