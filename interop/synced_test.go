//go:build unix

package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/homing-cli/homing/emulator"
)

// others is what a config file holds beside what is synced.
const others = "# mine\n\n[profile base]\nrole_arn = arn:aws:iam::123456789012:role/a#b\nsource_profile=x\n\n" +
	"[profile x] ; odd\ncredential_process = \"/opt/a b/tool\" --q 'c # d' ; e\n" +
	"s3 =\n    max_concurrent_requests = 20\n"

// awkward are accounts whose names are none for a profile, or the same but for the letter case, by the names of their
// profiles; the one of "" is excluded after the first run.
var awkward = map[string]emulator.Account{
	"Engine.Admin-123456789012":       {ID: accountID, Name: "Engine"},
	"":                                {ID: "200000000004", Name: "engine"},
	"Grosse-Sohne-Prod-100%-x.Admin":  {ID: "200000000001", Name: " Größe & Söhne (\"Prod\") 100% # ; = x "},
	"Data/Lake:-a@b-its-HOME-x.Admin": {ID: "200000000002", Name: "Data/Lake: a@b, it's $HOME\\`x`"},
	"200000000003.Admin":              {ID: "200000000003", Name: "🚀"},
	"default.Admin":                   {ID: "900000000005", Name: "default"},
	"profile-evil-credential_process-false-.Admin": {ID: "999999999999",
		Name: "]\n[profile evil]\ncredential_process = false\n#"},
}

// install puts a homing of its own into the world.
func (w *world) install(dir string) (program string) {
	w.Helper()
	program = w.path(dir, "homing")
	if err := os.MkdirAll(filepath.Dir(program), 0o700); err != nil {
		w.Fatal(err)
	}
	// Not a copy: a child that is forked while this process writes one would keep it open, and it could not be run.
	if err := os.Link(homing(w.T), program); err != nil {
		w.Fatal(err)
	}
	return program
}

// uninstall removes a homing and all that is its own, but for what it put among the AWS CLI's files.
func (w *world) uninstall(program string) {
	w.Helper()
	for _, path := range []string{filepath.Dir(program), w.path(".config"), w.path(".local"), w.path(".cache")} {
		if err := os.RemoveAll(path); err != nil {
			w.Fatal(err)
		}
	}
}

// used has one process of the client use each profile; it must end up in that profile's account.
func (w *world) used(client string, accounts map[string]string) {
	w.Helper()
	p := w.start(client)
	defer func() { _ = p.in.Close() }()
	w.version = p.ask(map[string]string{"do": "version"}).Version
	for profile, account := range accounts {
		if a := p.ask(map[string]string{"do": "identity", "profile": profile}); a.Account != account ||
			!strings.Contains(a.Arn, "assumed-role/AWSReservedSSO_"+roleName) {
			w.Errorf("%s: identity of %q is %+v, want account %s", client, profile, a, account)
		}
	}
}

const sessionText = "[sso-session " + sessionName + "]\nsso_start_url = " + emulator.DefaultStartURL +
	"\nsso_region = " + emulator.DefaultRegion +
	"\nsso_registration_scopes = sso:account:access\n"

// signInTo signs homing in to the session, with its accounts, and writes text and the session to the config file.
func (w *world) signInTo(program, text string, accounts []emulator.Account) {
	w.Helper()
	w.emu.Change(func(s *emulator.Server) {
		s.Directory = &emulator.Directory{Users: []emulator.User{{Name: "ada"}}, Accounts: accounts}
	})
	w.write(w.path(".aws", "config"), text+sessionText)
	w.login(ways[1], program, "login", "--sso-session", sessionName, "--flow", "device")
}

// synced makes a column: every client uses the profiles that homing profiles sync writes, in a file that holds all
// sorts of other things, after homing is gone; and renews the token where the form of the profiles has one that can
// be renewed.
func synced(form string) func(w *world, client string) {
	return func(w *world, client string) {
		program := w.install("bin of mine")
		var accounts []emulator.Account
		profiles := map[string]string{}
		for profile, account := range awkward {
			account.Roles = []emulator.Role{{Name: roleName}}
			accounts = append(accounts, account)
			if profile != "" {
				profiles[profile] = account.ID
			}
		}
		w.signInTo(program, others, accounts)
		sync := func(want int, args ...string) {
			w.run(w.env(), []int{0}, program, append([]string{"profiles", "sync", "--yes", "--sso-session", sessionName,
				"--form", form,
				"--region", region, "--template", "{{.AccountName}}.{{.RoleName}}"}, args...)...)
			text, ok := strings.CutPrefix(w.read(w.path(".aws", "config")), others+sessionText)
			if !ok || strings.Count(text, "\n[profile ") != want {
				w.Fatalf("the file, which should have %d more profiles:\n%s", want, w.read(w.path(".aws", "config")))
			}
		}
		sync(len(awkward))
		sync(len(profiles), "--prune", "--exclude", "2*4")
		const one = "Engine.Admin-" + accountID
		last := map[string]string{one: accountID}
		switch form {
		case "sso-session":
			w.uninstall(program)
			w.used(client, profiles)
			w.expire(false)
			w.renewedBy(client, func() { w.used(client, last) })
		case "legacy":
			// the session's token is not the profile's
			w.run(w.env(), []int{4}, program, "credentials", "--profile", one)
			w.uninstall(program)
			w.signIn(true)
			w.used(client, profiles)
		case "credential_process":
			w.used(client, profiles)
			w.expire(false)
			w.renewedBy("homing, asked by "+client+",", func() { w.used(client, last) })
			w.uninstall(program)
			w.dropRoleCredentials()
			p := w.start(client)
			defer func() { _ = p.in.Close() }()
			if a := p.ask(map[string]string{"do": "identity", "profile": one}); a.Error == "" {
				w.Errorf("%s: with homing removed, the identity is %+v", client, a)
			}
		}
	}
}

// manyProfiles is the column "300 profiles".
func manyProfiles(w *world, client string) {
	const many = 300
	var accounts []emulator.Account
	for i := range many {
		accounts = append(accounts, emulator.Account{ID: fmt.Sprintf("%012d", 300000000001+i),
			Name: fmt.Sprintf("Team %d", i+1), Roles: []emulator.Role{{Name: roleName}}})
	}
	program := homing(w.T)
	w.signInTo(program, "", accounts)
	w.run(w.env(), []int{0}, program, "profiles", "sync", "--yes", "--sso-session", sessionName, "--region", region)
	var want []string
	for i := range many {
		want = append(want, fmt.Sprintf("team-%d-%s", i+1, roleName))
	}
	p := w.start(client)
	w.version = p.ask(map[string]string{"do": "version"}).Version
	a := p.ask(map[string]string{"do": "profiles", "names": strings.Join(want, "\n")})
	slices.Sort(want)
	slices.Sort(a.Profiles)
	if !slices.Equal(a.Profiles, want) {
		w.Errorf("%s: %d profiles, want %d; %s %s", client, len(a.Profiles), len(want), a.Error, a.Message)
	}
	w.used(client, map[string]string{"team-300-" + roleName: "300000000300"})
}
