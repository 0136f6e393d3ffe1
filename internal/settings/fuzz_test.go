package settings

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/plain"
	"github.com/homing-cli/homing/internal/session"
)

// Whatever stands in a file, it is understood or refused in one visible line, and no refusal comes with a permission.
func FuzzFiles(f *testing.F) {
	for _, seed := range []string{
		"flow = \"pkce\"\nno_browser = true\n[session.dev]\nredirect_port = 9000", "allow_device_code = false\nallowed_flows = [\"pkce\"]",
		"flwo = 1", "session = 7", "[session]\nx.y.z = 1", "\"\\u0000\" = 1", "[[session]]", "session.dev = {flow = \"device\"}", "\xff\xfea\x00", "'\x1b[2J' = 1",
	} {
		f.Add(seed)
	}
	file := filepath.Join(f.TempDir(), "file.toml")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, o := range []Options{{ConfigFile: file}, {PolicyFile: file}} {
			s, err := Load(o)
			if err == nil {
				if !s.Policy.Allows(session.PKCE) && !s.Policy.Allows(session.Device) &&
					!strings.Contains(text, "allow") {
					t.Error("a policy from nowhere")
				}
				continue
			}
			if fault.KindOf(err) != fault.Config || !strings.HasPrefix(err.Error(), file) ||
				fault.RemedyOf(err) == nil {
				t.Errorf("%v (%v)", err, fault.RemedyOf(err))
			}
			visible := func(s string) bool {
				return plain.IsLine(strings.ReplaceAll(s, " ", "_")) && !strings.HasSuffix(s, " ")
			}
			if !visible(err.Error()) || !visible(fmt.Sprint(fault.RemedyOf(err))) {
				t.Errorf("not one visible line: %q, %q", err, fault.RemedyOf(err))
			}
			if s.Flow.IsSet() || s.Policy.AllowDeviceCode {
				t.Error("settings beside an error")
			}
		}
	})
}
