//go:build unix

package interop

import (
	"fmt"
	"strings"
	"testing"

	"github.com/homing-cli/homing/emulator"
)

// TestSyncedProfiles shows that every client uses the profiles that homing profiles sync writes, with homing off its PATH,
// in a file that holds all sorts of other things; and that after some are removed again the client reads the rest.
func TestSyncedProfiles(t *testing.T) {
	t.Parallel()
	const others = "# mine\n\n[profile base]\nrole_arn = arn:aws:iam::123456789012:role/a#b\nsource_profile=x\n\n" +
		"[profile x] ; odd\ncredential_process = \"/opt/a b/tool\" --q 'c # d' ; e\ns3 =\n    max_concurrent_requests = 20\n"
	for client := range clients {
		for _, legacy := range []bool{false, true} {
			form := map[bool]string{false: "sso-session", true: "legacy"}[legacy]
			t.Run(client+"/"+form, func(t *testing.T) {
				t.Parallel()
				clients[client](t) // ends the test where its tools are missing
				w := newWorld(t, checked)
				w.emu.Change(func(s *emulator.Server) {
					s.Directory = &emulator.Directory{Users: []emulator.User{{Name: "ada"}}, Accounts: []emulator.Account{
						{ID: accountID, Name: "Engine", Roles: []emulator.Role{{Name: roleName}}},
						{ID: "999999999999", Name: "]\n[profile evil]\ncredential_process = false\n#", Roles: []emulator.Role{{Name: roleName}}},
					}}
				})
				session := fmt.Sprintf("[sso-session %s]\nsso_start_url = %s\nsso_region = %s\nsso_registration_scopes = sso:account:access\n",
					sessionName, emulator.DefaultStartURL, emulator.DefaultRegion)
				w.write(w.path(".aws", "config"), others+session)
				w.signIn(false)
				if legacy {
					w.signIn(true)
				}
				sync := func(args ...string) {
					args = append([]string{"profiles", "sync", "--yes", "--sso-session", sessionName}, args...)
					w.run(w.env(), []int{0}, homing(t), args...)
				}
				sync("--form", form, "--region", region)
				text := w.read(w.path(".aws", "config"))
				if rest, ok := strings.CutPrefix(text, others+session); !ok || strings.Count(rest, "\n[profile ") != 2 {
					t.Fatalf("the file:\n%s", text)
				}
				used := func(profile string) {
					t.Helper()
					p := w.start(client)
					defer func() { _ = p.in.Close() }()
					if a := p.ask(map[string]string{"do": "identity", "profile": profile}); a.Account != accountID || !strings.HasPrefix(a.Arn, arn) {
						t.Errorf("%s: identity of %s is %+v", client, profile, a)
					}
				}
				used("engine-" + roleName)
				sync("--prune", "--exclude", "9*")
				if text := w.read(w.path(".aws", "config")); !strings.HasPrefix(text, others+session) || strings.Contains(text, "evil") {
					t.Errorf("the file:\n%s", text)
				}
				w.dropRoleCredentials()
				used("engine-" + roleName)
			})
		}
	}
}
