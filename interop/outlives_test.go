//go:build unix

package interop

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/testtools"
	"github.com/homing-cli/homing/interop/clock"
)

// preload builds the library that gives programs the test's clock.
var preload = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "clock.so")
	out, err := exec.Command("gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", path,
		filepath.Join("clock", "preload", "clock.c")).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("gcc: %w: %s", err, out)
	}
	return path, err
})

// machine is a clock that the service, homing and the clients have in common.
type machine struct {
	w     *world
	file  string
	ahead time.Duration
	env   []string // of the programs that run by this clock
}

func (w *world) machine() *machine {
	w.Helper()
	if runtime.GOOS != "linux" {
		w.Skip("the clock is moved in front of the C library as Linux loads it")
	}
	testtools.Program(w.T, "gcc", "gcc")
	library, err := preload()
	if err != nil {
		w.Fatal(err)
	}
	m := &machine{w: w, file: w.path("clock")}
	m.env = []string{"LD_PRELOAD=" + library, clock.Variable + "=" + m.file}
	m.advance(0)
	return m
}

func (m *machine) advance(d time.Duration) {
	m.w.Helper()
	m.ahead += d
	if err := clock.Set(m.file, m.ahead); err != nil {
		m.w.Fatal(err)
	}
	m.w.emu.Advance(d)
}

// loop asks the AWS CLI who it is for each line that it reads.
const loop = `while read -r line; do
	if said=$("$0" sts get-caller-identity --query "{Account: Account, Arn: Arn}" --output json); then
		printf %s "$said" | tr -d '\n'; echo
	else
		echo '{"error": "the AWS CLI failed"}'
	fi
done`

// outlives is the column "exec --renew".
func outlives(w *world, client string) {
	w.signInTo(homing(w.T), "", []emulator.Account{{ID: accountID, Name: "Engine",
		Roles: []emulator.Role{{Name: roleName}}}})
	const keys = "[default]\naws_access_key_id = AKIAOFMYOWN000000000\naws_secret_access_key = mine\nregion = " +
		"us-west-2\n\n"
	w.write(w.path(".aws", "config"), keys+sessionText+
		"[profile dev]\nsso_session = "+sessionName+"\nsso_account_id = "+accountID+
		"\nsso_role_name = "+roleName+"\nregion = "+region+"\n")
	w.write(w.path(".aws", "credentials"), keys)

	m := w.machine()
	command, env := clients[client](w.T)
	env = append(w.env(env...), m.env...)
	first := w.startCommand(client, command, env)
	w.version = first.ask(map[string]string{"do": "version"}).Version
	if err := first.end(); err != nil {
		w.Error(err)
	}
	if strings.HasPrefix(client, "aws-cli") {
		command = []string{"/bin/sh", "-c", loop, command[1]}
	}
	ahead := build(w.T, "./movedhoming")
	job := func(before ...string) *program {
		w.Helper()
		return w.startCommand(client, append(before, command...), env)
	}
	asks := func(p *program) bool {
		w.Helper()
		a := p.ask(map[string]string{"do": "again"})
		if a.Error == "" && (a.Account != accountID || !strings.HasPrefix(a.Arn, arn)) {
			w.Fatalf("%s: identity is %+v", client, a)
		}
		if a.Error != "" {
			w.Logf("%s after %v: %+v", client, m.ahead, a)
		}
		return a.Error == ""
	}

	if asks(job()) {
		w.Error("the keys of [default] are good for something")
	}
	plain := job(ahead, "exec", "--profile", "dev", "--")
	if !asks(plain) {
		w.Error("exec: refused from the beginning")
	}
	m.advance(61 * time.Minute)
	if asks(plain) {
		w.Error("exec without --renew: not refused after the keys have lapsed")
	}

	began, fetched := m.ahead, w.calls(emulator.OpGetRoleCredentials)
	p := job(ahead, "exec", "--renew", "--profile", "dev", "--")
	for _, pause := range []time.Duration{0, 25, 25, 25, 61, 61, 25} { // two of them longer than any credentials live
		m.advance(pause * time.Minute)
		if !asks(p) {
			w.Fatalf("exec --renew: refused after %v; stderr:\n%s", m.ahead-began, p.errs)
		}
	}
	if got := w.calls(emulator.OpGetRoleCredentials) - fetched; got < 4 {
		w.Errorf("exec --renew: credentials were fetched %d times in %v", got, m.ahead-began)
	}
	if err := p.end(); err != nil {
		w.Errorf("exec --renew ended with %v; stderr:\n%s", err, p.errs)
	}
}
