package callback

import (
	"net/url"

	"github.com/homing-cli/homing/internal/session"
)

// maxValue bounds a code and a state. The service's codes are tokens of a kilobyte or two.
const maxValue = 16 << 10

// Redirect is what the browser brought back. Either Code or Error is set.
type Redirect struct {
	Code session.Secret
	// The OAuth error code, such as "access_denied"; from a stranger who knew the state: print it with care.
	Error       string
	Description string // error_description, may be empty
	Handed      bool   // it came by Deliver, not by a browser
	Swapped     bool   // the browser was at another host than 127.0.0.1, where the redirect went: somebody put it there
}

// redirectIn reads the query of a redirect: one state, and one code or one error.
func redirectIn(query url.Values) (state string, r Redirect, ok bool) {
	states, code, failure := query["state"], query["code"], query["error"]
	if len(states) != 1 || states[0] == "" || len(states[0]) > maxValue {
		return "", Redirect{}, false
	}
	switch {
	case len(code) == 1 && len(failure) == 0 && code[0] != "" && len(code[0]) <= maxValue:
		return states[0], Redirect{Code: session.NewSecret(code[0])}, true
	case len(code) == 0 && len(failure) == 1 && failure[0] != "":
		return states[0], Redirect{Error: failure[0], Description: query.Get("error_description")}, true
	}
	return "", Redirect{}, false
}
