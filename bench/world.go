//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/testtools"
)

const module = "github.com/homing-cli/homing/"

// scale says how much is measured.
type scale struct {
	rounds      int // of programs that take milliseconds
	awsRounds   int // of the AWS CLI, which takes half a second
	callers     int // at once
	callerTimes int // rounds of so many
	roles       int // that as many callers ask for at once
	roleRate    int // portal calls a second for them

	syncTimes       int // rounds of a sync
	accounts        int // of the first two
	latency         time.Duration
	rate            int // portal calls a second, of the second
	manyAccounts    int // of the third, three roles each
	someProfiles    int // in the config file of credentials
	manyProfiles    int
	edited          [3]int // profiles in the files that are edited
	editTimes       int
	processesMemory int // processes whose memory is looked at
}

// full is what make bench measures.
func full() scale {
	return scale{rounds: 300, awsRounds: 10, callers: 64, callerTimes: 10, roles: 16, roleRate: 4,
		syncTimes: 3, accounts: 300, latency: 60 * time.Millisecond, rate: 20, manyAccounts: 5000,
		someProfiles: 300, manyProfiles: 10_000, edited: [3]int{100, 10_000, 100_000}, editTimes: 5,
		processesMemory: 30}
}

// small shows that everything runs. Its numbers mean nothing.
func small() scale {
	return scale{rounds: 4, awsRounds: 1, callers: 6, callerTimes: 2, roles: 4, roleRate: 2,
		syncTimes: 1, accounts: 12, latency: time.Millisecond, rate: 5, manyAccounts: 40,
		someProfiles: 5, manyProfiles: 50, edited: [3]int{10, 50, 100}, editTimes: 1, processesMemory: 2}
}

// bench is one run: the programs it built, the Identity Center they speak to, the rows so far. The emulator is served
// by this process, so it is another one than what is measured.
type bench struct {
	ctx             context.Context
	size            scale
	dir             string // scratch
	homing, empty   string // programs built for this run
	aws, awsVersion string // the AWS CLI; "" is not there
	watch           *stopwatch
	complaints      *os.File // standard error of every program

	emu            *emulator.Server
	base           string
	stop           func()       // of its server
	underWay, most atomic.Int64 // portal calls

	home  home // signed in, role credentials in its cache
	rows  []Row
	start []Package
}

// home is a folder in which programs run.
type home struct {
	dir string
	env []string
}

// newBench builds the programs and signs in. The caller calls close in the end.
func newBench(ctx context.Context, size scale) (b *bench, err error) {
	b = &bench{ctx: ctx, size: size}
	if b.dir, err = os.MkdirTemp("", "homing-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	var watch string
	for path, program := range map[string]*string{"cmd/homing": &b.homing, "bench/empty": &b.empty,
		"bench/stopwatch": &watch} {
		*program = filepath.Join(b.dir, filepath.Base(path))
		// As the Makefile builds what is released.
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", *program, module+path)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("go build %s: %w\n%s", path, err, out)
		}
	}
	if b.complaints, err = os.OpenFile(filepath.Join(b.dir, "complaints"), os.O_CREATE|os.O_RDWR|os.O_APPEND,
		0o600); err != nil {
		return nil, err
	}
	if b.watch, err = startStopwatch(b.command(home{dir: b.dir}, watch)); err != nil {
		return nil, err
	}
	if aws := filepath.Join(testtools.Dir(), "awscli", "aws"); testtools.Dir() != "" {
		if version := said(ctx, aws, "--version"); version != "" {
			b.aws, b.awsVersion = aws, strings.TrimPrefix(strings.Fields(version)[0], "aws-cli/")
		}
	}
	b.emu = &emulator.Server{Directory: emulator.GenerateDirectory(1, size.roles)}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for n := b.underWay.Add(1); ; {
			if most := b.most.Load(); n <= most || b.most.CompareAndSwap(most, n) {
				break
			}
		}
		defer b.underWay.Add(-1)
		b.emu.ServeHTTP(w, r)
	}))
	b.stop, b.base = srv.Close, srv.URL
	if b.home, err = b.signedIn(); err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	return b, nil
}

func (b *bench) close() {
	if b.stop != nil {
		b.stop()
	}
	if b.watch != nil {
		_ = b.watch.close() // what it had to say, it said when it was used
	}
	_ = os.RemoveAll(b.dir)
}

func (b *bench) add(group string, rows ...Row) {
	for _, r := range rows {
		r.Group = group
		b.rows = append(b.rows, r)
	}
}

// account is the one of the profile dev, whose role is its first.
func (b *bench) account() emulator.Account {
	return emulator.GenerateDirectory(1, b.size.roles).Accounts[0]
}

// config returns a config file of n profiles, dev in the midst of them.
func (b *bench) config(n int) string {
	var text strings.Builder
	fmt.Fprintf(&text, "[sso-session dev]\nsso_start_url = %s\nsso_region = %s\nsso_registration_scopes = "+
		"sso:account:access\n", emulator.DefaultStartURL, emulator.DefaultRegion)
	for i := range n {
		name, account, role := fmt.Sprintf("account-%d-Admin", i), fmt.Sprintf("%012d", i), "Admin"
		if i == n/2 {
			name, account, role = "dev", b.account().ID, b.account().Roles[0].Name
		}
		fmt.Fprintf(&text, "\n[profile %s]\nsso_session = dev\nsso_account_id = %s\nsso_role_name = %s\nregion = "+
			"eu-west-1\noutput = json\n", name, account, role)
	}
	return text.String()
}

