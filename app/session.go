package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
)

const (
	sessionIdle     = 7 * 24 * time.Hour  // unused for this long: signed out
	sessionAbsolute = 30 * 24 * time.Hour // signed out after this, used or not
	sessionTouch    = 5 * time.Minute     // how stale seen_at may get: not a write per request
	maxAgent        = 300
)

// Failed sign-ins slow down: after freeFailures the wait doubles from failureWait up to maxFailureWait.
const (
	freeFailures   = 5
	failureWait    = time.Second
	maxFailureWait = 15 * time.Minute
	failureMemory  = time.Hour
)

// session is one signed-in browser. The cookie holds the token; the table only its hash.
type session struct {
	TokenHash string `gorm:"primaryKey"`
	UserID    int64
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
	IP        string `gorm:"column:ip"`
	Agent     string
}

// SignIn checks the password and opens a session; token goes into the cookie. The refusal is the same for an unknown
// address and a wrong password, and repeated failures for one address or from one IP are slowed down (CodeTooMany).
func (a *App) SignIn(ctx context.Context, email, password, ip, agent string) (token string, user User, err error) {
	email, mailErr := cleanEmail(email)
	if err := a.slowDown(ctx, email, ip); err != nil {
		return "", User{}, err
	}
	if mailErr == nil {
		err := a.DB.WithContext(ctx).Where("email = ?", email).First(&user).Error
		if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
			return "", User{}, fmt.Errorf("reading a user: %w", err)
		}
	}
	if len(password) > 4*maxPassword {
		password = password[:4*maxPassword]
	}
	ok, err := a.passwordMatches(ctx, password, user.PasswordHash)
	if err != nil {
		return "", User{}, err
	}
	if !ok {
		a.countFailure(ctx, email, ip)
		a.audit(ctx, Actor{Account: user.AccountID, User: user.ID, IP: ip}, "session.refused", "")
		return "", User{}, Refuse(CodeUnauthorized, "sign_in_failed", "The address or the password is wrong.")
	}
	a.forgetFailures(ctx, email)
	if err := a.mustLast(ctx, user.AccountID); err != nil {
		return "", User{}, err
	}
	token, err = a.openSession(ctx, user, ip, agent)
	if err != nil {
		return "", User{}, err
	}
	a.audit(ctx, Actor{Account: user.AccountID, User: user.ID, IP: ip}, "session.opened", "")
	a.noteDevice(ctx, user, ip, agent)
	return token, user, nil
}

func (a *App) openSession(ctx context.Context, user User, ip, agent string) (string, error) {
	token := rand.Text() + rand.Text() // 2 × 130 bits
	now := a.Now()
	s := session{TokenHash: hashSecret(token), UserID: user.ID, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(sessionAbsolute), IP: ip, Agent: cut(agent, maxAgent)}
	if err := a.DB.WithContext(ctx).Create(&s).Error; err != nil {
		return "", fmt.Errorf("opening a session: %w", err)
	}
	return token, nil
}

// SessionActor is who a cookie's token belongs to. CodeUnauthorized when it is unknown or has run out.
func (a *App) SessionActor(ctx context.Context, token string) (Actor, User, error) {
	signedOut := Refuse(CodeUnauthorized, "signed_out", "Please sign in.")
	if token == "" {
		return Actor{}, User{}, signedOut
	}
	var s session
	err := a.DB.WithContext(ctx).Where("token_hash = ?", hashSecret(token)).First(&s).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Actor{}, User{}, signedOut
	}
	if err != nil {
		return Actor{}, User{}, fmt.Errorf("reading a session: %w", err)
	}
	now := a.Now()
	if now.After(s.ExpiresAt) || now.Sub(s.SeenAt) > sessionIdle {
		return Actor{}, User{}, signedOut
	}
	if now.Sub(s.SeenAt) > sessionTouch {
		if err := a.DB.WithContext(ctx).Model(&session{}).Where("token_hash = ?", s.TokenHash).Update("seen_at", now).Error; err != nil {
			a.Log.WarnContext(ctx, "session not touched", "error", err)
		}
	}
	var user User
	if err := a.DB.WithContext(ctx).First(&user, s.UserID).Error; err != nil {
		return Actor{}, User{}, fmt.Errorf("reading a session's user: %w", err)
	}
	return user.Actor(), user, nil
}

// SignOut ends the session of a token. Ending it twice is no error.
func (a *App) SignOut(ctx context.Context, token string) error {
	if err := a.DB.WithContext(ctx).Where("token_hash = ?", hashSecret(token)).Delete(&session{}).Error; err != nil {
		return fmt.Errorf("closing a session: %w", err)
	}
	return nil
}

// hashSecret is how tokens and keys are stored: they are random, so a plain SHA-256 is enough.
func hashSecret(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func failureKeys(email, ip string) []string {
	return []string{"beagle:failures:" + hashSecret(email), "beagle:failures:ip:" + ip}
}

// slowDown refuses a sign-in that comes too soon after failures. The counts are in Redis; without Redis sign-in works unslowed.
func (a *App) slowDown(ctx context.Context, email, ip string) error {
	for _, key := range failureKeys(email, ip) {
		failures, err := a.Queue.Redis.Get(ctx, key).Int()
		if err != nil || failures < freeFailures {
			continue
		}
		left, err := a.Queue.Redis.TTL(ctx, key+":wait").Result()
		if err == nil && left > 0 {
			return Refuse(CodeTooMany, "too_many_failures", "Too many failed sign-ins. Try again in %s.", left.Round(time.Second))
		}
	}
	return nil
}

func (a *App) countFailure(ctx context.Context, email, ip string) {
	for _, key := range failureKeys(email, ip) {
		failures, err := a.Queue.Redis.Incr(ctx, key).Result()
		if err != nil {
			a.Log.WarnContext(ctx, "sign-in failures not counted", "error", err)
			return
		}
		a.Queue.Redis.Expire(ctx, key, failureMemory)
		if failures >= freeFailures {
			wait := min(failureWait<<min(failures-freeFailures, 20), maxFailureWait)
			a.Queue.Redis.Set(ctx, key+":wait", "1", wait)
		}
	}
}

func (a *App) forgetFailures(ctx context.Context, email string) {
	key := failureKeys(email, "")[0]
	a.Queue.Redis.Del(ctx, key)
	a.Queue.Redis.Del(ctx, key+":wait") // by itself: the two may be on different nodes of a cluster
}

// cut shortens s to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
