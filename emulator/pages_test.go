package emulator

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// nasty is a value that must come out of every page as text.
const nasty = `<script>alert("1")</script> & 'x' {{title}}`

// allPages are all pages in all their states, by the name of their screenshot.
func allPages() map[string]pageView {
	const why = "That did not work."
	return map[string]pageView{
		"sign-in":        signInPage{Action: "/idp", Request: "r", CSRF: "c"},
		"sign-in-error":  signInPage{Action: "/idp", Request: "r", CSRF: "c", UserName: nasty, Error: why},
		"device":         deviceCodePage{Action: "/device", CSRF: "c"},
		"device-prefill": deviceCodePage{Action: "/device", CSRF: "c", UserCode: "BCDF-GHJK"},
		"device-error":   deviceCodePage{Action: "/device", CSRF: "c", UserCode: nasty, Error: why},
		"consent-code": consentPage{Action: "/consent", Request: "r", CSRF: "c", ClientName: "botocore-client-dev",
			Scopes: []string{"sso:account:access"}, UserName: "alex"},
		"consent-device": consentPage{Action: "/consent", Request: "r", CSRF: "c", ClientName: nasty,
			Scopes: []string{"sso:account:access", nasty}, UserName: nasty, UserCode: "BCDF-GHJK"},
		"consent-legacy": consentPage{Action: "/consent", Request: "r", CSRF: "c", ClientName: "botocore-client-1",
			UserCode: "BCDF-GHJK"},
		"approved":        approvedPage{},
		"approved-client": approvedPage{ClientName: nasty},
		"denied":          deniedPage{},
		"denied-client":   deniedPage{ClientName: nasty},
		"error":           errorPage{Message: nasty},
		"error-own":       errorPage{Title: nasty, Message: why, Hint: nasty},
		"portal":          portalPage{DeviceURL: "/device"},
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	visibleInput := regexp.MustCompile(`<input id="([^"]+)" name="([^"]+)" type="(text|password)"`)
	for name, p := range allPages() {
		t.Run(name, func(t *testing.T) {
			doc := string(p.html())
			for _, want := range []string{"<!doctype html>\n<html lang=\"en\">",
				`<meta name="viewport" content="width=device-width`,
				"homing emulator", "not AWS", "<main>", "</html>"} {
				if name == "sign-in" || name == "sign-in-error" {
					want = strings.Replace(want, "not AWS", "neither a real one nor AWS", 1)
				}
				if !strings.Contains(doc, want) {
					t.Errorf("page lacks %q", want)
				}
			}
			if n := strings.Count(doc, "<h1>"); n != 1 {
				t.Errorf("page has %d h1, want 1", n)
			}
			withoutNasty := strings.ReplaceAll(doc, string(text(nasty)), "")
			if i := strings.Index(withoutNasty, "{{"); i >= 0 {
				t.Errorf("a placeholder was left: %.40s", withoutNasty[i:])
			}
			if strings.Contains(doc, `alert("1")`) || strings.Contains(doc, "<script>alert") {
				t.Error("a value came out as markup")
			}
			if strings.Contains(doc, "{{title}}") != strings.Contains(fmt.Sprintf("%+v", p), "{{title}}") {
				t.Error("a placeholder in a value was expanded")
			}
			for _, foreign := range []string{"http://", "https://", " src=", "url(", "@import", "onclick", "style=\""} {
				if strings.Contains(withoutNasty, foreign) {
					t.Errorf("page holds %q", foreign)
				}
			}
			for _, m := range visibleInput.FindAllStringSubmatch(doc, -1) {
				if !strings.Contains(doc, `<label for="`+m[1]+`">`) {
					t.Errorf("field %q has no label", m[2])
				}
			}
			if n := strings.Count(doc, "<input id="); n != len(visibleInput.FindAllString(doc, -1)) {
				t.Errorf("%d visible fields, but the check knows %d", n, len(visibleInput.FindAllString(doc, -1)))
			}
			if pg := readPage(doc); pg.name == "" || (pg.alert != "") != strings.Contains(doc, `role="alert"`) {
				t.Errorf("a Person reads name %q, alert %q", pg.name, pg.alert)
			}
		})
	}
}

func TestPageHeaders(t *testing.T) {
	t.Parallel()
	for name, p := range allPages() {
		w := httptest.NewRecorder()
		writePage(w, http.StatusTeapot, p)
		if w.Code != http.StatusTeapot || w.Body.String() != string(p.html()) {
			t.Errorf("%s: status %d, body differs %v", name, w.Code, w.Body.String() != string(p.html()))
		}
		for key, want := range map[string]string{
			"Cache-Control": "no-store", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"X-Content-Type-Options": "nosniff", "Content-Type": "text/html; charset=utf-8",
		} {
			if got := w.Header().Get(key); got != want {
				t.Errorf("%s: %s = %q, want %q", name, key, got, want)
			}
		}
		csp := w.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'",
			"base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: CSP lacks %q: %s", name, want, csp)
			}
		}
		if hasScript := strings.Contains(w.Body.String(), "<script>"); hasScript == strings.Contains(csp,
			"script-src 'none'") {
			t.Errorf("%s: script on the page %v, CSP %s", name, hasScript, csp)
		}
	}
}

