package app_test

import (
	"regexp"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"

	"github.com/stretchr/testify/require"
)

func refusedAs(t *testing.T, id string, err error) {
	t.Helper()
	refusal, ok := app.Refusal(err)
	require.True(t, ok, "%v", err)
	require.Equal(t, id, refusal.ID)
}

// join invites somebody and accepts in their name.
func join(t *testing.T, e *apptest.Env, as app.Actor, email, role string) app.Actor {
	token, err := e.Invite(t.Context(), as, email, role)
	require.NoError(t, err)
	require.NotEmpty(t, token, "where no mail is sent, the inviter passes the link on")
	user, err := e.AcceptInvitation(t.Context(), token, "Teo Ferrante", apptest.Password, "192.0.2.1")
	require.NoError(t, err)
	require.Equal(t, role, user.Role)
	return user.Actor()
}

func TestRolesMayWhatTheySay(t *testing.T) {
	e := apptest.New(t)
	ctx, owner := t.Context(), e.NewActor("owner@one.example")
	admin, member := join(t, e, owner, "admin@one.example", app.RoleAdmin), join(t, e, owner, "member@one.example", app.RoleMember)
	stranger := e.NewActor("owner@two.example")

	for name, do := range map[string]func(app.Actor) error{
		"make keys": func(as app.Actor) error { _, _, err := e.CreateKey(ctx, as, "k", false); return err },
		"make webhooks": func(as app.Actor) error {
			_, err := e.CreateWebhook(ctx, as, "https://hooks.example/x", nil)
			return err
		},
		"invite":    func(as app.Actor) error { _, err := e.Invite(ctx, as, "x@one.example", app.RoleMember); return err },
		"rename":    func(as app.Actor) error { return e.RenameTeam(ctx, as, "North Pier") },
		"retention": func(as app.Actor) error { return e.SetRetention(ctx, as, 30) },
		"audit":     func(as app.Actor) error { _, _, err := e.AuditEvents(ctx, as, ""); return err },
	} {
		require.NoError(t, do(owner), name)
		require.NoError(t, do(admin), name)
		refusedAs(t, "not_allowed", do(member))
	}
	refusedAs(t, "not_allowed", e.SetRole(ctx, admin, admin.User, app.RoleOwner))
	refusedAs(t, "not_allowed", e.SetRole(ctx, admin, owner.User, app.RoleMember))
	refusedAs(t, "not_allowed", e.RemoveMember(ctx, admin, owner.User))
	refusedAs(t, "not_allowed", e.RemoveMember(ctx, member, admin.User))
	refusedAs(t, "member_not_found", e.RemoveMember(ctx, stranger, member.User))
	refusedAs(t, "member_not_found", e.SetRole(ctx, stranger, member.User, app.RoleAdmin))
	refusedAs(t, "invalid_role", e.SetRole(ctx, owner, member.User, "king"))
}

func TestLastOwnerStaysUntilThereIsAnother(t *testing.T) {
	e := apptest.New(t)
	ctx, owner := t.Context(), e.NewActor("owner@one.example")
	refusedAs(t, "last_owner", e.RemoveMember(ctx, owner, owner.User))
	refusedAs(t, "last_owner", e.SetRole(ctx, owner, owner.User, app.RoleMember))
	second := join(t, e, owner, "second@one.example", app.RoleMember)
	require.NoError(t, e.SetRole(ctx, owner, second.User, app.RoleOwner))
	require.NoError(t, e.RemoveMember(ctx, owner, owner.User), "an owner may leave when another stays")
	members, err := e.Members(ctx, owner.Account)
	require.NoError(t, err)
	require.Len(t, members, 1)
}

