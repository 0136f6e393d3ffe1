package ui

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// Every error prints as one sentence and one hint, whatever it contains.
func TestFail(t *testing.T) {
	for _, tt := range []struct {
		err  error
		code int
		want string
	}{
		{fault.New(fault.SignInNeeded, "run: homing login", "session %q expired", "dev"), 4,
			"homing: session \"dev\" expired\nhint: run: homing login\n"},
		{fault.New(fault.Unavailable, "wait\x07", "proxy says:\r\n\x1b]0;title\x07no\u202e"), 6,
			"homing: proxy says: no\nhint: wait\n"},
		{fmt.Errorf("read: %w", fault.New(fault.Config, "look", "x")), 3, "homing: read: x\nhint: look\n"},
		{&fs.PathError{Op: "write", Path: "/dev/stdout", Err: errors.New("no space left on device")}, 3,
			"homing: the answer cannot be written: no space left on device\nhint: write it to another place\n"},
		{errors.New("odd"), 1,
			"homing: odd\nhint: this should not happen: run it again with --debug and report what it prints at " +
				IssuesURL + "\n"},
	} {
		var out bytes.Buffer
		u := &UI{Out: io.Discard, Err: &out}
		if code := u.Fail(tt.err); code != tt.code || out.String() != tt.want {
			t.Errorf("exit %d, printed:\n%s\nwant %d:\n%s", code, out.String(), tt.code, tt.want)
		}
	}
}

func TestSecretsStayHidden(t *testing.T) {
	var out bytes.Buffer
	u := &UI{Out: &out, Err: &out, Debugging: true}
	secret := session.NewSecret("s3cr3t")
	u.Say("%s %v\n", secret, session.Token{AccessToken: secret})
	u.Debug("%v", secret)
	u.Logger().Debug("x", "token", secret)
	if strings.Contains(out.String(), "s3cr3t") || out.Len() == 0 {
		t.Errorf("printed:\n%s", out.String())
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 59 * time.Second: "59 s", 59*time.Minute + 29*time.Second: "59 min", time.Hour - time.Second: "1 h",
		7*time.Hour + 59*time.Minute:  "7 h 59 min",
		47*time.Hour + 59*time.Minute: "47 h 59 min", 48 * time.Hour: "2 days",
		90*24*time.Hour - time.Minute: "90 days",
	} {
		if got := Span(d); got != want {
			t.Errorf("Span(%s) = %q, want %q", d, got, want)
		}
	}
}
