package keep

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
	"github.com/homing-cli/homing/internal/testtools"
)

func init() { children["keep"] = keepHere }

// nobody renews nothing.
type nobody struct{}

func (nobody) Ahead(context.Context, session.Session, time.Duration) (session.Token, bool, error) {
	return session.Token{}, false, fault.New(fault.Unavailable, "", "nobody is here")
}

// keepHere is a process that keeps a session in the folder of its environment, and prints what happens.
func keepHere() error {
	dir := os.Getenv("HOMING_TEST_DIR")
	s := &store.Store{AWSDir: dir}
	hold, err := Take(context.Background(), filepath.Join(dir, "state"), "build7", time.Now())
	if err != nil {
		return err
	}
	defer hold.Release()
	k := Keeper{
		Tokens: nobody{}, Files: s, Check: hold.Check, Paths: hold.Paths,
		Sessions: func() []session.Session { return []session.Session{dev} },
		Tell:     func(e Event) { fmt.Println(e.What) },
	}
	if every := os.Getenv("HOMING_TEST_COMPARING"); every != "" {
		d, err := time.ParseDuration(every)
		if err != nil {
			return err
		}
		k.Alarm = Comparing{Every: d}
	}
	if err := k.Run(context.Background()); !errors.Is(err, ErrStopped) {
		return err
	}
	fmt.Println("stopped")
	return nil
}

// switches returns how often the threads of process pid have slept, or were made to pause.
func switches(t *testing.T, pid int) (sum int) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(files) == 0 {
		t.Fatalf("process %d has no threads (%v)", pid, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // a thread that has ended
		}
		for line := range strings.SplitSeq(string(data), "\n") {
			name, value, _ := strings.Cut(line, ":")
			if !strings.HasSuffix(name, "voluntary_ctxt_switches") { // and nonvoluntary_
				continue
			}
			n, err := strconv.Atoi(strings.TrimSpace(value))
			if err != nil {
				t.Fatal(err)
			}
			sum += n
		}
	}
	return sum
}

// Between two deadlines the process does not run: the kernel counts. The same count finds one that compares. A token
// that another program writes, and the request to end, are found at once all the same.
func TestIdleProcessSleeps(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, every string
		least, most int // switches in two seconds
	}{
		// The monitor thread of Go's runtime looks once a minute: another try is quiet.
		{"told", "", 0, 2},
		{"comparing 50 times a second", "20ms", 50, 1 << 30},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			top := t.TempDir()
			dir := filepath.Join(top, "home", ".aws")
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if kind, err := kindOf(dir); err != nil || !slices.Contains(local, kind) {
				testtools.Missing(t,
					fmt.Sprintf("a temporary folder that tells of changes (%s has type %#x, %v)", dir, kind, err),
					"set TMPDIR to a local disk")
			}
			file := (&store.Store{AWSDir: dir}).TokenPath(dev.CacheKey())
			sign := func(token string) {
				t.Helper()
				text := fmt.Sprintf(
					`{"accessToken": %q, "expiresAt": %q, "startUrl": "https://x.awsapps.com/start", "region": "us-east-1"}`,
					token,
					time.Now().Add(8*time.Hour).UTC().Format(time.RFC3339),
				)
				if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text),
					0o600)); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), "HOMING_TEST_CHILD=keep", "HOMING_TEST_DIR="+dir,
				"HOMING_TEST_COMPARING="+tt.every)
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := make(chan string)
			go func() {
				defer close(lines)
				for in := bufio.NewScanner(out); in.Scan(); {
					lines <- in.Text()
				}
			}()
			says := func(want string) {
				t.Helper()
				select {
				case got := <-lines:
					if got != want {
						t.Fatalf("said %q, want %q", got, want)
					}
				case <-time.After(soon):
					t.Fatalf("has not said %q in %s", want, soon)
				}
			}
			says("absent")
			sign("a")
			says("keeping")
			slept := 0
			for range 6 {
				before := switches(t, cmd.Process.Pid)
				for i := range 20 { // what others do in folders on the way is not to be heard
					other := filepath.Join(top, fmt.Sprint(i))
					if err := errors.Join(os.WriteFile(other, nil, 0o600), os.Chmod(other, 0o640),
						os.Remove(other)); err != nil {
						t.Fatal(err)
					}
					time.Sleep(100 * time.Millisecond)
				}
				if slept = switches(t, cmd.Process.Pid) - before; slept >= tt.least && slept <= tt.most {
					break
				}
				t.Logf("%d switches in two seconds", slept)
			}
			if slept < tt.least || slept > tt.most {
				t.Errorf("%d switches in two seconds, want %d to %d", slept, tt.least, tt.most)
			}
			sign("b")
			says("replaced")
			h, running, err := Running(filepath.Join(dir, "state"))
			if err != nil || !running {
				t.Fatalf("running %v, %v", running, err)
			}
			if err := write(stopPath(filepath.Join(dir, "state")), []byte(h.ID+"\n")); err != nil { // and no signal
				t.Fatal(err)
			}
			says("stopped")
			for range lines { // to the end
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}
