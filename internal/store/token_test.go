package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

var (
	expiry       = time.Date(2026, 3, 2, 16, 12, 0, 0, time.UTC)
	registration = time.Date(2026, 5, 31, 8, 0, 0, 0, time.UTC)
)

func fullToken() session.Token {
	return session.Token{
		StartURL: startURL, Region: "us-east-1",
		AccessToken: session.NewSecret("access-1"), ExpiresAt: expiry,
		RefreshToken: session.NewSecret("refresh-1"),
		ClientID:     "client-1", ClientSecret: session.NewSecret("secret-1"), RegistrationExpiresAt: registration,
	}
}

const fullFile = `{"startUrl": "https://d-1234567890.awsapps.com/start", "region": "us-east-1", "accessToken": "access-1", ` +
	`"expiresAt": "2026-03-02T16:12:00Z", "clientId": "client-1", "clientSecret": "secret-1", ` +
	`"registrationExpiresAt": "2026-05-31T08:00:00Z", "refreshToken": "refresh-1"}`

func newStore(t *testing.T) *Store {
	t.Helper()
	return &Store{AWSDir: filepath.Join(t.TempDir(), ".aws")}
}

// put writes a file as another program would.
func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// same compares tokens by value; a Secret compares by pointer otherwise.
func same(a, b session.Token) bool {
	return string(encodeToken(a, nil)) == string(encodeToken(b, nil))
}

func commit(t *testing.T, s *Store, key string, tok session.Token) {
	t.Helper()
	u, err := s.BeginToken(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(tok); err != nil {
		t.Fatal(err)
	}
}

// noLitter fails when anything but cache files and locks is in the folders.
func noLitter(t *testing.T, s *Store) {
	t.Helper()
	seen := 0
	err := filepath.WalkDir(s.AWSDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		seen++
		if !strings.HasSuffix(path, ".json") && !strings.HasSuffix(path, ".lock") {
			t.Errorf("left behind: %s", path)
		}
		return nil
	})
	if err != nil || seen == 0 {
		t.Errorf("looked at %d files: %v", seen, err)
	}
}

func TestTokenFileIsTheAWSCLIs(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	commit(t, s, "my-sso", fullToken())
	if got := content(t, s.TokenPath("my-sso")); got != fullFile {
		t.Errorf("wrote\n%s\nwant\n%s", got, fullFile)
	}
	legacy := fullToken()
	legacy.RefreshToken = session.Secret{}
	legacy.ExpiresAt = expiry.In(time.FixedZone("", 3600)).
		Add(999 * time.Millisecond)
		// any zone and fraction: the same text
	commit(t, s, startURL, legacy)
	if got, want := content(t, s.TokenPath(startURL)), strings.Replace(fullFile, `, "refreshToken": "refresh-1"`, "", 1); got != want {
		t.Errorf("wrote\n%s\nwant\n%s", got, want)
	}
	for key, want := range map[string]session.Token{"my-sso": fullToken(), startURL: legacy} {
		if got, err := s.Token(key); err != nil || !same(got, want) {
			t.Errorf("read back %s: %v", key, err)
		}
	}
	if _, err := s.Token("other"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a token that is not there: %v", err)
	}
	noLitter(t, s)
}

func TestReadsWhatOthersWrite(t *testing.T) {
	t.Parallel()
	fractions := func(f string) string { return strings.Replace(fullFile, "16:12:00Z", "16:12:00"+f+"Z", 1) }
	at := func(value string) string {
		return strings.Replace(fullFile, `"2026-03-02T16:12:00Z"`, value, 1)
	}
	for name, file := range map[string]string{
		"as the AWS CLI writes it":            fullFile,
		"indented, other order, CRLF":         "{\r\n  \"refreshToken\" : \"refresh-1\",\r\n" + strings.Replace(fullFile[1:], `, "refreshToken": "refresh-1"`, "", 1),
		"three digits (JavaScript)":           fractions(".797"),
		"seven digits (.NET)":                 fractions(".7971234"),
		"nine digits (Java)":                  fractions(".797123456"),
		"more than nine digits":               fractions(".797123456789"),
		"offset (Ruby)":                       at(`"2026-03-02T17:12:00+01:00"`),
		"offset +00:00 (Python)":              at(`"2026-03-02T16:12:00+00:00"`),
		"offset without colon":                at(`"2026-03-02T11:12:00-0500"`),
		"offset of hours":                     at(`"2026-03-02T17:12:00+01"`),
		"UTC (AWS CLI before 2.1.15)":         at(`"2026-03-02T16:12:00UTC"`),
		"blank and UTC":                       at(`"2026-03-02 16:12:00 UTC"`),
		"no zone":                             at(`"2026-03-02T16:12:00"`),
		"no seconds":                          at(`"2026-03-02T16:12Z"`),
		"lower case":                          at(`"2026-03-02t16:12:00z"`),
		"seconds since 1970":                  at(`1772467920`),
		"seconds with a fraction":             at(`1772467920.25`),
		"milliseconds":                        at(`1772467920000`),
		"seconds as text":                     at(`"1772467920"`),
		"unknown members, nested and null":    strings.Replace(fullFile, "{", `{"idToken": null, "x": {"accessToken": "not this", "y": [1, {}]}, `, 1),
		"doubled member, the last one counts": strings.Replace(fullFile, "{", `{"accessToken": "old", "expiresAt": null, `, 1),
		"byte order mark":                     "\ufeff" + fullFile,
		"tail of a longer file":               fullFile + `"}`,
		"tail of two":                         fullFile + `}"}`,
		"written twice":                       fullFile + fullFile,
		"NUL bytes behind":                    fullFile + "\x00\x00\x00",
		"last brace missing":                  fullFile[:len(fullFile)-1],
		"cut in an unknown member":            fullFile[:len(fullFile)-1] + `, "x": "y`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			put(t, s.TokenPath("k"), file)
			got, err := s.Token("k")
			if err != nil || !same(got, fullToken()) {
				t.Errorf("%s\nread as %s, %v", file, encodeToken(got, nil), err)
			}
		})
	}
}

