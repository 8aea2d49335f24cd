package app

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Secrets that must be read again (what signs webhooks) are sealed in the database with a key made from SECRET_KEY: AES-256-GCM, bound to
// what they belong to. A sealed secret says which way it was sealed; without that it is an older one, in clear.
const (
	sealed1 = "v1:"
	sealFor = "beagle webhook secrets"
)

// sealer seals and opens secrets. The zero sealer, without SECRET_KEY, seals nothing.
type sealer struct{ aead cipher.AEAD }

func newSealer(secretKey string) (sealer, error) {
	if secretKey == "" {
		return sealer{}, nil
	}
	key, err := hkdf.Key(sha256.New, []byte(secretKey), nil, sealFor, 32)
	if err != nil {
		return sealer{}, fmt.Errorf("making a key from SECRET_KEY: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, fmt.Errorf("making a key from SECRET_KEY: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return sealer{aead}, err
}

// seal hides a secret that belongs to owner, such as "webhook:…". The same secret looks different each time.
func (s sealer) seal(secret, owner string) string {
	if s.aead == nil {
		return secret
	}
	return sealed1 + base64.RawStdEncoding.EncodeToString(s.aead.Seal(nil, nil, []byte(secret), []byte(owner)))
}

// open gives back a secret. One that was kept before there was a SECRET_KEY is given as it is.
func (s sealer) open(stored, owner string) (string, error) {
	body, ok := strings.CutPrefix(stored, sealed1)
	if !ok {
		return stored, nil
	}
	if s.aead == nil {
		return "", errSealed
	}
	raw, err := base64.RawStdEncoding.DecodeString(body)
	if err == nil {
		raw, err = s.aead.Open(nil, nil, raw, []byte(owner))
	}
	if err != nil {
		return "", errors.Join(errSealed, err)
	}
	return string(raw), nil
}

var errSealed = errors.New("a webhook's secret cannot be read: SECRET_KEY is not the one it was sealed with; delete the webhook and make it anew, or set the former key")