func TestWhoIsRemovedIsOutAtOnceAndTheirListsStay(t *testing.T) {
	e := apptest.New(t)
	ctx, owner := t.Context(), e.NewActor("owner@one.example")
	admin := join(t, e, owner, "admin@one.example", app.RoleAdmin)
	session, _, err := e.SignIn(ctx, "admin@one.example", apptest.Password, "192.0.2.1", "test")
	require.NoError(t, err)
	_, secret, err := e.CreateKey(ctx, admin, "theirs", false)
	require.NoError(t, err)
	list := e.Upload(admin, "people.csv", []byte("Name,Website\nGrace Yates,onegate.example\n"))
	require.NoError(t, e.RemoveMember(ctx, owner, admin.User))

	_, _, err = e.SessionActor(ctx, session)
	require.Equal(t, app.CodeUnauthorized, app.CodeOf(err))
	_, err = e.UseKey(ctx, secret, false, time.Minute)
	refusedAs(t, "authentication_failed", err)
	kept, err := e.List(ctx, owner.Account, list.Ref)
	require.NoError(t, err)
	require.Equal(t, owner.User, kept.UserID, "mails about it go to somebody who is there")
}

func TestInvitationsOfSomebodyWhoMayInviteNoMoreLeadNowhere(t *testing.T) {
	apptest.OnEach(t, func(t *testing.T, s apptest.Stack) {
		e := apptest.NewOn(t, s)
		ctx, owner := t.Context(), e.NewActor("owner@one.example")
		second := join(t, e, owner, "second@one.example", app.RoleOwner)
		invite := func(as app.Actor, email, role string) string {
			token, err := e.Invite(ctx, as, email, role)
			require.NoError(t, err)
			return token
		}
		open := func() (addresses []string) {
			all, err := e.Invitations(ctx, owner.Account)
			require.NoError(t, err)
			for _, i := range all {
				addresses = append(addresses, i.Email)
			}
			return addresses
		}
		invite(owner, "of-owner@one.example", app.RoleAdmin)
		asOwner := invite(second, "as-owner@one.example", app.RoleOwner)
		asAdmin, asMember := invite(second, "as-admin@one.example", app.RoleAdmin), invite(second, "as-member@one.example", app.RoleMember)

		require.NoError(t, e.SetRole(ctx, owner, second.User, app.RoleAdmin))
		require.Equal(t, []string{"as-member@one.example", "as-admin@one.example", "of-owner@one.example"}, open(), "an admin may still invite members and admins")
		_, err := e.AcceptInvitation(ctx, asOwner, "", apptest.Password, "")
		refusedAs(t, "link_not_found", err)

		require.NoError(t, e.SetRole(ctx, owner, second.User, app.RoleMember))
		require.Equal(t, []string{"of-owner@one.example"}, open())
		_, err = e.AcceptInvitation(ctx, asAdmin, "", apptest.Password, "")
		refusedAs(t, "link_not_found", err)
		_, err = e.Invite(ctx, second, "late@one.example", app.RoleMember)
		refusedAs(t, "not_allowed", err) // second is the admin that a request under way still sees

		require.NoError(t, e.SetRole(ctx, owner, second.User, app.RoleAdmin))
		second.Role = app.RoleAdmin
		asMember = invite(second, "as-member@one.example", app.RoleMember)
		require.NoError(t, e.RemoveMember(ctx, owner, second.User))
		require.Equal(t, []string{"of-owner@one.example"}, open())
		_, err = e.AcceptInvitation(ctx, asMember, "", apptest.Password, "")
		refusedAs(t, "link_not_found", err)
		_, err = e.Invite(ctx, second, "later@one.example", app.RoleMember)
		refusedAs(t, "member_not_found", err)
		events, _, err := e.AuditEvents(ctx, owner, "")
		require.NoError(t, err)
		require.Equal(t, []string{"member.uninvited", "as-member@one.example"}, []string{events[0].Action, events[0].Subject})
	})
}

func TestMailOfAnInvitationIsNotSentWhenItsSenderIsRemoved(t *testing.T) {
	e := apptest.New(t, keepsMail)
	ctx, owner := t.Context(), e.NewActor("owner@one.example")
	admin, err := e.AddUser(ctx, "admin@one.example", apptest.Password, "", false)
	require.NoError(t, err)
	require.NoError(t, e.DB.Exec("UPDATE users SET account_id = ?, role = 'admin' WHERE id = ?", owner.Account, admin.ID).Error)
	_, err = e.Invite(ctx, app.Actor{Account: owner.Account, User: admin.ID, Role: app.RoleAdmin}, "new@one.example", app.RoleMember)
	require.NoError(t, err)
	require.Len(t, owed(t, e), 1)
	require.NoError(t, e.RemoveMember(ctx, owner, admin.ID))
	require.Empty(t, owed(t, e))
}

