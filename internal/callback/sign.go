package callback

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Scheme is how a receiver tells our callbacks from others.
type Scheme string

const (
	// Elements is that of Cloud Elements: base64 of HMAC-SHA256 over the body.
	Elements Scheme = "elements"
	// StandardWebhooks signs id, time and body, with every key.
	// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
	StandardWebhooks Scheme = "standard_webhooks"
	// Unsigned lets anybody who finds the URL send made-up events.
	Unsigned Scheme = "none"
)

const (
	elementsID        = "Elements-Webhook-Id"
	elementsSignature = "Elements-Webhook-Signature"

	standardID        = "Webhook-Id"
	standardTimestamp = "Webhook-Timestamp"
	standardSignature = "Webhook-Signature"

	secretPrefix = "whsec_"
)

// Signer signs callbacks.
type Signer struct {
	scheme Scheme
	keys   [][]byte
}

// NewSigner checks scheme and keys; its errors name the field and do not repeat a key.
func NewSigner(scheme Scheme, keys []string) (*Signer, error) {
	s := &Signer{scheme: scheme}
	switch scheme {
	case Unsigned:
		if len(keys) > 0 {
			return nil, fmt.Errorf("keys: there are some, but scheme is %s: nothing would be signed; take them out, or choose %s or %s", Unsigned, Elements, StandardWebhooks)
		}
		return s, nil
	case Elements, StandardWebhooks:
	default:
		return nil, fmt.Errorf("scheme: %q came, it must be %s, %s or %s", string(scheme), Elements, StandardWebhooks, Unsigned)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("keys: there are none; add the one that the receiver verifies with, or choose the scheme %s", Unsigned)
	}
	for i, text := range keys {
		key, err := readKey(scheme, text)
		if err != nil {
			return nil, fmt.Errorf("keys[%d]: %w", i, err)
		}
		s.keys = append(s.keys, key)
	}
	return s, nil
}

func readKey(scheme Scheme, text string) ([]byte, error) {
	switch {
	case text == "":
		return nil, errors.New("is empty: is an environment variable unset?")
	case strings.TrimFunc(text, notVisible) != text:
		return nil, errors.New("begins or ends with a blank or a line break, which is hardly part of the key")
	case scheme != StandardWebhooks:
		return []byte(text), nil
	case strings.HasPrefix(text, "whsk_") || strings.HasPrefix(text, "whpk_"):
		return nil, errors.New("is a key for ed25519; only HMAC keys can be used, like whsec_ and base64")
	}
	encoded, isEncoded := strings.CutPrefix(text, secretPrefix)
	if !isEncoded {
		return []byte(text), nil
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) == 0 {
		return nil, errors.New("has no base64 (the standard alphabet, with padding) behind " + secretPrefix)
	}
	return key, nil
}

func notVisible(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// Headers are the names of those that Sign sets.
func (s *Signer) Headers() []string {
	switch s.scheme {
	case Elements:
		return []string{elementsID, elementsSignature}
	case StandardWebhooks:
		return []string{standardID, standardTimestamp, standardSignature}
	}
	return nil
}

// checkID refuses an id that a header cannot hold, or that would make a signature ambiguous.
func (s *Signer) checkID(id string) error {
	switch {
	case id == "":
		return errors.New("message_id: came out empty")
	case len(id) > 256:
		return fmt.Errorf("message_id: has %d bytes, it may have 256", len(id))
	case strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return errors.New("message_id: has a blank, a line break or another character that is not visible ASCII")
	case s.scheme == StandardWebhooks && strings.Contains(id, "."):
		return errors.New("message_id: has a full stop, which parts the id from the time in what Standard Webhooks signs")
	}
	return nil
}

// sign sets the headers of one attempt.
func (s *Signer) sign(h http.Header, id string, at time.Time, body []byte) {
	switch s.scheme {
	case Elements:
		h.Set(elementsID, id)
		h.Set(elementsSignature, "sha256="+mac(s.keys[0], body))
	case StandardWebhooks:
		timestamp := strconv.FormatInt(at.Unix(), 10)
		signatures := make([]string, len(s.keys))
		for i, key := range s.keys {
			signatures[i] = "v1," + mac(key, []byte(id+"."+timestamp+"."), body)
		}
		h.Set(standardID, id)
		h.Set(standardTimestamp, timestamp)
		h.Set(standardSignature, strings.Join(signatures, " "))
	}
}

func mac(key []byte, parts ...[]byte) string {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		h.Write(part)
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}
