package callback

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/homing-cli/homing/internal/fault"
)

const (
	deliverTries  = 5 // a flood of forged requests may push a connection out
	deliverWait   = 100 * time.Millisecond
	deliverAnswer = 64 << 10 // bytes of an answer
)

// Deliver hands a redirect to the login that waits for it, which has announced itself in dir, and returns what became
// of it. The text is read as Parse does. Nil is a completed sign-in. Errors are *fault.Error: Usage when the text is
// no redirect, SignInNeeded when nobody waits for its state, and otherwise the login's own, with its words. It waits
// for the outcome as long as a browser is let wait, about three minutes.
//
// Nothing is sent before the other side has shown that it knows the state: another program may have the port by now.
// No proxy is used and no redirect followed.
func Deliver(ctx context.Context, dir, text string) error { return deliver(ctx, dir, text, usual) }

func deliver(ctx context.Context, dir, text string, b bounds) error {
	state, r, err := Parse(text)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, b.hold+b.read+b.write, errUndecided)
	defer cancel()
	var last error
	for try := range deliverTries {
		if try > 0 {
			select {
			case <-time.After(deliverWait << (try - 1)):
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return stopped(ctx)
		}
		port, err := announced(dir, state)
		if err != nil {
			return nobody(err, try > 0)
		}
		o, err := hand(ctx, port, state, r, b)
		var f *fault.Error
		switch {
		case err == nil:
			return o.err()
		case ctx.Err() != nil:
			return stopped(ctx)
		case errors.As(err, &f):
			return err
		}
		last = err
	}
	return &fault.Error{
		Kind: fault.SignInNeeded, Msg: "the login that waits for this redirect does not answer here",
		Remedy: pasteOrStart, Err: last,
	}
}

// What helps whoever has a redirect that no login takes.
var (
	startAgain   = fault.Preface{Words: "start it again, such as:", Then: fault.Login{}}
	pasteOrStart = fault.Preface{
		Words: "paste the address into the terminal of that login, or start it again:", Then: fault.Login{},
	}
)

// nobody says that no login waits. One that did a moment ago has ended without a word.
func nobody(err error, before bool) error {
	msg := "no login waits for this redirect"
	if before {
		msg = "the login that waited for this redirect has ended"
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return &fault.Error{Kind: fault.SignInNeeded, Msg: msg + " that could be asked", Remedy: pasteOrStart, Err: err}
	}
	remedy := fault.Preface{Words: "start it again and use its new address, such as:", Then: fault.Login{}}
	return &fault.Error{Kind: fault.SignInNeeded, Msg: msg, Remedy: remedy, Err: err}
}

// stopped returns the error for a context that ended.
func stopped(ctx context.Context) error {
	return fault.Stopped(ctx, "the time allowed for the hand-over has passed",
		fault.Advice("see what the terminal of the login says"))
}

// hand speaks to the listener on port, over one connection: who answers the challenge gets the redirect, and nobody
// else can. Errors that are no *fault.Error may pass.
func hand(ctx context.Context, port int, state string, r Redirect, b bounds) (outcome, error) {
	dialer := net.Dialer{Timeout: b.write}
	conn, err := dialer.DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return outcome{}, err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	in := bufio.NewReader(io.LimitReader(conn, deliverAnswer))

	var random [32]byte
	_, _ = rand.Read(random[:]) // it never fails
	challenge := hex.EncodeToString(random[:])
	_ = conn.SetDeadline(time.Now().Add(b.read + b.write))
	o, status, err := ask(conn, in, port, "", challenge)
	switch {
	case err != nil:
		return outcome{}, err
	case status != http.StatusOK || subtle.ConstantTimeCompare([]byte(o.Proof), []byte(proof(state, port,
		challenge))) != 1:
		return outcome{}, fault.New(
			fault.SignInNeeded,
			"paste the address into the terminal of that login",
			"port %d on 127.0.0.1 is not the login that waits for this redirect: it may run in another container "+
				"or on another machine",
			port,
		)
	}

	query := url.Values{"state": {state}}
	if r.Error == "" {
		query.Set("code", r.Code.Reveal())
	} else {
		query.Set("error", r.Error)
		query.Set("error_description", r.Description)
	}
	_ = conn.SetDeadline(time.Time{}) // the outcome takes its time; the context ends
	o, status, err = ask(conn, in, port, query.Encode(), "")
	if err == nil && status == http.StatusBadRequest {
		return outcome{}, fault.New(fault.SignInNeeded, "see what the terminal of that login says",
			"the login has had another redirect already")
	}
	return o, err
}

// ask sends one request and reads its answer.
func ask(conn io.Writer, in *bufio.Reader, port int, query, challenge string) (outcome, int, error) {
	host := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	req := &http.Request{
		Method: http.MethodGet, Host: host, URL: &url.URL{Scheme: "http", Host: host, Path: Path, RawQuery: query},
		Header: http.Header{handedHeader: {"1"}},
	}
	if challenge != "" {
		req.Header.Set(challengeHeader, challenge)
	}
	if err := req.Write(conn); err != nil {
		return outcome{}, 0, errLost // the cause may quote the request
	}
	resp, err := http.ReadResponse(in, req)
	if err != nil {
		return outcome{}, 0, errLost
	}
	defer func() { _ = resp.Body.Close() }()
	var o outcome
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return outcome{}, 0, errLost
	}
	if resp.Header.Get("Content-Type") == "application/json" {
		_ = json.Unmarshal(text, &o) // what cannot be read proves nothing and completes nothing
	}
	return o, resp.StatusCode, nil
}

var errLost = errors.New("the connection to the login was lost")
