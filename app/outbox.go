package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"beagle/app/mail"

	"gorm.io/gorm"
)

// Mails are owed in the database from the moment that what they tell of is committed, so that neither a process that dies before it
// can queue one nor a mail server that is away for a day loses it. What a link's token is stands neither there nor in the queue: it is
// made when the mail is written, and the tables of links hold its hash.
const (
	mailsAgain  = 5 * time.Minute // a mail that was queued so long ago and is still owed is queued again
	mailsGiveUp = 48 * time.Hour  // after that nobody wants to read it
	mailsResent = 500             // in one round
	deviceKept  = 400 * 24 * time.Hour
	shownFailed = 50
)

// OwedMail is a mail that was not handed over yet, or could not be.
type OwedMail struct {
	Once      string `gorm:"primaryKey"` // the occasion
	Kind      string
	UserID    int64 // 0: of a link, or of nobody, when no account has the address of a password reset
	LinkID    int64 // of mail_links; 0: none
	ListID    int64
	Note      string // what the mail says beside what can be read when it is sent
	CreatedAt time.Time
	QueuedAt  time.Time
	FailedAt  *time.Time // given up
	Error     string
}

// TableName is where gorm keeps owed mails.
func (OwedMail) TableName() string { return "outbox" }

func (m OwedMail) task() mailTask {
	return mailTask{Kind: m.Kind, User: m.UserID, List: m.ListID, Link: m.LinkID, Once: m.Once}
}

// owe writes a mail into the outbox, in the transaction of what it tells of. One of the same occasion that is owed already stays.
func (a *App) owe(tx *gorm.DB, t mailTask, note string) error {
	err := tx.Exec(`INSERT INTO outbox (once, kind, user_id, link_id, list_id, note, created_at, queued_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (once) DO NOTHING`,
		t.Once, t.Kind, idOrNull(t.User), idOrNull(t.Link), t.List, note, a.Now(), a.Now()).Error
	if err != nil {
		return fmt.Errorf("noting a mail: %w", err)
	}
	return nil
}

