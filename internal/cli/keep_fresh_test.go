package cli

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/cmd/credentials"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/store"
)

// Cached role credentials are answered beside a network that is mute, and a legacy token that is due costs one caller
// a moment. The others of that minute do not even look at the network.
func TestFreshenOnAMuteNetwork(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	asked := make(chan net.Conn, 64)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			asked <- c // and no word of TLS
		}
	}()
	t.Cleanup(func() {
		for len(asked) > 0 {
			_ = (<-asked).Close()
		}
	})
	env := quickHome(t)
	token := fmt.Sprintf(
		`{"startUrl": "https://d-9067f00d42.awsapps.com/start", "region": "us-east-1", "accessToken": "a", "expiresAt": %q,`+
			` "refreshToken": "r", "clientId": "c", "clientSecret": "s", "registrationExpiresAt": %q}`,
		stampOf(10*time.Minute),
		stampOf(24*time.Hour),
	)
	e, _, _ := env()
	path := (&store.Store{AWSDir: filepath.Join(e.Home, ".aws")}).TokenPath("https://d-9067f00d42.awsapps.com/start")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		at     time.Duration
		waits  bool
		reason string
	}{
		{0, true, "the first tries"},
		{0, false, "the next does not"},
		{59 * time.Second, false, "nor in the same minute"},
		{61 * time.Second, true, "later it is tried again"},
	} {
		e, out, errs := env("credentials", "--profile", "legacy")
		e.Now = func() time.Time { return quickNow.Add(tt.at) }
		e.Transport = &http.Transport{DialContext: (&onlyTo{l.Addr().String()}).dial}
		start := time.Now()
		code, done := credentials.Quick(app.New(e))
		if done == tt.waits {
			t.Errorf("%s: answered the short way: %v", tt.reason, done)
		}
		if !done {
			code = run(t.Context(), e)
		}
		if code != 0 || !strings.Contains(out.String(), "ASIALEGACY") || errs.Len() > 0 {
			t.Errorf("%s: %d %s %s", tt.reason, code, out, errs)
		}
		// With 5 s more if the request counts as sent.
		if took := time.Since(start); took > connect.FreshenWait+3*time.Second {
			t.Errorf("%s: it took %v", tt.reason, took)
		}
		if got := len(asked) > 0; got != tt.waits {
			t.Errorf("%s: the network was asked: %v", tt.reason, got)
		}
		for len(asked) > 0 {
			_ = (<-asked).Close()
		}
	}
}
