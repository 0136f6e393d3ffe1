package logout

import (
	"io"
	"os"
	"testing"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/session"
)

// What cannot be removed is told apart from what the service was not told of.
func TestLogoutWhereNothingCanBeRemoved(t *testing.T) {
	t.Parallel()
	l := &logout{App: app.New(app.Env{Stdout: io.Discard, Stderr: io.Discard})}
	s := session.Session{Name: "dev", StartURL: "https://d-1234567890.awsapps.com/start"}
	l.report(loggedOut{SignedIn: true, EndedAtService: true}, s, s.InWords(), nil, os.ErrPermission, nil)
	if want := `signed out of session "dev" at the service, but not here: permission denied`; l.failed == nil || l.failed.Error() != want {
		t.Errorf("%v, want %s", l.failed, want)
	}
	if d := l.doc.Sessions; len(d) != 1 || d[0].Removed || !d[0].EndedAtService || d[0].Error == "" {
		t.Errorf("%+v", d)
	}
}