func TestInvitationWorksOnceForItsAddressAndNotForEver(t *testing.T) {
	e := apptest.New(t)
	ctx, owner := t.Context(), e.NewActor("owner@one.example")
	token, err := e.Invite(ctx, owner, "New@One.example", app.RoleMember)
	require.NoError(t, err)
	i, err := e.Invitation(ctx, token)
	require.NoError(t, err)
	require.Equal(t, "new@one.example", i.Email)
	require.Equal(t, "owner@one.example", i.By)
	_, err = e.AcceptInvitation(ctx, token, "", "short", "")
	refusedAs(t, "password_too_short", err)

	again, err := e.Reinvite(ctx, owner, i.ID)
	require.NoError(t, err)
	_, err = e.Invitation(ctx, token)
	refusedAs(t, "link_not_found", err)
	_, err = e.AcceptInvitation(ctx, again, "Mara", apptest.Password, "")
	require.NoError(t, err)
	_, err = e.AcceptInvitation(ctx, again, "Mara", apptest.Password, "")
	refusedAs(t, "link_not_found", err)
	_, err = e.Invite(ctx, owner, "new@one.example", app.RoleMember)
	refusedAs(t, "already_member", err)

	token, err = e.Invite(ctx, owner, "owner@two.example", app.RoleMember)
	require.NoError(t, err)
	e.NewActor("owner@two.example")
	_, err = e.AcceptInvitation(ctx, token, "", apptest.Password, "")
	refusedAs(t, "email_taken", err)

	token, err = e.Invite(ctx, owner, "late@one.example", app.RoleMember)
	require.NoError(t, err)
	open, err := e.Invitations(ctx, owner.Account)
	require.NoError(t, err)
	require.Len(t, open, 2)
	require.NoError(t, e.Uninvite(ctx, owner, open[1].ID))
	e.App.Now = func() time.Time { return time.Now().UTC().Add(8 * 24 * time.Hour) }
	_, err = e.Invitation(ctx, token)
	refusedAs(t, "link_not_found", err)
}

var linkInMail = regexp.MustCompile(`https?://\S+/([A-Z0-9]{20,})`)

func TestInvitationAndOptOutComeByMail(t *testing.T) {
	e := apptest.New(t, func(c *config.Config) { c.Run.KeepMail, c.BaseURL = true, "http://beagle.example" })
	e.Work()
	ctx, owner := t.Context(), e.NewActor("owner@one.example")
	shown, err := e.Invite(ctx, owner, "new@one.example", app.RoleAdmin)
	require.NoError(t, err)
	require.Empty(t, shown, "the link is in the mail alone")
	_, err = e.AskOptOut(ctx, "Grace.Yates@onegate.example")
	require.NoError(t, err)
	sentTo, err := e.AskOptOut(ctx, "https://www.pelican-apps.example/")
	require.NoError(t, err)
	require.Equal(t, "postmaster@pelican-apps.example", sentTo)

	tokens := map[string]string{}
	require.Eventually(t, func() bool {
		kept, err := e.KeptMails(ctx)
		require.NoError(t, err)
		for _, m := range kept {
			tokens[m.Recipient] = linkInMail.FindStringSubmatch(m.TextBody)[1]
			require.Contains(t, m.HTMLBody, tokens[m.Recipient])
		}
		return len(kept) == 3
	}, apptest.Patience, 20*time.Millisecond)
	user, err := e.AcceptInvitation(ctx, tokens["new@one.example"], "", apptest.Password, "")
	require.NoError(t, err)
	require.Equal(t, app.RoleAdmin, user.Role)
	for recipient, want := range map[string]string{"grace.yates@onegate.example": "grace.yates@onegate.example", "postmaster@pelican-apps.example": "pelican-apps.example"} {
		got, err := e.ConfirmOptOut(ctx, tokens[recipient], "")
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err = e.VerifyOne(ctx, owner, "grace.yates@onegate.example")
	require.Equal(t, app.CodeSuppressed, app.CodeOf(err))
	_, err = e.FindOne(ctx, owner, app.FindParams{First: "Nathan", Last: "Fenwick", Domain: "pelican-apps.example"})
	require.Equal(t, app.CodeSuppressed, app.CodeOf(err))
}
