package fault

import (
	"fmt"
	"io/fs"
	"testing"
)

func TestKindAndHintSurviveWrapping(t *testing.T) {
	cause := &Error{Kind: Config, Msg: "inner", Hint: "inner hint", Err: fs.ErrNotExist}
	for _, tt := range []struct {
		name string
		err  error
		kind Kind
		exit int
		hint string
	}{
		{"plain error is a bug", fs.ErrNotExist, Bug, 1, ""},
		{"direct", cause, Config, 3, "inner hint"},
		{"wrapped with a fact", fmt.Errorf("read %q: %w", "x", cause), Config, 3, "inner hint"},
		{"outer kind wins, first hint found", &Error{Kind: SignInNeeded, Msg: "outer", Err: cause}, SignInNeeded, 4, "inner hint"},
		{"outer hint wins", &Error{Kind: Denied, Msg: "outer", Hint: "outer hint", Err: cause}, Denied, 5, "outer hint"},
		{"interrupted", New(Interrupted, "", "stopped"), Interrupted, 130, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := KindOf(tt.err); got != tt.kind || got.ExitCode() != tt.exit {
				t.Errorf("KindOf = %v (exit %d), want %v (exit %d)", got, got.ExitCode(), tt.kind, tt.exit)
			}
			if got := HintOf(tt.err); got != tt.hint {
				t.Errorf("HintOf = %q, want %q", got, tt.hint)
			}
		})
	}
}
