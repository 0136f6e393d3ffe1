package profiles

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/ui"
)

const (
	// teamSize bounds a team's file: some thousand patterns fit.
	teamSize = 256 << 10
	// teamTimeout bounds the whole download, slow links included.
	teamTimeout = 20 * time.Second
	// teamRedirects covers a file that moved, and code hosts that serve raw files from another host.
	teamRedirects = 5
)

// readTeam returns the text of the file that --from names: a path or an address. It asks only https addresses and,
// for tests, this machine: whoever can change the file in transit chooses which account a profile name stands for.
// The request carries nothing that identifies the person. name is what messages call the file.
func readTeam(ctx context.Context, a *app.App, from string) (name string, text []byte, err error) {
	if scheme, _, ok := strings.Cut(from, "://"); ok {
		return fetchTeam(ctx, a, from, strings.ToLower(scheme))
	}
	type answer struct {
		text []byte
		err  error
	}
	read := make(chan answer, 1)
	go func() { // opening or reading a pipe blocks until something writes to it, and cannot be cancelled
		text, err := readFile(from)
		read <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", nil, &fault.Error{Kind: fault.Interrupted, Msg: "interrupted", Err: context.Cause(ctx)}
	case got := <-read:
		if got.err == nil {
			return from, got.text, nil
		}
		hint := "give a file of settings for profiles"
		if p, ok := errors.AsType[*fs.PathError](got.err); ok {
			got.err = p.Err // the message names the path already
			if p.Op == "open" {
				hint = "give the path of a file, or an address: --from https://…"
			}
		}
		return "", nil, teamFault(fault.Config, from, hint, got.err)
	}
}

// readFile reads a team's file.
func readFile(path string) (text []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return readBounded(f)
}

// readBounded reads all of r, and refuses more than teamSize.
func readBounded(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, teamSize+1))
	if err != nil {
		return nil, err
	}
	if len(text) > teamSize {
		return nil, fmt.Errorf("it is longer than %d KiB", teamSize>>10)
	}
	return text, nil
}

const fetchYourself = "try again, or fetch the file yourself, then: --from FILE"

// teamFault is the error for a file that cannot be read.
func teamFault(kind fault.Kind, from, hint string, err error) error {
	return &fault.Error{
		Kind:   kind,
		Msg:    fmt.Sprintf("cannot read --from %q: %v", from, err),
		Remedy: fault.Advice(hint),
		Err:    err,
	}
}

// fetchTeam is readTeam for an address.
func fetchTeam(ctx context.Context, a *app.App, from, scheme string) (string, []byte, error) {
	at, err := url.Parse(from)
	const hint = "give an address such as: --from https://example.com/team.toml"
	switch {
	case err != nil || at.Host == "":
		return "", nil, fault.New(fault.Usage, hint, "--from %q is not an address", from)
	case scheme != "https" && scheme != "http":
		return "", nil, fault.New(fault.Usage, hint, "--from %q is not an https address", from)
	case at.User != nil:
		return "", nil, fault.New(fault.Usage, "fetch the file yourself, then: --from FILE",
			"--from %q: an address must not contain a user name or a password", at.Redacted())
	case !trusted(at):
		return "", nil, fault.New(fault.Usage, hint, "--from %q: over http anybody on the way could change the file",
			from)
	}
	shared, err := connect.HTTPClient(a)
	if err != nil {
		return "", nil, err
	}
	client := http.Client{Transport: shared.Transport, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		switch {
		case len(via) > teamRedirects:
			return errors.New("too many redirects")
		case r.URL.Scheme != "https" && (!trusted(r.URL) || at.Scheme != "http"):
			return fmt.Errorf("it redirects to %q, which is not an https address", r.URL.Redacted())
		}
		r.Header.Del("Referer") // Go drops it only from https to http
		return nil
	}}
	ctx, cancel := context.WithTimeout(ctx, teamTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return "", nil, fault.New(fault.Usage, hint, "--from %q is not an address", from)
	}
	req.Header.Set("User-Agent", "homing/"+app.Version())
	resp, err := client.Do(req)
	if err != nil {
		return "", nil, teamFault(fault.Unavailable, from, fetchYourself, shortReason(err))
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		kind := fault.Config
		if resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests {
			kind = fault.Unavailable
		}
		return "", nil, teamFault(kind, from,
			"open the address in a browser; if the file needs a sign-in, fetch it yourself, then: --from FILE",
			fmt.Errorf("the server answers %d %s", resp.StatusCode, http.StatusText(resp.StatusCode)))
	}
	text, err := readBounded(resp.Body)
	if err != nil {
		return "", nil, teamFault(fault.Unavailable, from, fetchYourself, shortReason(err))
	}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("<")) {
		return "", nil, teamFault(fault.Config, from, "give the address of the raw file",
			errors.New("the answer is a web page, not a TOML file"))
	}
	return from, text, nil
}

// trusted reports whether settings may come from an address: https, or this machine.
func trusted(u *url.URL) bool {
	if u.Scheme == "https" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (ip != nil && ip.IsLoopback() || u.Hostname() == "localhost")
}

// shortReason drops the address from an error of net/http: the message names it already.
func shortReason(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s", ui.Span(teamTimeout))
	}
	if outer, ok := errors.AsType[*url.Error](err); ok {
		return outer.Err
	}
	return err
}
