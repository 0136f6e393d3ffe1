package session

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSecretNeverPrints(t *testing.T) {
	const value = "s3cr3t-value"
	type hidden struct {
		Exported   Secret
		unexported Secret
		pointer    *Secret
	}
	s := NewSecret(value)
	h := hidden{s, s, &s}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p"} {
		fmt.Fprintf(&out, verb+verb, s, h)
	}
	b, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "secret", s, "struct", h)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "secret", s, "struct", h)
	hex := fmt.Sprintf("%x", value)
	for _, leak := range []string{value, hex, strings.ToUpper(hex)} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("%q appears in output:\n%s", leak, out.String())
		}
	}
	if s.Reveal() != value || s.IsZero() || !(Secret{}).IsZero() || !NewSecret("").IsZero() {
		t.Error("Reveal or IsZero is wrong")
	}
	if !s.Equal(NewSecret(value)) || s.Equal(NewSecret("other")) || !(Secret{}).Equal(NewSecret("")) {
		t.Error("Equal is wrong")
	}
}

func TestScopesAndKey(t *testing.T) {
	for _, tt := range []struct {
		s      Session
		key    string
		scopes []string
	}{
		{Session{Name: "dev", StartURL: "u"}, "dev", []string{DefaultScope}},
		{Session{Name: "dev", Scopes: []string{"a", "b"}}, "dev", []string{"a", "b"}},
		{Session{StartURL: "https://x/start#", Scopes: []string{"ignored"}}, "https://x/start#", nil},
		{Session{StartURL: "https://x", Scopes: []string{"ignored"}, KeepFresh: true}, "https://x", []string{DefaultScope}},
		{Session{Name: "dev", Scopes: []string{"a"}, KeepFresh: true}, "dev", []string{"a"}},
	} {
		if got := tt.s.CacheKey(); got != tt.key {
			t.Errorf("CacheKey = %q, want %q", got, tt.key)
		}
		if got := tt.s.RegistrationScopes(); !slices.Equal(got, tt.scopes) {
			t.Errorf("RegistrationScopes(%v) = %v, want %v", tt.s, got, tt.scopes)
		}
	}
}

func TestTokenState(t *testing.T) {
	now := time.Date(2026, 3, 2, 16, 0, 0, 0, time.UTC)
	full := Token{
		ExpiresAt: now, RefreshToken: NewSecret("r"), ClientID: "c", ClientSecret: NewSecret("s"),
		RegistrationExpiresAt: now.Add(time.Second),
	}
	if !full.Expired(now) || full.Expired(now.Add(-time.Nanosecond)) {
		t.Error("a token is expired from ExpiresAt on, and not before")
	}
	if !full.Renewable(now) {
		t.Error("a complete token must be renewable")
	}
	for name, spoil := range map[string]func(*Token){
		"refresh token":         func(t *Token) { t.RefreshToken = Secret{} },
		"client id":             func(t *Token) { t.ClientID = "" },
		"client secret":         func(t *Token) { t.ClientSecret = Secret{} },
		"registration expiry":   func(t *Token) { t.RegistrationExpiresAt = time.Time{} },
		"registration over now": func(t *Token) { t.RegistrationExpiresAt = now },
	} {
		tok := full
		spoil(&tok)
		if tok.Renewable(now) {
			t.Errorf("renewable without %s", name)
		}
	}
}
