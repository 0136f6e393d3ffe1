//go:build unix

package interop

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/awsmodel"
	"github.com/homing-cli/homing/internal/testtools"
)

// number is the environment variable name, else usual.
func number(t *testing.T, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q, want a number", name, text)
	}
	return n
}

// homingWithoutLeases edits as on a file system without leases.
func homingWithoutLeases(t *testing.T) string {
	t.Helper()
	return build(t, "../cmd/homing", "-tags", "nolease")
}

// TestEditsBesideTheAWSCLI edits the config file with homing while the AWS CLI's own writer changes it, in place and
// without a lock. Neither loses an edit of the other. EDIT_ROUNDS and EDIT_ROUNDS_LARGE make it a soak.
//
// It is not parallel: homing watches the replaced file for as long as a write by the AWS CLI takes, not as long as
// one on a machine that is kept busy.
func TestEditsBesideTheAWSCLI(t *testing.T) {
	small, large := number(t, "EDIT_ROUNDS", 200), number(t, "EDIT_ROUNDS_LARGE", 20)
	for _, c := range []struct {
		name         string
		homing       func(*testing.T) string
		size, rounds int
	}{
		{"13 kB", homing, 13_000, small},
		{"2 MB", homing, 2_000_000, large},
		{"13 kB without leases", homingWithoutLeases, 13_000, small},
		{"2 MB without leases", homingWithoutLeases, 2_000_000, large},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEditing(t, c.homing(t), c.size)
			writer := e.startWriter()
			for range c.rounds {
				e.round(writer)
			}
			e.leavesNothing()
			t.Log(e.summary())
			if e.writes < c.rounds || e.killed == 0 || e.completed == 0 {
				t.Errorf("too little happened: %d rounds, %s", c.rounds, e.summary())
			}
		})
	}
}

// TestEditsBesideAWSConfigureSet does the same beside the program itself.
func TestEditsBesideAWSConfigureSet(t *testing.T) {
	for name, find := range map[string]func(testing.TB) string{"1": testtools.AWSCLI1, "2.38": testtools.AWSCLI} {
		t.Run("AWS CLI "+name, func(t *testing.T) {
			aws := find(t)
			e := newEditing(t, homing(t), 13_000)
			set := make(chan int)
			go func() {
				defer close(set)
				for i := range number(t, "CONFIGURE_SETS", 8) {
					e.run(e.env(), []int{0}, aws, "configure", "set", "region", fmt.Sprintf("r-%d", i), "--profile",
						fmt.Sprintf("cli-%02d", i))
					set <- i
				}
			}()
			for more := true; more; {
				select {
				case i, ok := <-set:
					if more = ok; ok {
						e.want[key2{fmt.Sprintf("profile cli-%02d", i), "region"}] = fmt.Sprintf("r-%d", i)
						e.writes++
					}
				default:
					edit := e.nextEdit()
					e.completes(edit)
					maps.Copy(e.want, edit.sets)
				}
			}
			e.check(nil, false)
			e.leavesNothing()
			t.Log(e.summary())
		})
	}
}

// key2 names a key of a section.
type key2 struct{ section, name string }

// editing is a config file that homing and another program change.
type editing struct {
	*world
	homing  string
	path    string
	look    time.Duration   // how long homing watches the file that it replaced
	fillers []string        // sections that nobody changes
	want    map[key2]string // what the others hold
	chance  *rand.Rand
	took    time.Duration // the longest edit so far that was not killed

	edits, completed, refused, killed, writes, excused int
	lostBytes                                          int
}

func newEditing(t *testing.T, homing string, size int) *editing {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	e := &editing{
		world: newWorld(t, awsmodel.Checks(0)), homing: homing, want: map[key2]string{},
		chance: rand.New(rand.NewPCG(seed, 0)),
		look:   20*time.Millisecond + time.Duration(size)*100*time.Millisecond/1_000_000,
	}
	e.path = e.world.path(".aws", "config")
	e.config(false)
	e.signIn(false)
	text := e.read(e.path)
	for i := range 20 {
		name := fmt.Sprintf("profile cli-%02d", i)
		e.want[key2{name, "region"}] = "r-0"
		text += "[" + name + "]\nregion = r-0\n"
	}
	for i := 0; len(text) < size; i++ {
		filler := fmt.Sprintf("[profile filler-%05d]\nrole_arn = "+
			"arn:aws:iam::111122223333:role/R%05d\nsource_profile = dev\n", i, i)
		e.fillers = append(e.fillers, filler)
		text += filler
	}
	e.write(e.path, text)
	// When configure sso reads the truncated file, it finds no session and signs in.
	go func() {
		for e.emu.Approve(t.Context()) == nil {
		}
	}()
	return e
}

