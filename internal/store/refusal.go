package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strconv"
)

// Refusal is what the service last said no to about the token of one key, so that not every process asks again. It
// stands in our folder as refused-NAME.json, NAME.json being the token file, and holds fingerprints only.
// Whether it is about the token that is in the file now is for the reader to compare: who replaces the file without
// knowing us makes it void by that alone. The zero Refusal is about nothing.
type Refusal struct {
	By      string // fingerprint of who refused: the addresses asked
	Refresh string // fingerprint of the refresh token that was refused, and its client; "" = none was
	Code    string // what the service called it (idc.Code), of Refresh
	Settled bool   // of Refresh: time was given to programs that may have been faster, and none was
	Access  string // fingerprint of the access token that the portal refused; "" = none was
}

// Fingerprint is the SHA-256, in hexadecimal digits, of the parts and of where each begins.
func Fingerprint(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		_, _ = h.Write([]byte(strconv.Itoa(len(p)) + ":" + p)) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil))
}

// The members of a refusal's file.
const (
	fBy      = "by"
	fRefresh = "refresh"
	fSaid    = "said"
	fSettled = "settled"
	fAccess  = "access"
)

// refusedName returns the name of the record about the token file at path.
func refusedName(path string) string { return "refused-" + filepath.Base(path) }

// Refusal returns the refusal that is recorded for key; the zero Refusal when there is none, or none that can be
// read.
func (s *Store) Refusal(key string) Refusal {
	o, err := readOwn(s.ownPath(refusedName(s.TokenPath(key))))
	if err != nil {
		return Refusal{}
	}
	return Refusal{
		By: o.text(fBy), Refresh: o.text(fRefresh), Code: o.text(fSaid), Access: o.text(fAccess),
		Settled: string(o.get(fSettled)) == "true",
	}
}

// Refused records r, in the place of what was recorded before. It is called under the lock and releases nothing.
// Errors are *fault.Error of kind Config; what cannot be recorded is asked for again by whoever comes next.
func (u *TokenUpdate) Refused(r Refusal) error {
	pairs := []string{fBy, pyString(r.By)}
	if r.Refresh != "" {
		pairs = append(pairs, fRefresh, pyString(r.Refresh), fSaid, pyString(r.Code), fSettled,
			strconv.FormatBool(r.Settled))
	}
	if r.Access != "" {
		pairs = append(pairs, fAccess, pyString(r.Access))
	}
	return u.store.writeOwn(refusedName(u.path), pairs...)
}

// Refused is the same for a caller that does not hold the lock. change gets what is on record and returns what
// replaces it, or false to leave it.
func (s *Store) Refused(ctx context.Context, key string, change func(Refusal) (Refusal, bool)) error {
	u, err := s.LockToken(ctx, key)
	if err != nil {
		return err
	}
	defer u.Abort()
	r, ok := change(s.Refusal(key))
	if !ok {
		return nil
	}
	return u.Refused(r)
}

// forgetNotes removes what is recorded about the token file at path. Left behind it does no harm.
func (s *Store) forgetNotes(path string) {
	_ = s.removeOwn(refusedName(path))
	_ = s.removeOwn(triedName(path))
}
