package status

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/connect"
)

// render renders sessions on a terminal of the given width; 0 is no terminal.
func render(t *testing.T, width int, rows ...sessionStatus) (stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	terminal := app.Terminal{Stdout: width > 0, Stderr: width > 0, Width: width}
	a := app.New(app.Env{Stdout: &out, Stderr: &err, Terminal: terminal})
	if e := (&text{app: a, now: time.Unix(0, 0)}).render(document{Sessions: rows}); e != nil {
		t.Fatal(e)
	}
	return out.String(), err.String()
}

// The table fits 80 columns even with the widest usual cells. On a narrower terminal, each session is shown in full.
func TestRenderFitsTerminal(t *testing.T) {
	t.Parallel()
	rows := []sessionStatus{
		{
			Session: "https://d-9067f00d42.awsapps.com/start", Legacy: true,
			StartURL: "https://d-9067f00d42.awsapps.com/start",
			State:    stateForeign, NextUse: nextSignIn, SignIn: "homing login",
		},
		{
			Session: "dev", State: stateExpired, Refreshable: true, NextUse: nextRenew,
			expires: time.Unix(0, 0).Add(-23*time.Hour - 59*time.Minute),
		},
		{
			Session: "prod", State: stateValid, NextUse: nextUse,
			expires: time.Unix(0, 0).Add(7*time.Hour + 59*time.Minute),
		},
	}
	for _, width := range []int{0, 80, 200} {
		stdout, _ := render(t, width, rows...)
		lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
		if len(lines) != 4 || !strings.HasPrefix(lines[0], "SESSION ") {
			t.Errorf("no table on %d columns:\n%s", width, stdout)
		}
		for _, line := range lines {
			if len(line) > 80 {
				t.Errorf("%d columns: %s", len(line), line)
			}
		}
	}
	stdout, _ := render(t, 60, rows...)
	for _, want := range []string{
		"Legacy profiles of https://d-9067f00d42.awsapps.com/start\n",
		"\n\nSession dev\n",
		"  next use:  renewed without a browser\n",
	} {
		if !strings.Contains(stdout, want) || strings.Contains(stdout, "SESSION") {
			t.Errorf("on 60 columns %q is missing:\n%s", want, stdout)
		}
	}
}

// Text from a file or from the service cannot move the cursor.
func TestRenderCleansText(t *testing.T) {
	t.Parallel()
	bad := "x\x1b[2J\ny"
	row := sessionStatus{
		Session: bad, StartURL: bad, Region: bad, State: stateValid, NextUse: nextUse,
		Client: "other", ClientName: bad, Profiles: []string{bad},
		File: bad, Refused: bad, SignIn: bad, Verified: &connect.Verification{Error: bad},
	}
	one, _ := render(t, 80, row)
	row.NextUse, row.Short, row.Upgrade = nextSignIn, 60, bad
	several, advice := render(t, 80, row, row)
	for _, text := range []string{one, several, advice} {
		if text == "" || strings.Contains(text, "\x1b") || strings.Contains(text, "x\ny") {
			t.Errorf("%q", text)
		}
	}
}
