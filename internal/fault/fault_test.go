package fault

import (
	"fmt"
	"io/fs"
	"testing"
)

func TestKindAndRemedySurviveWrapping(t *testing.T) {
	cause := &Error{Kind: Config, Msg: "inner", Remedy: Login{Session: "inner"}, Err: fs.ErrNotExist}
	for _, tt := range []struct {
		name   string
		err    error
		kind   Kind
		exit   int
		remedy Remedy
	}{
		{"plain error is a bug", fs.ErrNotExist, Bug, 1, nil},
		{"direct", cause, Config, 3, Login{Session: "inner"}},
		{"wrapped with a fact", fmt.Errorf("read %q: %w", "x", cause), Config, 3, Login{Session: "inner"}},
		{"outer kind wins, first remedy found", &Error{Kind: SignInNeeded, Msg: "outer", Err: cause}, SignInNeeded, 4, Login{Session: "inner"}},
		{"outer remedy wins", &Error{Kind: Denied, Msg: "outer", Remedy: Advice("outer"), Err: cause}, Denied, 5, Advice("outer")},
		{"interrupted", New(Interrupted, "", "stopped"), Interrupted, 130, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := KindOf(tt.err); got != tt.kind || got.ExitCode() != tt.exit {
				t.Errorf("KindOf = %v (exit %d), want %v (exit %d)", got, got.ExitCode(), tt.kind, tt.exit)
			}
			if got := RemedyOf(tt.err); got != tt.remedy {
				t.Errorf("RemedyOf = %#v, want %#v", got, tt.remedy)
			}
		})
	}
}

func TestWithAction(t *testing.T) {
	check := Preface{Words: "check the region;", Then: Preface{Words: "then", Then: Login{}}}
	if Action(check) != (Login{}) || Action(Advice("wait")) != Advice("wait") || Action(nil) != nil {
		t.Error("the action is not found")
	}
	got := WithAction(check, Login{Session: "dev"})
	if want := (Preface{Words: "check the region;", Then: Preface{Words: "then", Then: Login{Session: "dev"}}}); got != want {
		t.Errorf("got %#v", got)
	}
	if got := WithAction(Login{}, Advice("wait")); got != Advice("wait") {
		t.Errorf("got %#v", got)
	}
}