func TestFormActionNamesOriginsOnly(t *testing.T) {
	t.Parallel()
	p := signInPage{Next: []string{
		"http://127.0.0.1:4000/authentication_result", "http://127.0.0.1:4000/again", "http://[::1]:80/x?y#z", "https://a.test",
		"http://x;script-src *", "javascript:alert(1)", "http://a b/", "/relative", "", "http://ü.test/", "http://*/", "http:opaque",
	}}
	const want = "; form-action 'self' http://127.0.0.1:4000 http://[::1]:80 https://a.test; "
	if csp := contentSecurityPolicy(p); !strings.Contains(csp, want) {
		t.Errorf("CSP %q\nlacks %q", csp, want)
	}
}

func TestNormalizeUserCode(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"BCDF-GHJK": "BCDF-GHJK", "bcdfghjk": "BCDF-GHJK", " bcdf ghjk\n": "BCDF-GHJK", "bcdf–ghjk": "BCDF-GHJK",
		"BCDF-GHJ": "BCDFGHJ", "": "", "-": "", "<b>": "B", "BCDF-GHJKL": "BCDFGHJKL",
	} {
		if got := normalizeUserCode(typed); got != want {
			t.Errorf("normalizeUserCode(%q) = %q, want %q", typed, got, want)
		}
	}
}

// TestContrast computes the contrast of every pair of colours that meet, in both schemes.
func TestContrast(t *testing.T) {
	t.Parallel()
	light, dark, ok := strings.Cut(styleSheet, "@media (prefers-color-scheme: dark)")
	if !ok {
		t.Fatal("no dark scheme found")
	}
	pairs := []struct {
		front, back string
		least       float64
	}{
		{"text", "ground", 4.5}, {"text", "card", 4.5}, {"quiet", "ground", 4.5}, {"quiet", "card", 4.5},
		{"text", "note-ground", 4.5}, {"alert", "alert-ground", 4.5}, {"on-accent", "accent", 4.5},
		{"on-accent", "accent-strong", 4.5},
		{"edge", "card", 3}, {"accent", "card", 3}, {"alert", "card", 3}, {"accent", "ground", 3},
	}
	for scheme, css := range map[string]string{"light": light, "dark": dark} {
		root, idp, ok := strings.Cut(css, ".idp {")
		if !ok {
			t.Fatalf("%s: no .idp colours found", scheme)
		}
		idp, _, _ = strings.Cut(idp, "}")
		colours := parseColours(t, root)
		for look, more := range map[string]map[string][3]float64{"portal": nil, "idp": parseColours(t, idp)} {
			for _, p := range pairs {
				front, back := colours[p.front], colours[p.back]
				if c, ok := more[p.front]; ok {
					front = c
				}
				if c, ok := more[p.back]; ok {
					back = c
				}
				if got := contrast(front, back); got < p.least {
					t.Errorf("%s %s: %s on %s has contrast %.2f, want at least %.1f", scheme, look, p.front, p.back,
						got, p.least)
				}
			}
		}
	}
}

var colourRule = regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`)

func parseColours(t *testing.T, css string) map[string][3]float64 {
	t.Helper()
	out := map[string][3]float64{}
	for _, m := range colourRule.FindAllStringSubmatch(css, -1) {
		n, err := strconv.ParseUint(m[2], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		out[m[1]] = [3]float64{float64(n >> 16), float64(n >> 8 & 255), float64(n & 255)}
	}
	if len(out) == 0 {
		t.Fatal("no colours found")
	}
	return out
}

// contrast is the ratio of WCAG 2.2, "contrast ratio" and "relative luminance".
func contrast(a, b [3]float64) float64 {
	l := func(c [3]float64) float64 {
		var v [3]float64
		for i, x := range c {
			x /= 255
			if v[i] = x / 12.92; x > 0.04045 {
				v[i] = math.Pow((x+0.055)/1.055, 2.4)
			}
		}
		return 0.2126*v[0] + 0.7152*v[1] + 0.0722*v[2]
	}
	la, lb := l(a), l(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func FuzzReadPage(f *testing.F) {
	for _, p := range allPages() {
		f.Add(string(p.html()))
	}
	f.Add(`<p role="alert">a<b`)
	f.Add("<a =\"x\" b=c d")
	f.Fuzz(func(t *testing.T, doc string) {
		readPage(doc) // must end, must not panic
	})
}
