package refresh

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

const startURL = "https://d-1234567890.awsapps.com/start"

var (
	dev    = session.Session{Name: "dev", StartURL: startURL, Region: "us-east-1"}
	legacy = session.Session{StartURL: startURL, Region: "us-east-1"}
)

// service is Identity Center's token endpoint as far as a refresh goes: a refresh token works once.
type service struct {
	mu      sync.Mutex
	good    string          // the refresh token it accepts
	slow    time.Duration   // how long an answer takes
	lives   time.Duration   // of an access token; 0 = 1 h
	sticky  bool            // refresh tokens do not change and are not repeated in the answer
	fail    []error         // errors of the next calls, before anything is looked at
	calls   []time.Duration // when it was called, counted from the first call
	first   time.Time
	regions []string
	address string // where it is
}

// Address implements what Renewer.Connect asks for.
func (f *service) Address() string { return f.address }

func (f *service) connect(_ context.Context, s session.Session) (Service, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.regions = append(f.regions, s.Region)
	return f, nil
}

func (f *service) TokenByRefresh(ctx context.Context, clientID string,
	clientSecret, refreshToken session.Secret) (idc.Grant, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.calls) == 0 {
		f.first = time.Now()
	}
	f.calls = append(f.calls, time.Since(f.first))
	n := len(f.calls) + 1
	select {
	case <-ctx.Done():
		return idc.Grant{}, broken(idc.CodeCanceled, fault.Interrupted)
	case <-time.After(f.slow):
	}
	if len(f.fail) > 0 {
		err := f.fail[0]
		f.fail = f.fail[1:]
		if err != nil {
			return idc.Grant{}, err
		}
	}
	if refreshToken.Reveal() != f.good || clientID != "client-1" || clientSecret.Reveal() != "secret-1" {
		return idc.Grant{}, broken(idc.CodeInvalidGrant, fault.SignInNeeded)
	}
	lives := f.lives
	if lives == 0 {
		lives = time.Hour
	}
	g := idc.Grant{AccessToken: session.NewSecret(fmt.Sprint("access-", n)), ExpiresIn: lives}
	if !f.sticky {
		f.good = fmt.Sprint("refresh-", n)
		g.RefreshToken = session.NewSecret(f.good)
	}
	return g, nil
}

// broken is an error as idc makes them.
func broken(code idc.Code, kind fault.Kind) error {
	return &fault.Error{
		Kind:   kind,
		Msg:    "the service says " + string(code),
		Remedy: fault.Advice("advice of idc"),
		Err:    &idc.Error{Op: "CreateToken", Code: code},
	}
}

// dropped is a connection that broke before the answer: worth another try.
type dropped struct{}

func (dropped) Error() string   { return "connection dropped" }
func (dropped) Transient() bool { return true }

func drop() error {
	return &fault.Error{
		Kind:   fault.Unavailable,
		Msg:    "the connection dropped",
		Remedy: fault.Advice("advice of idc"),
		Err:    dropped{},
	}
}

func times(n int, err error) []error {
	list := make([]error, n)
	for i := range list {
		list[i] = err
	}
	return list
}

// token is what a sign-in left, with the given time to live.
func token(left time.Duration) session.Token {
	return session.Token{
		StartURL: startURL, Region: "us-east-1",
		AccessToken: session.NewSecret("access-1"), ExpiresAt: time.Now().Add(left).UTC().Truncate(time.Second),
		RefreshToken: session.NewSecret("refresh-1"), ClientID: "client-1", ClientSecret: session.NewSecret("secret-1"),
		RegistrationExpiresAt: time.Now().Add(90 * 24 * time.Hour).UTC().Truncate(time.Second),
	}
}

func unrenewable(left time.Duration) session.Token {
	t := token(left)
	t.RefreshToken = session.Secret{}
	return t
}

// newRenewer returns a renewer on a cache folder that holds tok for s.
func newRenewer(t *testing.T, f *service, s session.Session, tok session.Token) *Renewer {
	t.Helper()
	st := &store.Store{AWSDir: filepath.Join(t.TempDir(), ".aws")}
	save(t, st, s, tok)
	f.good = "refresh-1"
	return &Renewer{Store: st, Connect: f.connect}
}

func save(t *testing.T, st *store.Store, s session.Session, tok session.Token) {
	t.Helper()
	u, err := st.BeginToken(context.Background(), s.CacheKey())
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(tok); err != nil {
		t.Fatal(err)
	}
}

// stored returns the access and the refresh token in the file.
func stored(t *testing.T, r *Renewer, s session.Session) string {
	t.Helper()
	tok, err := r.Store.Token(s.CacheKey())
	if err != nil {
		t.Fatal(err)
	}
	return tok.AccessToken.Reveal() + " " + tok.RefreshToken.Reveal()
}
