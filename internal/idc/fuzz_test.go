package idc

import (
	"net/http"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/plain"
)

// FuzzStartURL holds a start URL against what the rest of the program relies on: a valid one is one visible line
// whose host is https or this machine, a region can stand in a host name, and no error shows control characters.
func FuzzStartURL(f *testing.F) {
	if len(startURLs) == 0 {
		f.Fatal("no seeds found")
	}
	for _, s := range startURLs {
		f.Add(s.url)
	}
	f.Add("https://x.\x1b[2J.portal.us-east-1.app.aws")
	f.Fuzz(func(t *testing.T, s string) {
		if region := RegionOf(s); region != "" {
			if _, _, err := (Endpoints{}).URLs(region); err != nil {
				t.Errorf("region %q of %q has no endpoints: %v", region, s, err)
			}
			if !AWSHost(s) {
				t.Errorf("%q names a region and is not AWS's", s)
			}
		}
		err := ValidStartURL(s)
		if err == nil {
			if !plain.IsLine(s) || hostOf(s) == "" && !strings.HasPrefix(s, "https://.") {
				t.Errorf("%q is valid", s)
			}
			return
		}
		if fault.KindOf(err) != fault.Config || !plain.IsLine(err.Error()) {
			t.Errorf("error for %q: %q", s, err)
		}
	})
}

// FuzzAnswer feeds any status, type and body to a call. Whatever comes, it must not panic, and what it says must be
// one visible line without our secrets.
func FuzzAnswer(f *testing.F) {
	f.Add(200, "application/json", "", `{"accessToken":"a","expiresIn":1,"refreshToken":null}`)
	f.Add(
		400,
		"application/json",
		"InvalidGrantException:http://internal.amazon.com/",
		`{"error":"invalid_grant","error_description":"\u001b[2J","reason":null}`,
	)
	f.Add(
		401,
		"application/json",
		"",
		`{"message":"m","__type":"com.amazonaws.switchboard.portal#UnauthorizedException"}`,
	)
	f.Add(502, "text/html", "", "<html>")
	f.Add(429, "", "", "")
	f.Add(400, "application/json", "#:#", `{"error":{"a":[null]},"error_description":12,"__type":[]}`)
	f.Fuzz(func(t *testing.T, status int, contentType, errorType, body string) {
		if status < 100 || status > 999 {
			return
		}
		a := answer{
			status: status,
			body:   body,
			header: map[string]string{"Content-Type": contentType, "X-Amzn-ErrorType": errorType},
		}
		for _, call := range []func(*Client, *recorded) error{
			func(c *Client, _ *recorded) error { return callRefresh(t.Context(), c) },
			func(c *Client, r *recorded) error { return callOnce(t, c, r) },
		} {
			c, r, _ := newTestClient(a)
			err := call(c, r)
			if err == nil {
				continue
			}
			if k := fault.KindOf(err); k == fault.Bug || CodeOf(err) == "" {
				t.Errorf("kind %v, code %q for %d %q: %v", k, CodeOf(err), status, body, err)
			}
			if text := err.Error(); !plain.IsLine(text) ||
				strings.Contains(text, marker) && !strings.Contains(body, marker) {
				t.Errorf("error = %q", text)
			}
		}
	})
}

// callOnce is a portal call that is over after one attempt.
func callOnce(t *testing.T, c *Client, r *recorded) error {
	k := &call{op: opCredentials, account: "1", role: "r"}
	req, err := http.NewRequestWithContext(
		t.Context(),
		http.MethodGet,
		"https://portal.example/federation/credentials",
		nil,
	)
	if err != nil {
		t.Fatal(err)
	}
	tr := &transmitter{client: clientOf(r)}
	if _, e := tr.exchange(k, req); e != nil {
		return c.explain(k, e)
	}
	return nil
}
