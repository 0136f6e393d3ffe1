package connect

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/homing-cli/homing/internal/app"
)

func TestWarnOnce(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	warn := warnOnce(app.New(app.Env{Stdout: io.Discard, Stderr: &out}))
	for _, text := range []string{"a", "a", "b"} {
		warn(errors.New(text))
	}
	if got := out.String(); got != "warning: a\nwarning: b\n" {
		t.Errorf("%q", got)
	}
}
