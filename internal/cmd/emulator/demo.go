package emulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/editor"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/quote"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
	"github.com/spf13/cobra"
)

// runner runs one command of homing and returns its exit code.
type runner func(ctx context.Context, env app.Env) (code int)

type demoOptions struct {
	app         *app.App
	runHoming   runner
	interactive bool
}

// NewDemo returns the command demo, which runs homing's commands through runHoming.
func NewDemo(a *app.App, runHoming runner) *cobra.Command {
	o := &demoOptions{app: a, runHoming: runHoming}
	cmd := &cobra.Command{
		Use:     "demo",
		GroupID: app.GroupTry,
		Short:   "Show what homing does, on the emulator and unattended",
		Long: app.Lines(
			"Starts an emulator on loopback with a temporary home folder. Then it configures a profile, signs in by",
			"browser redirect and by device code, shows the files, the credentials and the renewal of an expired",
			"token, and removes everything. It needs no AWS account, and does not touch AWS or your home folder.",
		),
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	cmd.Flags().BoolVar(&o.interactive, "interactive", false, "do the browser part yourself")
	return cmd
}

const (
	demoProfile = "demo"
	demoSession = "demo-session"
)

// demo is one run of the demo: an emulator, a home folder, and a clock for both.
type demo struct {
	out       io.Writer
	env       app.Env // of the commands it runs
	runHoming runner
	person    *emulator.Person
	server    *emulator.Server
	base      string     // URL of the emulator
	errs      chan error // errors of the person in the browser
	people    sync.WaitGroup

	mu    sync.Mutex
	ahead time.Duration // how far the demo's clock is ahead of the real one
}

func (o *demoOptions) run(ctx context.Context) (err error) {
	// If the reader is gone, as after `| head`, SIGPIPE would kill the process before it has cleaned up.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &output{w: o.app.Env.Stdout, cancel: cancel}
	defer func() {
		if out.err != nil && !errors.Is(out.err, syscall.EPIPE) {
			err = &fault.Error{
				Kind:   fault.Config,
				Msg:    "cannot write: " + out.err.Error(),
				Remedy: fault.Run{"homing", "demo"},
				Err:    out.err,
			}
		}
	}()
	home, err := os.MkdirTemp("", "homing-demo-")
	if err != nil {
		return &fault.Error{
			Kind:   fault.Config,
			Msg:    "cannot make a temporary folder: " + err.Error(),
			Remedy: fault.Advice("set TMPDIR to a folder that you can write to"),
			Err:    err,
		}
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return &fault.Error{
			Kind:   fault.Config,
			Msg:    "cannot listen on 127.0.0.1: " + err.Error(),
			Remedy: fault.Advice("run it on a machine where programs can listen on loopback"),
			Err:    err,
		}
	}
	d := &demo{
		out: out, runHoming: o.runHoming, server: &emulator.Server{}, base: "http://" + listener.Addr().String(),
		errs: make(chan error, 8),
	}
	d.person = d.server.Person()
	served, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- serve(served, listener, d.server) }()
	defer func() {
		stop()
		err = errors.Join(err, <-done)
		d.people.Wait()
	}()
	d.env = app.Env{
		LookupEnv: d.lookupEnv(home),
		Stdin:     strings.NewReader(""),
		Home:      home,
		Now:       d.now,
		OpenBrowser: func(_ context.Context, url string, _ *editor.Window) error {
			d.people.Go(func() {
				if err := d.person.Open(served, url); err != nil {
					d.errs <- err
				}
			})
			return nil
		},
	}
	if o.interactive {
		d.env.OpenBrowser = o.app.Env.OpenBrowser
		d.env.Terminal = app.Terminal{
			Stderr: o.app.Env.Terminal.Stderr,
			Width:  max(0, o.app.Env.Terminal.Width-len(demoIndent)),
		}
	}
	return d.tell(ctx, o.interactive)
}

func (d *demo) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Now().Add(d.ahead)
}

