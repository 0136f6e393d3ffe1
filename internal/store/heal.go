package store

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"time"
)

// HealToken writes key's token file again, the same token in our form, where the file says it in a way that some SDK
// cannot read: a time that does not end in Z (Rust; Go and JavaScript where it ends in UTC), null or a number where a
// text belongs (Go), a byte order mark, or what another program's longer file left behind the object. Any other file
// is left alone, byte for byte. healed reports whether the file was written.
//
// It takes the lock, which ctx bounds, only when there is something to do. Errors are those of Store.Token and
// BeginToken; the file is as it was then.
func (s *Store) HealToken(ctx context.Context, key string) (healed bool, err error) {
	if sound, err := s.sound(key); sound || err != nil {
		return false, err
	}
	u, err := s.BeginToken(ctx, key)
	if err != nil {
		return false, err
	}
	defer u.Abort()
	if sound, err := s.sound(key); sound || err != nil { // somebody has been faster
		return false, err
	}
	t, err := u.Current() // waits while another program is writing
	if err != nil {
		return false, err
	}
	written := s.Written(key)
	if err := u.Renewed(t); err != nil {
		return true, err
	}
	if !written.IsZero() { // best effort: the token is as old as it was, and Written tells when it was issued
		_ = os.Chtimes(s.TokenPath(key), written, written)
	}
	return true, nil
}

// sound reports whether every SDK can read the token file of key, as far as its form goes.
func (s *Store) sound(key string) (bool, error) {
	data, err := readFile(s.TokenPath(key))
	if err != nil {
		return false, err
	}
	o, _ := parseObject(data)
	if !json.Valid(data) { // a byte order mark is not, either
		return false, nil
	}
	for _, m := range o {
		switch m.name {
		case fExpiresAt, fRegistration:
			if !readableTime(m.raw) {
				return false, nil
			}
		case fStartURL, fRegion, fAccessToken, fClientID, fClientSecret, fRefreshToken:
			if !bytes.HasPrefix(m.raw, []byte{'"'}) {
				return false, nil
			}
		}
	}
	return true, nil
}

// readableTime reports whether every SDK can read the JSON value raw as a time: UTC with a literal Z, fractions
// allowed.
func readableTime(raw []byte) bool {
	_, err := time.Parse(`"2006-01-02T15:04:05Z"`, string(raw))
	return err == nil
}
