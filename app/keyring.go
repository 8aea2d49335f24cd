package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// What a process remembers of keys, so that a request with one needs no read of the database. Each request asks Redis, in the round
// trip that counts it, whether a key was revoked anywhere since (keyToken); without Redis nothing that is remembered counts.
const (
	keyFresh      = 10 * time.Second // the longest that a revocation goes unnoticed, and only if Redis did not hear of it
	maxCachedKeys = 10_000
	keyToken      = "beagle:keys:token" // another value whenever a key was revoked
)

// keyring remembers keys under the token that was seen before they were read.
type keyring struct {
	mu     sync.Mutex
	token  string
	byHash map[string]cachedKey
}

type cachedKey struct {
	key   Key
	until time.Time
}

func (k *keyring) get(hash string, now time.Time) (Key, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c, ok := k.byHash[hash]
	return c.key, ok && now.Before(c.until)
}

// put remembers a key that was read after token was seen, unless another token was seen since.
func (k *keyring) put(token string, key Key, until time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if token != k.token {
		return
	}
	if k.byHash == nil || len(k.byHash) >= maxCachedKeys {
		k.byHash = map[string]cachedKey{}
	}
	k.byHash[key.Hash] = cachedKey{key, until}
}

// see takes note of the token. Everything is forgotten when it is another one, and then it says false.
func (k *keyring) see(token string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	same := k.token == token
	if !same {
		k.token, k.byHash = token, nil
	}
	return same
}

// ForgetKeys makes every process read API keys anew. It is to be called after whatever makes one useless.
func (a *App) ForgetKeys(ctx context.Context) {
	token := rand.Text()
	if err := a.Queue.Redis.Set(ctx, keyToken, token, 0).Err(); err != nil {
		a.Log.WarnContext(ctx, "other processes were not told that a key was revoked", "they_notice_within", keyFresh, "error", err)
	}
	a.keys.see(token)
}

// KeyUse is one request made with a key. Counts are of the current window, for the key and for its account.
type KeyUse struct {
	Actor  Actor
	Key    int64
	Shared bool // the counts are those of all processes; false while Redis is away, and then there are none
	Counts [2]int64
	Reset  time.Duration // until the window ends
}

// UseKey finds out who a key belongs to and counts a request of the key and of its account. inURL tells that the key came in the address
// of the request, where logs and proxies can see it: only keys made for that are taken. CodeUnauthorized when it is no good.
func (a *App) UseKey(ctx context.Context, secret string, inURL bool, window time.Duration) (KeyUse, error) {
	if secret == "" {
		return KeyUse{}, errNoKey
	}
	hash := hashSecret(secret)
	if key, ok := a.keys.get(hash, a.Now()); ok {
		use, token, err := a.countKey(ctx, key, window)
		if err == nil && a.keys.see(token) {
			return use, key.mayCome(inURL)
		}
		if err == nil { // somewhere a key was revoked: was it this one?
			fresh, err := a.readKey(ctx, hash)
			if err != nil {
				return KeyUse{}, err
			}
			a.keys.put(token, fresh, a.Now().Add(keyFresh))
			use.Actor = fresh.actor() // its maker's role may be another one now
			return use, fresh.mayCome(inURL)
		}
	}
	token, away := a.seenToken(ctx)
	key, err := a.readKey(ctx, hash)
	if err == nil {
		err = key.mayCome(inURL)
	}
	if err != nil {
		return KeyUse{}, err
	}
	if away == nil {
		a.keys.put(token, key, a.Now().Add(keyFresh))
	}
	use, _, err := a.countKey(ctx, key, window)
	if err != nil {
		use = KeyUse{Actor: key.actor(), Key: key.ID}
	}
	return use, nil
}

func (a *App) countKey(ctx context.Context, key Key, window time.Duration) (KeyUse, string, error) {
	use := KeyUse{Actor: key.actor(), Key: key.ID, Shared: true}
	counts, token, reset, err := a.countRequest(ctx, window, "key:"+key.Hash[:16], fmt.Sprintf("account:%d", key.AccountID))
	if err != nil {
		return KeyUse{}, "", err
	}
	copy(use.Counts[:], counts)
	use.Reset = reset
	return use, token, nil
}

// seenToken asks Redis for the token and takes note of it. An error says that nothing may be remembered.
func (a *App) seenToken(ctx context.Context) (string, error) {
	if a.paces.resting(a.Now()) {
		return "", errRedisAway
	}
	ctx, cancel := context.WithTimeout(ctx, paceTimeout)
	defer cancel()
	token, err := a.Queue.Redis.Get(ctx, keyToken).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("reading the token of the keys: %w", err)
	}
	a.keys.see(token)
	return token, nil
}
