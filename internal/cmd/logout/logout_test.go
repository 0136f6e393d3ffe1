package logout

import (
	"io"
	"os"
	"testing"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/session"
)

// A token that cannot be removed is reported as such, and not as a session that the service did not end.
func TestReportTokenNotRemoved(t *testing.T) {
	t.Parallel()
	l := &logout{app: app.New(app.Env{Stdout: io.Discard, Stderr: io.Discard})}
	s := session.Session{Name: "dev", StartURL: "https://d-1234567890.awsapps.com/start"}
	l.report(endedSession{SignedIn: true, EndedAtService: true}, s, s.InWords(), failures{token: os.ErrPermission})
	const want = `signed out of session "dev" at the service, but not here: permission denied`
	if l.failed == nil || l.failed.Error() != want {
		t.Errorf("%v, want %s", l.failed, want)
	}
	if d := l.doc.Sessions; len(d) != 1 || d[0].Removed || !d[0].EndedAtService || d[0].Error == "" {
		t.Errorf("%+v", d)
	}
}