// advance moves the clocks of the emulator and of homing.
func (d *demo) advance(by time.Duration) {
	d.mu.Lock()
	d.ahead += by
	d.mu.Unlock()
	d.server.Advance(by)
}

// lookupEnv returns the environment of the demo's commands, which holds nothing from the person's own.
func (d *demo) lookupEnv(home string) func(string) (string, bool) {
	vars := map[string]string{
		"HOME": home, "DISPLAY": ":0", // a laptop
		"HOMING_REDIRECT_PORT":      "0", // another login may use the usual port
		"AWS_ENDPOINT_URL_SSO_OIDC": d.base, "AWS_ENDPOINT_URL_SSO": d.base, "AWS_ENDPOINT_URL_STS": d.base,
	}
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

// tell runs the chapters of the demo.
func (d *demo) tell(ctx context.Context, interactive bool) error {
	who := "a simulated person uses the browser for you"
	if interactive {
		who = "you use the browser; the user name is ada, with any password"
	}
	d.say("homing with an Identity Center of its own; %s.\nThe demo does not touch your home folder or AWS.\n", who)

	d.chapter("An Identity Center on loopback", "homing emulator serves the same for your own trials.")
	d.say("%s%s, start URL %s, region %s\n", demoIndent, d.base, emulator.DefaultStartURL, emulator.DefaultRegion)

	d.chapter("Configure a profile, sign in by browser redirect (PKCE)",
		"The AWS CLI's wizard; here every answer is a flag. The redirect comes back to a listener on 127.0.0.1.")
	account, role, err := d.firstRole()
	if err != nil {
		return err
	}
	if err := d.homing(ctx, "configure", "sso", "--profile", demoProfile, "--sso-session", demoSession,
		"--sso-start-url", emulator.DefaultStartURL, "--sso-region", emulator.DefaultRegion,
		"--sso-account-id", account, "--sso-role-name", role, "--flow", "pkce"); err != nil {
		return err
	}
	err = d.files("The AWS CLI and the SDKs read these; homing adds the empty locks and the client registration.")
	if err != nil {
		return err
	}
	d.chapter("Role credentials", "In the format of credential_process; the demo shortens the values.")
	if err := d.homing(ctx, "credentials", "--profile", demoProfile); err != nil {
		return err
	}
	d.chapter("An hour later the token has expired; homing renews it without a browser",
		"The demo advances both clocks by 61 minutes.")
	d.advance(61 * time.Minute)
	for _, args := range [][]string{{"status"}, {"login", "--profile", demoProfile}, {"status"}} {
		if err := d.homing(ctx, args...); err != nil {
			return err
		}
	}
	d.chapter("Sign in by device code",
		"For a shell whose browser is on another machine. homing can renew this token too: the session has a scope.")
	if err := d.homing(ctx, "login", "--profile", demoProfile, "--use-device-code", "--force"); err != nil {
		return err
	}
	d.advance(61 * time.Minute)
	d.say("\n%sAnother hour later:\n", demoIndent)
	if err := d.homing(ctx, "login", "--profile", demoProfile); err != nil {
		return err
	}
	d.chapter("Sign out", "At the service and here; homing removes the role credentials too.")
	if err := d.homing(ctx, "logout", "--sso-session", demoSession); err != nil {
		return err
	}
	if err := d.files("The configuration is left, and the client registration for next time."); err != nil {
		return err
	}
	d.say("\nThat is all. To start with your own account: homing configure sso\n")
	return nil
}

// output is the demo's stdout. The first write that fails cancels the demo.
type output struct {
	w      io.Writer
	cancel context.CancelFunc
	mu     sync.Mutex
	err    error
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(p)
	if err != nil {
		o.err = err
		o.cancel()
	}
	return n, err
}

const demoIndent = "    "

func (d *demo) say(format string, args ...any) { _, _ = fmt.Fprintf(d.out, format, args...) }

func (d *demo) chapter(title, text string) {
	d.say("\n== %s\n%s\n\n", title, text)
}

// homing runs one command and shows it with its output.
func (d *demo) homing(ctx context.Context, args ...string) error {
	d.say("%s$ homing %s\n", demoIndent, commandLine(args))
	show := &indenter{w: d.out}
	env := d.env
	env.Args, env.Stderr, env.Stdout = args, show, show
	var answer bytes.Buffer
	if args[0] == "credentials" {
		env.Stdout = &answer
	}
	code := d.runHoming(ctx, env)
	if answer.Len() > 0 {
		_, _ = io.WriteString(show, shorten(answer.String()))
	}
	if code == 0 {
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case err := <-d.errs:
		return fmt.Errorf("the person in the browser: %w", err)
	default:
		return fmt.Errorf("homing %s ended with exit code %d", args[0], code)
	}
}

// commandLine returns a command, wrapped to fit a terminal.
func commandLine(args []string) string {
	var b strings.Builder
	column := 0
	for i, arg := range args {
		if strings.HasPrefix(arg, "--") && column > 70 {
			b.WriteString(" \\\n" + demoIndent + demoIndent)
			column = 0
		} else if i > 0 {
			b.WriteByte(' ')
		}
		arg = quote.Sh.Arg(arg)
		b.WriteString(arg)
		column += len(arg) + 1
	}
	return b.String()
}

// firstRole returns an account and a role that exist in the emulator.
func (d *demo) firstRole() (account, role string, err error) {
	for _, a := range emulator.DefaultDirectory().Accounts {
		return a.ID, a.Roles[0].Name, nil
	}
	return "", "", errors.New("the emulator's directory is empty")
}

// files lists the files of the demo's home folder and explains them.
func (d *demo) files(text string) error {
	d.chapter("Files", text)
	st := &store.Store{AWSDir: filepath.Join(d.env.Home, ".aws")}
	s := session.Session{
		Name:     demoSession,
		StartURL: emulator.DefaultStartURL,
		Region:   emulator.DefaultRegion,
		Scopes:   []string{session.DefaultScope},
	}
	what := map[string]string{
		filepath.Join(st.AWSDir, "config"):                     "the profile and the session, as you would write them",
		st.TokenPath(s.CacheKey()):                             "the token, named as the AWS CLI and the SDKs do",
		st.RegistrationPath(store.RegistrationKey{Session: s}): "the client registration, for the next sign-in",
	}
	return filepath.WalkDir(d.env.Home, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(d.env.Home, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		about := what[path]
		switch {
		case about != "":
		case filepath.Base(name) == "worked.json":
			about = "the sign-in method that worked here, tried first next time"
		case filepath.Ext(name) == ".lock":
			about = "keeps two processes from doing the same thing at once"
		case strings.HasPrefix(filepath.Base(name), "roles-"):
			about = "which role credentials the session fetched, so that a sign-out removes them"
		case filepath.Base(filepath.Dir(filepath.Dir(path))) == "cli":
			about = "role credentials, shared with the AWS CLI"
		}
		d.say("%s%s  ~/%s\n%s            %s\n", demoIndent, info.Mode().Perm(), filepath.ToSlash(name), demoIndent,
			about)
		return nil
	})
}

// shorten cuts the secret values of a credentials document to 8 characters.
func shorten(credentials string) string {
	var out strings.Builder
	for line := range strings.Lines(credentials) {
		key, value, ok := strings.Cut(line, `": "`)
		_, name, _ := strings.Cut(key, `"`)
		if ok && len(value) > 8 && (name == "AccessKeyId" || name == "SecretAccessKey" || name == "SessionToken") {
			line = key + `": "` + value[:8] + `…"` + strings.TrimLeft(value[strings.LastIndex(value, `"`)+1:], " ")
		}
		out.WriteString(line)
	}
	return out.String()
}

// indenter indents every line that it writes to w.
type indenter struct {
	mu     sync.Mutex
	w      io.Writer
	inLine bool
}

func (i *indenter) Write(p []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	var b bytes.Buffer
	for _, c := range p {
		if !i.inLine && c != '\n' {
			b.WriteString(demoIndent)
		}
		i.inLine = c != '\n'
		b.WriteByte(c)
	}
	if _, err := i.w.Write(b.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}