// signedIn makes a home with one profile, a token and role credentials.
func (b *bench) signedIn() (home, error) {
	h, err := b.newHome("signed-in")
	if err != nil {
		return h, err
	}
	if err := os.Mkdir(filepath.Join(h.dir, ".aws"), 0o700); err != nil {
		return h, err
	}
	if err := h.write(".aws/config", b.config(1)); err != nil {
		return h, err
	}
	login := b.command(h, b.homing, "login", "--sso-session", "dev", "--use-device-code", "--no-browser")
	if err := login.Start(); err != nil {
		return h, err
	}
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	approved := b.emu.Approve(ctx)
	if err := login.Wait(); err != nil || approved != nil {
		return h, b.explain(errors.Join(err, approved))
	}
	if err := b.complaints.Truncate(0); err != nil { // the login's talk is none
		return h, err
	}
	if out, err := b.command(h, b.homing, "credentials", "--profile", "dev").Output(); err != nil ||
		!bytes.Contains(out, []byte("ASIA")) {
		return h, b.explain(fmt.Errorf("credentials: %w", err))
	}
	return h, nil
}

func (b *bench) newHome(name string) (home, error) {
	dir, err := os.MkdirTemp(b.dir, name+"-")
	return home{dir: dir, env: []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "TERM=dumb",
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL_SSO_OIDC=" + b.base, "AWS_ENDPOINT_URL_SSO=" + b.base, "AWS_ENDPOINT_URL_STS=" + b.base}}, err
}

// another returns a copy of the home that is signed in.
func (b *bench) another(name string) (home, error) {
	h, err := b.newHome(name)
	if err != nil {
		return h, err
	}
	return h, exec.CommandContext(b.ctx, "cp", "-a", filepath.Join(b.home.dir, ".aws"), h.dir).Run()
}

// command is a program in h; its output is thrown away, its complaints are kept.
func (b *bench) command(h home, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(b.ctx, path, args...)
	cmd.Env, cmd.Dir, cmd.Stderr = slices.Clone(h.env), h.dir, b.complaints
	return cmd
}

func (h home) path(name string) string { return filepath.Join(h.dir, filepath.FromSlash(name)) }

func (h home) write(name, text string) error { return os.WriteFile(h.path(name), []byte(text), 0o600) }

// forget takes the role credentials out of the cache.
func (h home) forget() error {
	files, err := filepath.Glob(h.path(".aws/cli/cache/*.json"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("nothing is in the cache of role credentials: %w", err)
	}
	for _, name := range files {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

var expiry = regexp.MustCompile(`("(?:Expiration|expiresAt)": *")[^"]+"`)

// expire has what the files say be over: role credentials (.aws/cli/cache), tokens (.aws/sso/cache).
func (h home) expire(folder string) error {
	files, err := filepath.Glob(h.path(folder + "/*.json"))
	if err != nil {
		return err
	}
	done := 0
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		// not a registration
		if bytes.Contains(text, []byte(`"accessToken"`)) || bytes.Contains(text, []byte(`"Credentials"`)) {
			if err := os.WriteFile(name, expiry.ReplaceAll(text, []byte(`${1}2020-01-01T00:00:00Z"`)),
				0o600); err != nil {
				return err
			}
			done++
		}
	}
	if done == 0 {
		return fmt.Errorf("nothing to expire in %s", folder)
	}
	return nil
}

// run measures a program. Its error says what the program complained of.
func (b *bench) run(h home, path string, args ...string) (measured, error) {
	m, err := b.watch.run(b.command(h, path, args...))
	return m, b.explain(err)
}

// explain adds to an error what programs have complained of.
func (b *bench) explain(err error) error {
	if err == nil {
		return nil
	}
	text, readErr := os.ReadFile(b.complaints.Name())
	if text = bytes.TrimSpace(text); readErr != nil || len(text) == 0 {
		return err
	}
	return fmt.Errorf("%w\n%s", err, text[max(0, len(text)-1000):])
}

// program is the subject of one process. before is what has to be done first; nil is nothing.
func (b *bench) program(name string, before func() error, h home, path string, args ...string) subject {
	return subject{name: name, measure: func() (time.Duration, error) {
		if before != nil {
			if err := before(); err != nil {
				return 0, err
			}
		}
		m, err := b.run(h, path, args...)
		return m.took, err
	}}
}

// memory returns the most memory that a program had in any of so many runs, in MB.
func (b *bench) memory(h home, path string, args ...string) (most float64, err error) {
	for range b.size.processesMemory {
		m, err := b.run(h, path, args...)
		if err != nil {
			return 0, err
		}
		most = max(most, m.memory)
	}
	return most, nil
}

// calls counts the requests of an operation, "" for all: those that were answered well, and those that were
// throttled.
func (b *bench) calls(op string) (served, refused int) {
	for _, r := range b.emu.Requests() {
		switch {
		case op != "" && r.Op != op:
		case r.Error == "":
			served++
		case r.Status == http.StatusTooManyRequests:
			refused++
		}
	}
	return served, refused
}
