package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/editor"
	"github.com/rogpeppe/go-internal/testscript"
)

// The variables through which a test speaks to the homing it started.
const (
	envMain    = "HOMING_TEST_MAIN"    // 1: this test binary is homing
	envDir     = "HOMING_TEST_DIR"     // folder of the harness: clock and captured streams
	envBrowser = "HOMING_TEST_BROWSER" // where homing sends the addresses it would open
	envRaw     = "HOMING_TEST_RAW"     // 1: print as is, for scripts that use what homing prints
	envPolicy  = "HOMING_TEST_POLICY"  // in place of /etc/homing/policy.toml
	envSockets = "HOMING_TEST_SOCKETS" // in place of the folders where editors have their sockets
	envAsk     = "HOMING_TEST_ASK"     // 1: this test binary is a program with an AWS SDK (askMain)
)

// TestMain makes the test binary homing itself when a script or a pseudo-terminal starts it.
func TestMain(m *testing.M) {
	if os.Getenv(envAsk) == "1" {
		askMain()
	}
	if os.Getenv(envMain) == "1" {
		homingMain()
	}
	if signal.Ignored(syscall.SIGHUP) { // under nohup the programs we start would ignore it too
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	// Scripts mostly wait, for intervals and for people. What -parallel says on the command line counts more.
	if err := flag.Set("test.parallel", strconv.Itoa(max(6, runtime.GOMAXPROCS(0)))); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"homing": homingMain})
}

// homingMain is the real program in the real environment, but for three things: the clock is as far ahead as the
// test wants, addresses to open go to the test, and what it prints is captured and freed of what changes every time.
// A failure ends with its exit code in words.
func homingMain() {
	env := app.OSEnv()
	// The machine the test runs on is not the place it is about.
	env.Exists, env.ReadFile, env.Tmux, env.HostName = nil, nil, nil, "build7"
	env.CanOpen = nil // the test opens
	env.PolicyFile = os.Getenv(envPolicy)
	env.FindEditor = func(ctx context.Context) (editor.Window, []editor.Try, bool) {
		return editor.Find(ctx, editor.Places{
			Getenv: env.Getenv, Dirs: []string{os.Getenv(envSockets)}, UID: -1,
			Tmux: func(context.Context, string) (string, bool) { return "", false },
		})
	}
	env.KeepLook = 20 * time.Millisecond // the clock of a script jumps
	dir := os.Getenv(envDir)
	if dir != "" {
		if err := os.Setenv(envMain, "1"); err != nil { // for the keep that is started in the background
			panic(err)
		}
		go endWith(dir)
		env.Now = func() time.Time { return time.Now().Add(readAhead(dir)) }
		env.Stdout = capture(dir, "stdout", env.Args, env.Stdout)
		env.Stderr = capture(dir, "stderr", env.Args, env.Stderr)
	}
	if to := os.Getenv(envBrowser); to != "" {
		env.OpenBrowser = func(ctx context.Context, url string, window *editor.Window) error {
			if window != nil && window.Open(ctx, url) == nil {
				return nil
			}
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(url))
			if err != nil {
				return err
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			return resp.Body.Close()
		}
	}
	code := start(env, func() app.Env { return env }) // as Start does
	if code != 0 && dir != "" {
		fmt.Fprintf(os.Stderr, "[exit code %d]\n", code) // so that goldens hold it
	}
	os.Exit(code)
}

// endWith ends this process when the folder of its test is gone: nothing outlives a script that failed.
func endWith(dir string) {
	for {
		time.Sleep(time.Second)
		if _, err := os.Stat(dir); err != nil {
			os.Exit(1)
		}
	}
}

// readAhead returns how far the test's clock is ahead.
func readAhead(dir string) time.Duration {
	var text []byte
	for len(text) == 0 { // empty between the moment advance opens the file and the moment it writes
		var err error
		if text, err = os.ReadFile(filepath.Join(dir, "ahead")); err != nil {
			return 0
		}
	}
	d, err := time.ParseDuration(string(text))
	if err != nil {
		panic(err)
	}
	return d
}

// capture returns a writer that keeps what is printed for the search for secrets, and passes it on scrubbed.
func capture(dir, stream string, args []string, to io.Writer) io.Writer {
	name := "homing"
	if len(args) > 0 {
		name = strings.Trim(args[0], "-")
	}
	f, err := os.CreateTemp(dir, fmt.Sprintf("%s.*.%s", name, stream))
	if err != nil {
		panic(err)
	}
	return scrubWriter{
		keep:    f,
		to:      to,
		raw:     os.Getenv(envRaw) == "1",
		work:    os.Getenv("WORK"),
		sockets: os.Getenv(envSockets),
	}
}

type scrubWriter struct {
	keep, to io.Writer
	raw      bool
	work     string
	sockets  string // the folder of editor windows
}

func (w scrubWriter) Write(p []byte) (int, error) {
	if _, err := w.keep.Write(p); err != nil {
		return 0, err
	}
	text := string(p)
	if !w.raw {
		text = scrub(scrubFolder(text, w.sockets, "$SOCKETS"), w.work)
	}
	if _, err := io.WriteString(w.to, text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// What differs from run to run, and what stands for it in a golden.
var scrubs = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\b\d{4,} days\b`), "NNNNN days"}, // from a date that stands in a script
	{regexp.MustCompile(`\b(19|20)\d\d-\d\d-\d\d \d\d:\d\d UTC`), "YYYY-MM-DD HH:MM UTC"},
	{regexp.MustCompile(`\b(?:19|20)\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "YYYY-MM-DDTHH:MM:SSZ"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:PORT"},
	{regexp.MustCompile(`\bport \d{4,5}\b`), "port PORT"},
	{regexp.MustCompile(`127\.0\.0\.1%3A\d+`), "127.0.0.1%3APORT"},
	{regexp.MustCompile(`\(20\d\d-\d\d-\d\d\)`), "(YYYY-MM-DD)"},
	{regexp.MustCompile(`in use by \S+ \(pid \d+\)`), "in use"}, // said where the system tells: see package callback
	{regexp.MustCompile(`\bprocess \d+ on\b`), "process N on"},
	{regexp.MustCompile(`forward \d{4,5}:\d{4,5} `), "forward PORT:PORT "},
	{regexp.MustCompile(`(-L |forward )\d{4,5}:`), "${1}PORT:"},
	{regexp.MustCompile(`(-|/proxy/)\d{4,5}(\.app\.|$|[/,])`), "${1}PORT$2"},
	{regexp.MustCompile(`\b[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}\b`), "WXYZ-WXYZ"},
	{regexp.MustCompile(`\b(client_id|state|code_challenge)=[^&"\s\x1b]+`), "$1=RANDOM"},
	{regexp.MustCompile(`"[^"]{8}…"`), `"KEYSTART…"`},
	{regexp.MustCompile(`\bhoming-demo-\d+`), "homing-demo-N"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "UUID"},
}

func scrubFolder(text, dir, with string) string {
	if dir == "" {
		return text
	}
	return strings.ReplaceAll(text, dir, with)
}

func scrub(text, work string) string {
	text = scrubFolder(text, work, "$WORK")
	for _, s := range scrubs {
		text = s.pattern.ReplaceAllString(text, s.with)
	}
	return text
}