func (e *editing) summary() string {
	return fmt.Sprintf("%d edits by homing, %d refused, %d killed, beside %d writes; longest edit %s; %d rounds with "+
		"a write slower than %s",
		e.edits, e.refused, e.killed, e.writes, e.took.Round(time.Millisecond), e.excused, e.look)
}

// edit is a command of homing and what it leaves in the file.
type edit struct {
	args []string
	sets map[key2]string
}

func (e *editing) nextEdit() edit {
	e.edits++
	n := e.edits
	region := "eu-west-" + strconv.Itoa(1+n%3)
	switch n % 3 {
	case 0:
		name, url := fmt.Sprintf("edit-%d", n%8), fmt.Sprintf("https://d-%010d.awsapps.com/start", n)
		return edit{
			[]string{"configure", "sso-session", "--sso-session", name, "--sso-start-url", url, "--sso-region",
				"us-east-1"},
			map[key2]string{{"sso-session " + name, "sso_start_url"}: url, {"sso-session " + name,
				"sso_region"}: "us-east-1"},
		}
	case 1:
		name := fmt.Sprintf("edit-%d", n%8)
		return edit{
			[]string{"configure", "sso", "--profile", name, "--sso-session", sessionName, "--sso-start-url",
				emulator.DefaultStartURL,
				"--sso-region", emulator.DefaultRegion, "--sso-account-id", accountID, "--sso-role-name", roleName,
				"--region", region, "--output", "json", "--no-browser"},
			map[key2]string{{"profile " + name, "region"}: region, {"profile " + name, "sso_account_id"}: accountID},
		}
	}
	return edit{
		[]string{"profiles", "sync", "--sso-session", sessionName, "--yes", "--region", region},
		map[key2]string{{"profile engine-Admin", "region"}: region, {"profile engine-Admin",
			"sso_role_name"}: roleName},
	}
}

// completes runs an edit to its end. It may be refused, with nothing changed: a command that reads the file at the
// moment when the other program has truncated it finds no session there, as the AWS CLI does. On a busy machine that
// moment is as long as the other program waits for a processor.
func (e *editing) completes(edit edit) {
	e.Helper()
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		before := time.Now()
		_, said := e.run(e.env(), []int{0, 3}, e.homing, edit.args...)
		e.took = max(e.took, time.Since(before))
		if said == "" || !strings.Contains(said, "homing: ") {
			e.completed++
			return
		}
		e.refused++
		e.Log(strings.TrimSpace(said))
	}
	e.Fatalf("refused for 20 s: homing %s", strings.Join(edit.args, " "))
}

// isKilled starts an edit and kills it, unless it ends before.
func (e *editing) isKilled(edit edit) {
	e.Helper()
	cmd := exec.CommandContext(e.Context(), e.homing, edit.args...)
	cmd.Env, cmd.Dir = e.env(), e.home
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		e.Fatal(err)
	}
	time.Sleep(time.Duration(e.chance.Int64N(int64(e.took) + 1)))
	_ = cmd.Process.Kill()
	var exit *exec.ExitError
	if err := cmd.Wait(); errors.As(err, &exit) && exit.Exited() && exit.ExitCode() != 3 {
		e.Fatalf("homing %s: %v\n%s", strings.Join(edit.args, " "), err, said.String())
	}
	e.killed++
}