func TestNullsAndMissingMembers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		file  string
		check func(session.Token) bool
	}{
		"nulls (.NET)": {
			`{"accessToken": "a", "expiresAt": "2026-03-02T16:12:00Z", "refreshToken": null, "clientId": null, "registrationExpiresAt": null}`,
			func(t session.Token) bool {
				return t.AccessToken.Reveal() == "a" && t.ExpiresAt.Equal(expiry) && t.RefreshToken.IsZero() &&
					t.ClientID == ""
			},
		},
		"wrong types": {
			`{"accessToken": "a", "expiresAt": "2026-03-02T16:12:00Z", "refreshToken": {}, "clientId": 7, "startUrl": [], "region": true}`,
			func(t session.Token) bool { return t.StartURL == "" && t.Region == "" && t.RefreshToken.IsZero() },
		},
		"no access token, but renewable": {
			`{"clientId": "c", "clientSecret": "s", "refreshToken": "r", "expiresAt": "2099-01-01T00:00:00Z"}`,
			func(t session.Token) bool { return t.Expired(time.Unix(1, 0)) },
		},
		"unreadable expiry, but renewable": {
			`{"accessToken": "a", "clientId": "c", "clientSecret": "s", "refreshToken": "r", "expiresAt": "soon"}`,
			func(t session.Token) bool { return t.Expired(time.Unix(1, 0)) },
		},
	} {
		s := newStore(t)
		put(t, s.TokenPath("k"), tt.file)
		if got, err := s.Token("k"); err != nil || !tt.check(got) {
			t.Errorf("%s: read as %s, %v", name, encodeToken(got, nil), err)
		}
	}
}

// A file cut short at any byte gives whole values or none, and no expiry that lost its last digits.
func TestNoValueIsEverCutShort(t *testing.T) {
	t.Parallel()
	numeric := strings.Replace(fullFile, `"2026-03-02T16:12:00Z"`, "1772467920", 1)
	for _, file := range []string{fullFile, numeric} {
		for i := range file {
			o, whole := parseObject([]byte(file[:i]))
			got := tokenOf(o)
			if whole {
				t.Fatalf("%q passes for a whole object", file[:i])
			}
			want := fullToken()
			for _, v := range []struct{ got, want string }{
				{got.StartURL, want.StartURL},
				{got.Region, want.Region},
				{got.AccessToken.Reveal(), want.AccessToken.Reveal()},
				{got.ClientID, want.ClientID},
				{got.ClientSecret.Reveal(), want.ClientSecret.Reveal()},
				{got.RefreshToken.Reveal(), want.RefreshToken.Reveal()},
			} {
				if v.got != "" && v.got != v.want {
					t.Fatalf("%q: read %q for %q", file[:i], v.got, v.want)
				}
			}
			if !got.ExpiresAt.IsZero() && !got.ExpiresAt.Equal(expiry) {
				t.Fatalf("%q: expiry %v", file[:i], got.ExpiresAt)
			}
		}
	}
}

func TestHalfWrittenFileIsReadAgain(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	path := s.TokenPath("k")
	put(t, path, "")
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		go func() {
			time.Sleep(60 * time.Millisecond)
			put(t, path, fullFile[:120])
			time.Sleep(60 * time.Millisecond)
			put(t, path, fullFile)
		}()
		if got, err := s.Token("k"); err != nil || !same(got, fullToken()) {
			t.Errorf("read %s, %v", encodeToken(got, nil), err)
		}
		if d := time.Since(start); d < 120*time.Millisecond || d > settle {
			t.Errorf("took %v, want between 120ms and %v", d, settle)
		}
	})
}

