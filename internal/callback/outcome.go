package callback

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/plain"
)

// What Deliver and a listener say to each other, on one connection: a challenge, which only the login that drew the
// state can answer; then the redirect, answered with the outcome. Both are GET requests for Path with handedHeader.
const (
	handedHeader    = "Homing-Callback"  // "1"
	challengeHeader = "Homing-Challenge" // random text
	maxChallenge    = 128
)

// handed reports whether a request comes from Deliver. No web page can send such a header here without asking first
// (CORS), which is refused; a browser's own headers beside it make it a stranger's.
func handed(r *http.Request) bool {
	if r.Header.Get(handedHeader) != "1" || r.Header.Get("Origin") != "" {
		return false
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "Sec-Fetch-") {
			return false
		}
	}
	return true
}

// outcome is the JSON of an answer.
type outcome struct {
	Proof     string `json:"proof,omitempty"` // to a challenge
	Completed bool   `json:"completed"`
	Kind      string `json:"kind,omitempty"` // a fault.Kind's name when it was not completed
	Message   string `json:"message,omitempty"`
	Hint      string `json:"hint,omitempty"` // as the login's terminal says it
}

// errUndecided is what a redirect is answered with when the login has not finished in time.
var errUndecided = fault.New(fault.TimedOut, "see what its terminal says",
	"the sign-in has this redirect and has not finished yet")

func (l *Listener) failed(err error) outcome {
	words, command := l.inWords(fault.RemedyOf(err))
	return outcome{
		Kind:    fault.KindOf(err).String(),
		Message: err.Error(),
		Hint:    strings.TrimSpace(words + " " + command),
	}
}

// err is the outcome as the login's terminal says it.
func (o outcome) err() error {
	if o.Completed {
		return nil
	}
	kind := fault.Unavailable
	for k := fault.Bug; k <= fault.Interrupted; k++ {
		if k.String() == o.Kind {
			kind = k
		}
	}
	if kind == fault.Interrupted { // the login was, not whoever hands over
		return fault.Suggest(fault.SignInNeeded, startAgain, "the sign-in was interrupted in its own terminal")
	}
	msg := plain.Line(o.Message, 600)
	if msg == "" {
		msg = "the sign-in did not succeed"
	}
	return fault.New(kind, plain.Line(o.Hint, 300), "%s", msg)
}

// prove answers a challenge. A stranger learns nothing from it: the state has 122 random bits.
func (l *Listener) prove(w http.ResponseWriter, challenge string) {
	if len(challenge) > maxChallenge {
		refuse(w)
		return
	}
	header(w)
	w.Header().Del("Connection") // the redirect follows on it
	writeJSON(w, http.StatusOK, outcome{Proof: proof(l.state, l.port, challenge)})
}

// proof binds the port, so that another program cannot pass the challenge on to the login and the answer back.
func proof(state string, port int, challenge string) string {
	mac := hmac.New(sha256.New, []byte(state))
	mac.Write([]byte("homing-callback " + strconv.Itoa(port) + " " + challenge))
	return hex.EncodeToString(mac.Sum(nil))
}

func writeOutcome(w http.ResponseWriter, status int, o outcome) {
	header(w)
	writeJSON(w, status, o)
}

func writeJSON(w http.ResponseWriter, status int, o outcome) {
	body, err := json.Marshal(o)
	if err != nil {
		body = []byte("{}") // strings and a bool cannot fail
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