// round is one edit by homing beside writes by another program. Every third is killed, and then one more follows.
func (e *editing) round(w *configWriter) {
	e.Helper()
	edit, kill := e.nextEdit(), e.took > 0 && e.chance.IntN(3) == 0
	w.goOn()
	time.Sleep(time.Duration(e.chance.IntN(10)) * time.Millisecond)
	if kill {
		e.isKilled(edit)
	} else {
		e.completes(edit)
	}
	values, slowest := w.stop()
	for section, value := range values {
		e.want[key2{section, "region"}] = value
	}
	// A program that writes back what it read longer ago than homing watches undoes the edit. Nothing else may be lost
	// then.
	slow := slowest > e.look
	if slow {
		e.excused++
	}
	maybe := maps.Clone(edit.sets)
	if kill {
		next := e.nextEdit()
		e.completes(next)
		for k := range next.sets {
			delete(maybe, k)
		}
		maps.Copy(e.want, next.sets)
	} else if !slow {
		maps.Copy(e.want, edit.sets)
		maybe = nil
	}
	e.check(maybe, slow)
}

// check reads the file: everything is as wanted. The values of maybe may be there or not.
func (e *editing) check(maybe map[key2]string, slow bool) {
	e.Helper()
	text := e.read(e.path)
	lost := 0
	rest := text
	for _, filler := range e.fillers { // they keep their order
		if at := strings.Index(rest, filler); at >= 0 {
			rest = rest[at+len(filler):]
		} else {
			lost += len(filler)
		}
	}
	if lost > 0 {
		e.lostBytes += lost
		e.Errorf("%d bytes that nobody changed are lost; the file has %d bytes", lost, len(text))
	}
	has := sections(text)
	for k, v := range maybe {
		if has[k] == v || e.want[k] == "" {
			e.want[k] = has[k]
		}
		if e.want[k] == "" {
			delete(e.want, k)
		}
	}
	for k, v := range e.want {
		if has[k] == v {
			continue
		}
		e.Errorf("[%s] %s is %q, want %q (a slow write: %t)", k.section, k.name, has[k], v, slow)
		e.want[k] = has[k]
	}
	if e.Failed() {
		e.Fatalf("after %s", e.summary())
	}
}

func sections(text string) map[key2]string {
	has, section := map[key2]string{}, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "["); ok {
			section = strings.TrimSuffix(name, "]")
		} else if name, value, ok := strings.Cut(line, "="); ok {
			has[key2{section, strings.TrimSpace(name)}] = strings.TrimSpace(value)
		}
	}
	return has
}

// leavesNothing checks that no draft is left beside the file.
func (e *editing) leavesNothing() {
	e.Helper()
	entries, err := os.ReadDir(filepath.Dir(e.path))
	if err != nil {
		e.Fatal(err)
	}
	usual := []string{"config", "config.lock", "config.homing-backup", "homing", "sso", "cli"}
	for _, entry := range entries {
		if !slices.Contains(usual, entry.Name()) {
			e.Errorf("%s is left behind", entry.Name())
		}
	}
}

// configWriter is interop/editing/writer.py.
type configWriter struct {
	e   *editing
	in  io.Writer
	out *bufio.Scanner
}

func (e *editing) startWriter() *configWriter {
	e.Helper()
	python := filepath.Join(filepath.Dir(testtools.AWSCLI1(e.T)), "python")
	cmd := exec.CommandContext(e.Context(), python, abs(e.T, "editing", "writer.py"), e.path,
		strconv.Itoa(e.chance.IntN(1<<30)))
	cmd.Env, cmd.Stderr = e.env(), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		e.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		e.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		e.Fatal(err)
	}
	e.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &configWriter{e, in, bufio.NewScanner(out)}
}

func (w *configWriter) tell(word string) {
	w.e.Helper()
	if _, err := io.WriteString(w.in, word+"\n"); err != nil {
		w.e.Fatalf("writer.py: %v", err)
	}
}

func (w *configWriter) goOn() { w.tell("go") }

// stop returns what was written since goOn, once nothing is being written any more.
func (w *configWriter) stop() (values map[string]string, slowest time.Duration) {
	w.e.Helper()
	w.tell("stop")
	var said struct {
		Values  map[string]string
		Writes  int
		Slowest float64
	}
	if !w.out.Scan() {
		w.e.Fatalf("writer.py ended: %v", w.out.Err())
	}
	if err := json.Unmarshal(w.out.Bytes(), &said); err != nil {
		w.e.Fatalf("writer.py: %q: %v", w.out.Text(), err)
	}
	w.e.writes += said.Writes
	return said.Values, time.Duration(said.Slowest * float64(time.Second))
}