func TestCorruptTokenFileNeedsSignIn(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"empty": "", "blank": " \n", "not JSON": "hello", "an array": "[1]", "a string": `"x"`, "null": "null",
		"no members": "{}", "cut early": fullFile[:80], "NUL bytes": strings.Repeat("\x00", 400), "HTML": "<html>",
		"another kind of file": `{"clientId": "c", "clientSecret": "s", "expiresAt": "2026-03-02T16:12:00Z"}`,
	} {
		s := newStore(t)
		put(t, s.TokenPath("my-sso"), file)
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			_, err := s.Token("my-sso")
			if fault.KindOf(err) != fault.SignInNeeded || fault.RemedyOf(err) != (fault.Login{Session: "my-sso"}) ||
				!strings.Contains(err.Error(), s.TokenPath("my-sso")) {
				t.Errorf("%s: %v, remedy %#v", name, err, fault.RemedyOf(err))
			}
			if d := time.Since(start); d > settle {
				t.Errorf("%s: took %v, want at most %v", name, d, settle)
			}
		})
		if got := content(t, s.TokenPath("my-sso")); got != file {
			t.Errorf("%s: reading changed the file to %q", name, got)
		}
	}
}

func TestForeignMembersSurviveARefreshOnly(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	file := strings.Replace(fullFile, `"region"`,
		`"idToken": "zurück", "gone": null, "n": 12345678901234567890, "o": {"a": [1, 2]}, "region"`, 1)
	const kept = `, "idToken": "zur\u00fcck", "n": 12345678901234567890, "o": {"a":[1,2]}}`
	put(t, s.TokenPath("k"), file)
	next := fullToken()
	next.AccessToken = session.NewSecret("access-2")
	u, err := s.BeginToken(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Renewed(next); err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(strings.TrimSuffix(fullFile, "}"), "access-1", "access-2", 1)
	if got := content(t, s.TokenPath("k")); got != want+kept {
		t.Errorf("after a refresh\n%s\nwant\n%s", got, want+kept)
	}
	commit(t, s, "k", next)
	if got := content(t, s.TokenPath("k")); got != want+"}" {
		t.Errorf("after a sign-in\n%s\nwant\n%s", got, want+"}")
	}
}

func TestTokensListsEverybodysTokens(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	if list, err := s.Tokens(); err != nil || len(list) != 0 {
		t.Errorf("without a folder: %v, %v", list, err)
	}
	commit(t, s, "my-sso", fullToken())
	dir := filepath.Dir(s.TokenPath(""))
	put(t, filepath.Join(dir, "aws-toolkit-vscode-client-id-us-east-1.json"),
		`{"clientId": "c", "clientSecret": "s", "expiresAt": "2026-03-02T16:12:00Z"}`)
	put(t, filepath.Join(dir, "kiro-auth-token.json"),
		`{"accessToken": "k", "expiresAt": "2026-03-02T16:12:00.797Z", "region": "eu-west-1"}`)
	put(t, filepath.Join(dir, "broken.json"), `{"acc`)
	put(t, filepath.Join(dir, "notes.txt"), fullFile)
	put(t, filepath.Join(dir, "left.json.homing-1.tmp"), fullFile)
	list, err := s.Tokens()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range list {
		name := filepath.Base(e.Path)
		if e.Err != nil {
			name += " error"
		} else {
			name += " " + e.Token.Region
		}
		got = append(got, name)
	}
	want := filepath.Base(s.TokenPath("my-sso")) + " us-east-1, broken.json error, kiro-auth-token.json eu-west-1"
	if strings.Join(got, ", ") != want || list[0].Path != s.TokenPath("my-sso") {
		t.Errorf("listed %v, want %v", got, want)
	}
	if err := s.RemoveEntry(t.Context(), list[2]); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing to remove
		if err := s.RemoveToken(t.Context(), "my-sso"); err != nil {
			t.Fatal(err)
		}
	}
	if list, _ := s.Tokens(); len(list) != 1 || filepath.Base(list[0].Path) != "broken.json" {
		t.Errorf("after removing: %v", list)
	}
}

func TestRemovingNothingMakesNothing(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	if err := s.RemoveToken(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.AWSDir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a folder was made on the way")
	}
}

func FuzzToken(f *testing.F) {
	seeds := []string{
		fullFile,
		fullFile[:200],
		fullFile + `"}`,
		"",
		"{",
		`{"a":`,
		"\ufeff{}",
		`{"expiresAt": 1e999}`,
		`{"expiresAt": 177246`,
		`{"x": "\ud800"}`,
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, _ := parseObject(data)
		tok := tokenOf(o)
		written := encodeToken(tok, o)
		again, whole := parseObject(written)
		if !whole {
			t.Fatalf("wrote what is no JSON object: %s", written)
		}
		if second := encodeToken(tokenOf(again), again); string(second) != string(written) {
			t.Fatalf("read and written again\n%s\nbecomes\n%s", written, second)
		}
		for _, b := range written {
			if b < ' ' || b > '~' {
				t.Fatalf("byte %#x in %s", b, written)
			}
		}
	})
}
