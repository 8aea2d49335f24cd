package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"beagle/app/mail"

	"gorm.io/gorm"
)

// mailer is where mail goes: to a mail server, or into a table to be looked at.
type mailer interface {
	Send(ctx context.Context, m mail.Message) error
}

// openMailer chooses by SMTP_URL. Without one no mail is sent, and in `beagle up` it is kept.
func (a *App) openMailer() error {
	c := a.Config.Run
	switch {
	case c.SMTPURL != "":
		sender, err := mail.NewSMTP(c.SMTPURL, c.MailFrom)
		if err != nil {
			return err
		}
		a.mailer = sender
	case c.KeepMail:
		a.mailer = keeper{a}
	}
	return nil
}

// SendsMail tells whether this installation can write to people: it has a mail server, or keeps mail, and knows its own address for links.
func (a *App) SendsMail() bool { return a.mailer != nil && a.Config.BaseURL != "" }

// link is an address of ours as mails show it.
func (a *App) link(path string) string { return strings.TrimRight(a.Config.BaseURL, "/") + path }

// SendMail writes a mail with what is true now and hands it over. A user who is gone or wants no such mails gets none.
func (a *App) SendMail(ctx context.Context, kind string, user, list int64) error {
	return a.sendMail(ctx, mailTask{Kind: kind, User: user, List: list})
}

// errNoMailer keeps a mail owed that came to a process which was not told of the mail server.
var errNoMailer = errors.New("this process sends no mail: set SMTP_URL and BASE_URL as for the others")

func (a *App) sendMail(ctx context.Context, t mailTask) error {
	if !a.SendsMail() && t.Once != "" {
		return errNoMailer
	}
	if !a.SendsMail() {
		return nil
	}
	owed, err := a.owedMail(ctx, t.Once)
	if err != nil || (t.Once != "" && owed.Once == "") {
		return err
	}
	if t.Link != 0 {
		return a.sendLink(ctx, t.Link)
	}
	var to User
	err = a.DB.WithContext(ctx).Where("id = ?", t.User).Take(&to).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading whom a mail is for: %w", err)
	}
	if t.Kind == mail.PasswordReset {
		return a.sendReset(ctx, to, owed.CreatedAt)
	}
	var data any
	switch t.Kind {
	case mail.SignIn:
		data = mail.SignInData{Email: to.Email, Note: owed.Note, Link: a.link("/reset")}
	case mail.CreditsLow:
		data, err = a.creditsMail(ctx, to)
	default:
		data, err = a.listMail(ctx, to, t.List)
	}
	if err != nil || data == nil {
		return err
	}
	m, err := mail.Write(t.Kind, to.Email, data)
	if err != nil {
		return err
	}
	return a.handOver(ctx, m)
}

// handOver gives a mail to the mailer and counts it.
func (a *App) handOver(ctx context.Context, m mail.Message) error {
	if err := a.mailer.Send(ctx, m); err != nil {
		a.Metrics.mails.WithLabelValues("failed").Inc()
		return err
	}
	a.Metrics.mails.WithLabelValues("sent").Inc()
	return nil
}

// creditsMail says how many credits are left; nil when there are enough again.
func (a *App) creditsMail(ctx context.Context, to User) (any, error) {
	account, err := a.Account(ctx, to.AccountID)
	if err != nil {
		return nil, err
	}
	if account.Credits >= a.Config.CreditsLow {
		return nil, nil
	}
	return mail.CreditsData{Account: account.Name, Left: account.Credits, Link: a.link("/lists")}, nil
}

// listMail is what a mail about a list says; nil when there is nothing to say.
func (a *App) listMail(ctx context.Context, to User, list int64) (any, error) {
	var l List
	err := a.DB.WithContext(ctx).Where("id = ? AND account_id = ? AND state <> ?", list, to.AccountID, ListDeleting).Take(&l).Error
	if errors.Is(err, gorm.ErrRecordNotFound) || (err == nil && !to.Notify) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the list of a mail: %w", err)
	}
	p, err := a.Progress(ctx, l)
	if err != nil {
		return nil, err
	}
	data := mail.ListData{List: l.Name, Rows: p.Total, Found: p.Found, Note: l.Note, Link: a.link("/lists/" + l.Ref), Settings: a.link("/settings")}
	for status, rows := range p.ByStatus {
		data.Counts = append(data.Counts, mail.Count{Word: strings.ReplaceAll(status, "_", "-"), Rows: rows})
	}
	slices.SortFunc(data.Counts, func(x, y mail.Count) int { return cmp.Or(cmp.Compare(y.Rows, x.Rows), cmp.Compare(x.Word, y.Word)) })
	return data, nil
}

// SetNotify switches a user's mails about ended lists on or off.
func (a *App) SetNotify(ctx context.Context, as Actor, on bool) error {
	if err := a.DB.WithContext(ctx).Model(&User{}).Where("id = ?", as.User).Update("notify", on).Error; err != nil {
		return fmt.Errorf("switching mails: %w", err)
	}
	return nil
}

// KeptMail is a mail that was kept instead of sent.
type KeptMail struct {
	ID        int64
	Recipient string
	Subject   string
	TextBody  string
	HTMLBody  string `gorm:"column:html_body"`
	CreatedAt time.Time
}

// keeper puts mail into a table.
type keeper struct{ app *App }

// Send keeps the mail.
func (k keeper) Send(ctx context.Context, m mail.Message) error {
	kept := KeptMail{Recipient: m.To, Subject: m.Subject, TextBody: m.Text, HTMLBody: m.HTML, CreatedAt: k.app.Now()}
	if err := k.app.DB.WithContext(ctx).Create(&kept).Error; err != nil {
		return fmt.Errorf("keeping a mail: %w", err)
	}
	return nil
}

// keptShown is how many kept mails are shown.
const keptShown = 50

// KeptMails are the newest mails that were kept. There are none where mail is sent.
func (a *App) KeptMails(ctx context.Context) ([]KeptMail, error) {
	var kept []KeptMail
	if err := a.DB.WithContext(ctx).Order("id DESC").Limit(keptShown).Find(&kept).Error; err != nil {
		return nil, fmt.Errorf("reading kept mails: %w", err)
	}
	return kept, nil
}
