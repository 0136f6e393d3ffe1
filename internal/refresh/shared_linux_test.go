package refresh_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/testtools"
)

// Two homes that share nothing but the token, in each way that people share it, renew it once between them: its lock
// is beside the real file.
func TestTwoHomesRenewOnce(t *testing.T) {
	t.Parallel()
	for name, share := range map[string]func(t *testing.T, from, to, token string) (wrap []string){
		"a bind mount": func(t *testing.T, from, to, _ string) []string {
			unshare := testtools.Program(t, "unshare", "util-linux")
			args := []string{unshare, "--mount"}
			if os.Geteuid() != 0 {
				args = append(args, "--user", "--map-current-user")
			}
			args = append(args, "sh", "-c", `mount --bind "$1" "$2" && shift 2 && exec "$@"`, "sh", from, to)
			if err := os.MkdirAll(to, 0o700); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(args[0], append(args[1:len(args):len(args)],
				"true")...).CombinedOutput(); err != nil {
				testtools.Missing(t, "the right to mount ("+string(out)+")", "run the tests as root")
			}
			return args
		},
		"a link to the folder": func(t *testing.T, from, to, _ string) []string {
			if err := os.Symlink(from, to); err != nil {
				t.Fatal(err)
			}
			return nil
		},
		"a link to the token": func(t *testing.T, from, to, token string) []string {
			if err := os.MkdirAll(to, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(from, token), filepath.Join(to, token)); err != nil {
				t.Fatal(err)
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.signIn()
			w.mustExpire()
			other := t.TempDir()
			config, err := os.ReadFile(filepath.Join(w.store.AWSDir, "config"))
			if err != nil {
				t.Fatal(err)
			}
			cache := filepath.Join(other, ".aws", "sso", "cache")
			if err := os.MkdirAll(filepath.Dir(cache), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(other, ".aws", "config"), config, 0o600); err != nil {
				t.Fatal(err)
			}
			token := w.store.TokenPath(dev.CacheKey())
			wrap := share(t, filepath.Dir(token), cache, filepath.Base(token))
			w.emu.ForgetRequests()
			w.emu.Fail(emulator.OpCreateToken, -1, emulator.Fault{Latency: slow})
			var all []*process
			for role := range roles {
				all = append(all, w.credentials(role))
				p := &process{
					Cmd:   exec.Command(w.binary, "credentials", "--profile", "p"+string(rune('0'+role))),
					began: time.Now(),
				}
				if wrap != nil {
					p.Cmd = exec.Command(wrap[0], append(wrap[1:len(wrap):len(wrap)], p.Args...)...)
				}
				p.Env, p.Stdout, p.Stderr = append(w.env(), "HOME="+other), &p.out, &p.err
				if err := p.Start(); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = p.Process.Kill() }) // ended already, unless the test failed
				all = append(all, p)
			}
			for _, p := range all {
				w.wantKeys(p)
			}
			if r, c := w.count(emulator.OpCreateToken), w.count(emulator.OpGetRoleCredentials); r != 1 || c != 2*roles {
				t.Errorf("%d CreateToken and %d GetRoleCredentials, want 1 and %d", r, c, 2*roles)
			}
			for _, dir := range []string{filepath.Dir(token), cache} {
				entries, err := os.ReadDir(dir)
				if err != nil || len(entries) > 2 {
					t.Errorf("%s holds %v, %v", dir, entries, err)
				}
			}
			w.usable()
		})
	}
}
