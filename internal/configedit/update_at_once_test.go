package configedit

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/awsconfig/grammar"
	"github.com/homing-cli/homing/internal/fault"
)

var kills = flag.Int("awsconfig.kills", 40, "how often TestUpdateKilled kills a process")

// A process that is killed at any moment leaves the old or the new version, and the next one goes on. So does the
// backup, which is always a version of the file as a whole.
func TestUpdateKilled(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no SIGKILL on Windows")
	}
	const n = 300
	base := big(n)
	grown := applied(t, base, grow(n, false)...)
	regions := regexp.MustCompile(`(?m)^region = (.*)$`)
	lines := strings.Count(base, "\n")
	sound := map[string]func(got string) bool{
		"grow": func(got string) bool { return got == base || got == grown },
		"flip": func(got string) bool {
			all := regions.FindAllString(got, -1)
			slices.Sort(all)
			return strings.Count(got, "\n") == lines && len(all) == n && all[0] == all[n-1]
		},
	}
	rounds := *kills
	if testing.Short() {
		rounds = 10
	}
	inside := 0
	for _, what := range []string{"grow", "flip"} {
		path := filepath.Join(t.TempDir(), "config")
		put(t, path, base, 0o600)
		for round := range rounds / 2 {
			if killed := killIn(t, path, what, n); killed {
				inside++
			}
			for _, version := range []string{path, path + BackupSuffix} {
				if got := text(t, version); !sound[what](got) {
					t.Fatalf("round %d: %s of %d bytes is no version of the file", round, version, len(got))
				}
			}
		}
		if err := Update(t.Context(), path, region); err != nil {
			t.Fatal(err)
		}
		if got := listed(t, filepath.Dir(path)); !slices.Equal(got,
			[]string{"config", "config" + BackupSuffix, "config.lock"}) {
			t.Errorf("left behind: %v", got)
		}
	}
	t.Logf("%d of %d were killed while there was a temporary file", inside, rounds)
}

// killIn starts a process that edits without end and kills it somewhere in the middle. It reports whether that was
// between the first byte of a temporary file and its renaming.
func killIn(t *testing.T, path, what string, n int) bool {
	t.Helper()
	cmd := child(t, what, path, fmt.Sprint(n))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	lines.Scan()
	wait := time.NewTimer(rand.N(time.Since(start)/2 + time.Millisecond)) // somewhere in the next edits
	defer wait.Stop()
	<-wait.C
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".homing-*"))
	return err == nil && len(left) > 0
}

// Two programs at once lose nothing: goroutines and processes each add profiles of their own.
func TestUpdateAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	const each = 8
	atOnce(t, 2, func(i int) *exec.Cmd {
		return child(t, "add", path, fmt.Sprintf("process-%d-", i), fmt.Sprint(each))
	}, func(i int) error {
		var err error
		for j := range each {
			err = errors.Join(
				err,
				Update(t.Context(), path,
					set1(Section{grammar.KindProfile, fmt.Sprintf("goroutine-%d-%d", i, j)}, "region", "r")),
			)
		}
		return err
	})
	c, err := awsconfig.Load(awsconfig.Paths{Config: path})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(c.ProfileNames()); got != 4*each {
		t.Errorf("%d profiles, want %d", got, 4*each)
	}
	if got := listed(t, filepath.Dir(path)); len(got) != 3 {
		t.Errorf("left behind: %v", got)
	}
}

// What UpdateFunc works out, it works out from what the others have written.
func TestUpdateFuncAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	const each = 25
	atOnce(t, 2, func(int) *exec.Cmd { return child(t, "count", path, fmt.Sprint(each)) }, func(int) error {
		var err error
		for range each {
			err = errors.Join(err, UpdateFunc(t.Context(), path, countUp))
		}
		return err
	})
	if got, want := text(t, path), fmt.Sprintf("[profile dev]\nregion = %d\n", 4*each); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// atOnce runs n processes and n goroutines at once.
func atOnce(t *testing.T, n int, process func(i int) *exec.Cmd, goroutine func(i int) error) {
	t.Helper()
	var cmds []*exec.Cmd
	for i := range n {
		cmd := process(i)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := goroutine(i); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
}

func TestUpdateFunc(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	var seen []string
	edit := func(src []byte) ([]Edit, error) {
		seen = append(seen, string(src))
		return []Edit{region}, nil
	}
	for range 2 { // the second time there is nothing to do
		if err := UpdateFunc(t.Context(), path, edit); err != nil {
			t.Fatal(err)
		}
	}
	const after = "[profile dev]\nregion = new\n"
	if got := text(t, path); got != after || !slices.Equal(seen, []string{"", after}) {
		t.Errorf("file %q, seen %q", got, seen)
	}
	seen = nil
	put(t, path, "[profile dev]\nregion = a\n", 0o600)
	other := func(src []byte) ([]Edit, error) {
		if len(seen) == 0 { // another program writes before the lock is held
			put(t, path, "[profile dev]\nregion = b\noutput = theirs\n", 0o600)
		}
		return edit(src)
	}
	if err := UpdateFunc(t.Context(), path, other); err != nil {
		t.Fatal(err)
	}
	if got, want := text(t, path), "[profile dev]\nregion = new\noutput = theirs\n"; got != want || len(seen) != 2 ||
		!strings.Contains(seen[1], "theirs") {
		t.Errorf("file %q, want %q; seen %q", got, want, seen)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	stopped := fault.New(fault.Usage, "h", "not like this")
	if err := UpdateFunc(t.Context(), path, func([]byte) ([]Edit, error) { return nil, stopped }); !errors.Is(err,
		stopped) {
		t.Errorf("the error of the caller became %v", err)
	}
	stopLater := func(src []byte) ([]Edit, error) {
		if strings.Contains(string(src), "changed") {
			return nil, stopped
		}
		put(t, path, "# changed\n", 0o600)
		return []Edit{set1(dev, "region", "newer")}, nil
	}
	if err := UpdateFunc(t.Context(), path, stopLater); !errors.Is(err, stopped) || text(t, path) != "# changed\n" {
		t.Errorf("under the lock: %v, %q", err, text(t, path))
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Error("an error wrote something")
	}
}
