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
	// teamPatience is how long a server may take for it: a slow link, or one that is not there.
	teamPatience = 20 * time.Second
	// teamRedirects is what a file that moved may take, as for a code host that hands out from another.
	teamRedirects = 5
)

// readTeam returns the text of what --from names: a path, or an address. Only https is asked, and this machine itself,
// for tests: who could change the file on its way would choose which accounts a name stands for. Nothing that
// identifies the person goes along. name is what to call it in a message.
func readTeam(ctx context.Context, a *app.App, from string) (name string, text []byte, err error) {
	if scheme, _, ok := strings.Cut(from, "://"); ok {
		return fetchTeam(ctx, a, from, strings.ToLower(scheme))
	}
	type answer struct {
		text []byte
		err  error
	}
	read := make(chan answer, 1)
	go func() { // to open a pipe is to wait for who writes it, and to read one, too; nothing but the end of the program ends that
		text, err := readWhole(from)
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
			got.err = p.Err // the path is named already
			if p.Op == "open" {
				hint = "give the path of a file, or an address: --from https://…"
			}
		}
		return "", nil, teamFault(fault.Config, from, hint, got.err)
	}
}

// readWhole reads a team's file.
func readWhole(path string) (text []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return bounded(f)
}

// bounded reads all of r, and refuses what is too long to be a team's file.
func bounded(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, teamSize+1))
	if err != nil {
		return nil, err
	}
	if len(text) > teamSize {
		return nil, fmt.Errorf("it is longer than %d KiB", teamSize>>10)
	}
	return text, nil
}

func teamFault(kind fault.Kind, from, hint string, err error) error {
	return &fault.Error{Kind: kind, Msg: fmt.Sprintf("cannot read --from %q: %v", from, err), Remedy: fault.Advice(hint), Err: err}
}

func fetchTeam(ctx context.Context, a *app.App, from, scheme string) (string, []byte, error) {
	at, err := url.Parse(from)
	const hint = "give an address such as: --from https://example.com/team.toml"
	switch {
	case err != nil || at.Host == "":
		return "", nil, fault.New(fault.Usage, hint, "--from %q is not an address", from)
	case scheme != "https" && scheme != "http":
		return "", nil, fault.New(fault.Usage, hint, "--from %q: only https is asked", from)
	case at.User != nil:
		return "", nil, fault.New(fault.Usage, "fetch the file yourself, then: --from FILE", "--from %q: an address with a name or password in it is not asked",
			at.Redacted())
	case !mayAsk(at):
		return "", nil, fault.New(fault.Usage, hint, "--from %q: over http anybody on the way could change the file", from)
	}
	shared, err := connect.HTTPClient(a, a.Settings())
	if err != nil {
		return "", nil, err
	}
	client := http.Client{Transport: shared.Transport, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		switch {
		case len(via) > teamRedirects:
			return errors.New("it redirects without end")
		case r.URL.Scheme != "https" && (!mayAsk(r.URL) || at.Scheme != "http"):
			return fmt.Errorf("it redirects to %q, and only https is asked", r.URL.Redacted())
		}
		r.Header.Del("Referer") // Go leaves it out on the way from https to http only
		return nil
	}}
	ctx, cancel := context.WithTimeout(ctx, teamPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return "", nil, fault.New(fault.Usage, hint, "--from %q is not an address", from)
	}
	req.Header.Set("User-Agent", "homing/"+app.Version())
	resp, err := client.Do(req)
	if err != nil {
		return "", nil, teamFault(fault.Unavailable, from, "try again, or fetch the file yourself, then: --from FILE", reasonOf(err))
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		kind := fault.Config
		if resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests {
			kind = fault.Unavailable
		}
		return "", nil, teamFault(kind, from, "look at the address in a browser; a file that needs a sign-in, fetch yourself, then: --from FILE",
			fmt.Errorf("the server answers %d %s", resp.StatusCode, http.StatusText(resp.StatusCode)))
	}
	text, err := bounded(resp.Body)
	if err != nil {
		return "", nil, teamFault(fault.Unavailable, from, "try again, or fetch the file yourself, then: --from FILE", reasonOf(err))
	}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("<")) {
		return "", nil, teamFault(fault.Config, from, "give the address of the file itself, often called raw",
			errors.New("the answer is a web page, not a TOML file"))
	}
	return from, text, nil
}

// mayAsk reports whether an address is safe to take settings from: https, or this machine.
func mayAsk(u *url.URL) bool {
	if u.Scheme == "https" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (ip != nil && ip.IsLoopback() || u.Hostname() == "localhost")
}

// reasonOf leaves the address out of what net/http says: it was named already.
func reasonOf(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s", ui.Span(teamPatience))
	}
	if outer, ok := errors.AsType[*url.Error](err); ok {
		return outer.Err
	}
	return err
}
