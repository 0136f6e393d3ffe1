package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestHealToken(t *testing.T) {
	t.Parallel()
	const (
		start = `{"startUrl": "https://x.awsapps.com/start", "region": "us-east-1", "accessToken": "a1", `
		end   = `, "clientId": "c1", "clientSecret": "s1", "registrationExpiresAt": "2026-12-01T00:00:00Z", "refreshToken": "r1"}`
		good  = start + `"expiresAt": "2026-11-22T12:00:00Z"` + end
	)
	for _, tt := range []struct{ name, file, want string }{ // want "" = left alone
		{"ours", good, ""},
		{"fractions, as JavaScript writes them", strings.Replace(good, "12:00:00Z", "12:00:00.797Z", 1), ""},
		{"indented", strings.ReplaceAll(good, ", ", ",\n  "), ""},
		{"another program's member", strings.Replace(good, "{", `{"theirs": null, `, 1), ""},
		{"offset, as Ruby writes it", strings.Replace(good, "12:00:00Z", "14:00:00+02:00", 1), good},
		{"an offset of zero", strings.Replace(good, "12:00:00Z", "12:00:00+00:00", 1), good},
		{"UTC", strings.Replace(good, "12:00:00Z", "12:00:00UTC", 1), good},
		{"fractions and UTC", strings.Replace(good, "12:00:00Z", "12:00:00.5UTC", 1), good},
		{"registration with an offset", strings.Replace(good, "01T00:00:00Z", "01T01:00:00+01:00", 1), good},
		{"a number", strings.Replace(good, `"2026-11-22T12:00:00Z"`, "1795348800", 1), good},
		{"null, as .NET writes it", strings.Replace(good, `"r1"`, "null", 1), strings.Replace(good, `, "refreshToken": "r1"`, "", 1)},
		{"a byte order mark", "\ufeff" + good, good},
		{"the rest of a longer file", good + `"}`, good},
		{"their member is kept", strings.Replace(strings.Replace(good, "{", `{"theirs": [1], `, 1), "12:00:00Z", "12:00:00UTC", 1),
			strings.TrimSuffix(good, "}") + `, "theirs": [1]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			st := &Store{AWSDir: filepath.Join(t.TempDir(), ".aws")}
			path := st.TokenPath("dev")
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
			want := tt.want
			if want == "" {
				want = tt.file
			}
			written := time.Now().Add(-50 * time.Minute).Truncate(time.Second)
			if err := os.Chtimes(path, written, written); err != nil {
				t.Fatal(err)
			}
			healed, err := st.HealToken(t.Context(), "dev")
			if at := st.Written("dev"); !at.Equal(written) {
				t.Errorf("the token seems to be issued at %v, not %v", at, written)
			}
			got, readErr := os.ReadFile(path)
			if err != nil || readErr != nil || healed != (tt.want != "") || string(got) != want {
				t.Errorf("healed %v, %v\ngot  %s\nwant %s", healed, err, got, want)
			}
			if again, err := st.HealToken(t.Context(), "dev"); err != nil || again {
				t.Errorf("the second time: healed %v, %v", again, err)
			}
		})
	}
}

// What holds no token, or has gone, is not made anything of.
func TestHealTokenWithoutToken(t *testing.T) {
	t.Parallel()
	st := &Store{AWSDir: filepath.Join(t.TempDir(), ".aws")}
	if healed, err := st.HealToken(t.Context(), "dev"); err == nil || healed {
		t.Errorf("no file: healed %v, %v", healed, err)
	}
	path := st.TokenPath("dev")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(`{"accessToken": null}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if healed, err := st.HealToken(t.Context(), "dev"); err == nil || healed {
		t.Errorf("no token: healed %v, %v", healed, err)
	}
	if got, _ := os.ReadFile(path); string(got) != `{"accessToken": null}` {
		t.Errorf("the file holds %s", got)
	}
}
