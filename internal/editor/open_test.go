//go:build unix

package editor

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const page = "https://oidc.us-east-1.amazonaws.com/authorize?redirect_uri=http%3A%2F%2F127.0.0.1%3A8400%2Foauth%2Fcallback&state=<s3cret>&x=1"

func TestOpen(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		make func(t *testing.T, dir string) string
		want string // "" nil
	}{
		"at once":   {standing(&stand{}), ""},
		"404":       {standing(&stand{open: code(404)}), "status 404"},
		"500":       {standing(&stand{open: code(500)}), "status 500"},
		"hangs up":  {standing(&stand{open: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }}), "EOF"},
		"stale":     {func(t *testing.T, dir string) string { return stale(t, dir, "x") }, "refused"},
		"missing":   {func(_ *testing.T, dir string) string { return filepath.Join(dir, "x") }, "no such file"},
		"zero":      {func(*testing.T, string) string { return "" }, "no socket"},
		"not taken": {func(t *testing.T, dir string) string { return mute(t, dir, "x") }, ""}, // it waits to be accepted
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begin := time.Now()
			err := Window{Path: tt.make(t, folder(t)), Client: Web}.Open(t.Context(), page)
			if took := time.Since(begin); took > 4*time.Second {
				t.Errorf("it took %v", took)
			}
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error quotes the address: %v", err)
			}
		})
	}
}

// TestOpenWaitsForNobody: the window answers when the person has answered its dialog. Open has returned long before,
// and its context has ended, and still the request stands.
func TestOpenWaitsForNobody(t *testing.T) {
	t.Parallel()
	clicked, gone := make(chan struct{}), make(chan bool, 1)
	s := &stand{open: func(w http.ResponseWriter, r *http.Request) {
		<-clicked
		gone <- r.Context().Err() != nil
		_, _ = w.Write([]byte("null"))
	}}
	w := Window{Path: s.start(t, folder(t), "x"), Client: Desktop}
	ctx, cancel := context.WithCancel(t.Context())
	begin := time.Now()
	if err := w.Open(ctx, page); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took < patience || took > 4*time.Second {
		t.Errorf("it took %v, want about %v", took, patience)
	}
	got := s.messages()
	if len(got) != 1 || got[0].Type != "openExternal" || !slices.Equal(got[0].URIs, []string{page}) {
		t.Fatalf("the window was sent %+v", got)
	}
	cancel()
	select {
	case <-s.end():
		t.Error("the request ended with the context of Open")
	case <-time.After(200 * time.Millisecond):
	}
	close(clicked)
	if <-gone {
		t.Error("the request was taken back before the person answered")
	}
}

func TestOpenEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := &stand{open: hangs}
	path := s.start(t, folder(t), "x")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := (Window{Path: path}).Open(ctx, page); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's end", err)
	}
	<-s.end() // the request was taken back
}

func TestTrusted(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	s := &stand{}
	if err := Trusted(t.Context(), s.start(t, dir, "good")); err != nil {
		t.Error(err)
	}
	if err := Trusted(t.Context(), mute(t, dir, "mute")); err != nil {
		t.Errorf("silence is no reason: %v", err)
	}
	for _, path := range []string{"", "@x", "x", filepath.Join(dir, "missing"), dir, stale(t, dir, "stale")} {
		if Trusted(t.Context(), path) == nil {
			t.Errorf("%q is trusted", path)
		}
	}
	if got := s.messages(); len(got) != 0 {
		t.Errorf("it said %+v", got)
	}
}