func idOrNull(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

// owedMail is the mail of an occasion. The zero value, when it was sent, given up or taken back.
func (a *App) owedMail(ctx context.Context, once string) (OwedMail, error) {
	var owed []OwedMail
	if err := a.DB.WithContext(ctx).Where("once = ? AND failed_at IS NULL", once).Limit(1).Find(&owed).Error; err != nil {
		return OwedMail{}, fmt.Errorf("reading the outbox: %w", err)
	}
	if len(owed) == 0 {
		return OwedMail{}, nil
	}
	return owed[0], nil
}

// mailOnce queues a mail that is owed. If it cannot be queued now, the clock does it.
func (a *App) mailOnce(ctx context.Context, t mailTask) {
	if t.Once == "" {
		return
	}
	if err := a.mailLater(ctx, t); err != nil {
		a.Log.WarnContext(ctx, "mail not queued; the clock will", "kind", t.Kind, "list", t.List, "error", err)
	}
}

// aboutList owes a mail to the owner of a list that ends in this transaction. The task is for mailOnce after the commit; its zero value
// where no mail is sent.
func (a *App) aboutList(tx *gorm.DB, kind string, list int64) (mailTask, error) {
	if !a.SendsMail() {
		return mailTask{}, nil
	}
	var l List
	if err := tx.Select("id, user_id").Where("id = ?", list).Take(&l).Error; err != nil {
		return mailTask{}, fmt.Errorf("reading whose list has ended: %w", err)
	}
	t := mailTask{Kind: kind, User: l.UserID, List: list, Once: fmt.Sprintf("%s:%d", kind, list)}
	return t, a.owe(tx, t, "")
}

// settleMail notes what became of a try to send a mail: handed over, refused for good, or to be tried again. The error is what the job
// ends with: a last try that failed ends well, since the clock queues the mail again and an archived task would stand in its way.
func (a *App) settleMail(ctx context.Context, once string, sent error, last bool) error {
	if once == "" {
		return sent
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	g := a.DB.WithContext(ctx)
	switch {
	case sent == nil:
		g = g.Exec("DELETE FROM outbox WHERE once = ?", once)
	case errors.Is(sent, mail.ErrRefused):
		g = g.Exec("UPDATE outbox SET failed_at = ?, error = ? WHERE once = ?", a.Now(), cut(sent.Error(), maxResult), once)
	default:
		g = g.Exec("UPDATE outbox SET error = ? WHERE once = ?", cut(sent.Error(), maxResult), once)
	}
	if g.Error != nil {
		return errors.Join(sent, fmt.Errorf("noting what became of a mail: %w", g.Error))
	}
	if sent != nil && last {
		a.Log.ErrorContext(ctx, "mail not sent; the clock tries again", "error", sent)
		return nil
	}
	return sent
}

// resendMails queues mails that are still owed, and gives up those that nobody wants to read any more.
func (a *App) resendMails(ctx context.Context) (string, error) {
	now := a.Now()
	old := a.DB.WithContext(ctx).Exec("UPDATE outbox SET failed_at = ?, error = 'too old: ' || error WHERE failed_at IS NULL AND (created_at < ? OR kind = ? AND created_at < ?)",
		now, now.Add(-mailsGiveUp), mail.PasswordReset, now.Add(-resetAge))
	if old.Error != nil {
		return "", fmt.Errorf("giving up old mails: %w", old.Error)
	}
	var owed []OwedMail
	err := a.DB.WithContext(ctx).Where("failed_at IS NULL AND queued_at <= ?", now.Add(-mailsAgain)).Order("queued_at").Limit(mailsResent).Find(&owed).Error
	if err != nil {
		return "", fmt.Errorf("reading the outbox: %w", err)
	}
	for _, m := range owed {
		if err := a.mailLater(ctx, m.task()); err != nil {
			return "", err
		}
		if err := a.DB.WithContext(ctx).Exec("UPDATE outbox SET queued_at = ? WHERE once = ?", now, m.Once).Error; err != nil {
			return "", fmt.Errorf("noting that a mail was queued: %w", err)
		}
	}
	return fmt.Sprintf("queued %d mails again, gave up %d", len(owed), old.RowsAffected), nil
}

// FailedMails are the newest mails that could not be sent.
func (a *App) FailedMails(ctx context.Context) ([]OwedMail, error) {
	var failed []OwedMail
	if err := a.DB.WithContext(ctx).Where("failed_at IS NOT NULL AND (user_id IS NOT NULL OR link_id IS NOT NULL)").Order("failed_at DESC").Limit(shownFailed).Find(&failed).Error; err != nil {
		return nil, fmt.Errorf("reading mails that could not be sent: %w", err)
	}
	return failed, nil
}

// noteDevice remembers from where somebody has signed in, and owes a mail when it is a browser and network that the user was not seen
// with before. The first one of all is how the account was made, and no news.
func (a *App) noteDevice(ctx context.Context, user User, ip, agent string) {
	if !a.SendsMail() {
		return
	}
	now := a.Now()
	device := hashSecret(cut(agent, maxAgent) + "\x00" + networkOf(ip))
	var task mailTask
	err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var others int64
		if err := tx.Table("known_devices").Where("user_id = ?", user.ID).Count(&others).Error; err != nil {
			return err
		}
		added := tx.Exec("INSERT INTO known_devices (user_id, device, seen_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", user.ID, device, now)
		if added.Error != nil || added.RowsAffected == 0 {
			return errors.Join(added.Error, tx.Exec("UPDATE known_devices SET seen_at = ? WHERE user_id = ? AND device = ?", now, user.ID, device).Error)
		}
		if others == 0 {
			return nil
		}
		task = mailTask{Kind: mail.SignIn, User: user.ID, Once: fmt.Sprintf("%s:%d:%s", mail.SignIn, user.ID, newRef())}
		return a.owe(tx, task, fmt.Sprintf("%s from %s, %s", now.UTC().Format("2 January 2006, 15:04 UTC"), ip, cut(agent, maxAgent)))
	})
	if err != nil {
		a.Log.WarnContext(ctx, "device not remembered", "user", user.ID, "error", err)
		return
	}
	a.mailOnce(ctx, task)
}

// networkOf is the network that an address belongs to: people's addresses change within it. What is no address is its own network.
func networkOf(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	bits := 48
	if addr = addr.Unmap(); addr.Is4() {
		bits = 24
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return ip
	}
	return prefix.String()
}
