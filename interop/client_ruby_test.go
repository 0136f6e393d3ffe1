//go:build unix

package interop

import (
	"time"
	"testing"

	"github.com/homing-cli/homing/internal/testtools"
)

func init() {
	clients["ruby"] = func(t *testing.T) ([]string, []string) {
		return []string{testtools.Ruby(t), abs(t, "ruby", "client.rb")}, nil
	}
}

func TestRubyReadsTokenFiles(t *testing.T) {
	t.Parallel()
	readsTokenFiles(t, "ruby", map[string]tokenFile{
		"as homing writes it":  {},
		"fractions":            {set: map[string]any{"expiresAt": later(".123456789Z")}},
		"nulls":                {set: map[string]any{"refreshToken": null, "clientId": null}},
		"unknown fields":       {set: map[string]any{"later": map[string]any{"a": []int{1}}}},
		"offset":               {set: map[string]any{"expiresAt": later("+00:00")}},
		"registration offset":  {set: map[string]any{"registrationExpiresAt": later("+00:00")}},
		"the suffix UTC":       {set: map[string]any{"expiresAt": later("UTC")}},
		"expiry as a number":   {set: map[string]any{"expiresAt": time.Now().Unix() + 3600}},
		"a byte order mark":    {prefix: "\ufeff"},
		"registration is over": {set: map[string]any{"registrationExpiresAt": "2026-01-01T00:00:00Z", "expiresAt": "2026-01-01T00:00:00Z"}},
		"without refresh":      {set: map[string]any{"refreshToken": nil, "expiresAt": "2026-01-01T00:00:00Z"}},
		"without start URL, good": {set: map[string]any{"startUrl": nil}},
		"without region":       {set: map[string]any{"region": nil}},
	})
}
func TestRubyReadsProfiles(t *testing.T) {
	t.Parallel()
	readsProfiles(t, "ruby", someProfiles)
}
func TestRubyWritesTokenFiles(t *testing.T) {
	t.Parallel()
	written(t, "ruby")
}
