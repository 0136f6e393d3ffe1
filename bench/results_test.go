//go:build unix

package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var (
	here  = Machine{CPU: "Fast 3000", Cores: 2, OS: "linux/amd64", Kernel: "6.18", Go: "go1.26.8"}
	there = Machine{CPU: "Fast 3000", Cores: 4, OS: "linux/amd64", Kernel: "6.18", Go: "go1.26.8"}
)

// Only the last results of the same machine are compared with; another one's are refused by name.
func TestOtherMachine(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out", "bench.json")
	var saved Saved
	if err := saved.load(path); err != nil {
		t.Fatal(err)
	}
	if rows, err := saved.of(here); rows != nil || err != nil {
		t.Errorf("without results: %v, %v", rows, err)
	}

	saved.keep(Results{Machine: there, Rows: []Row{{Key: "theirs"}}})
	if err := saved.save(path); err != nil {
		t.Fatal(err)
	}
	saved = Saved{}
	if err := saved.load(path); err != nil {
		t.Fatal(err)
	}
	rows, err := saved.of(here)
	var other *otherMachine
	if rows != nil || !errors.As(err, &other) || !strings.Contains(err.Error(), "4 cores") ||
		!strings.Contains(err.Error(), "2 cores") {
		t.Errorf("with another's: %v, %v", rows, err)
	}

	for _, key := range []string{"old", "new"} {
		saved.keep(Results{Machine: here, Rows: []Row{{Key: key}}})
	}
	if rows, err := saved.of(here); err != nil || len(rows) != 1 || rows[0].Key != "new" {
		t.Errorf("with both: %v, %v", rows, err)
	}
	if rows, err := saved.of(there); err != nil || len(rows) != 1 || rows[0].Key != "theirs" || len(saved.Runs) != 2 {
		t.Errorf("the other's: %v, %v", rows, err)
	}
}

// Two machines that differ in anything are not one.
func TestEveryFieldTells(t *testing.T) {
	t.Parallel()
	for i := range reflect.TypeFor[Machine]().NumField() {
		changed := here
		field := reflect.ValueOf(&changed).Elem().Field(i)
		if field.Kind() == reflect.Int {
			field.SetInt(99)
		} else {
			field.SetString("changed")
		}
		saved := Saved{Runs: []Results{{Machine: changed, Rows: []Row{{Key: "theirs"}}}}}
		if rows, err := saved.of(here); rows != nil || err == nil {
			t.Errorf("%s: compared with %s", reflect.TypeFor[Machine]().Field(i).Name, changed)
		}
		if !strings.Contains(changed.String(), field.String()) && field.Kind() == reflect.String {
			t.Errorf("%s is not told: %s", reflect.TypeFor[Machine]().Field(i).Name, changed)
		}
	}
}

// Told to compare with another machine's results, nothing is measured.
func TestRefusesToBegin(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "theirs.json")
	saved := Saved{Runs: []Results{{Machine: there, Rows: example}}}
	if err := saved.save(path); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code := Main(t.Context(), []string{"-against", path, "-results", filepath.Join(dir, "none.json"), "-small"},
		func(string) string { return "" }, &stdout, &stderr)
	if code != 2 || stdout.Len() > 0 || !strings.Contains(stderr.String(), "another machine") {
		t.Errorf("exit %d, stdout %q, stderr %q", code, &stdout, &stderr)
	}
}

func TestMisuse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	damaged := filepath.Join(dir, "damaged.json")
	if err := os.WriteFile(damaged, []byte(`{"runs":`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-unknown"}, 2, "unknown"},
		{[]string{"extra"}, 2, ""},
		{[]string{"-only", "start,nonsense"}, 1, `no part "nonsense"`},
		{[]string{"-results", damaged}, 1, "damaged.json"},
		{[]string{"-results", filepath.Join(dir, "none"), "-against", filepath.Join(dir, "none")}, 1, "no such file"},
	} {
		var stdout, stderr bytes.Buffer
		if code := Main(t.Context(), tt.args, func(string) string { return "" }, &stdout, &stderr); code != tt.code ||
			!strings.Contains(stderr.String(), tt.want) {
			t.Errorf("%q: exit %d, %s", tt.args, code, &stderr)
		}
	}
}

// A row over its limit is a failure, whatever else went well.
func TestExitCode(t *testing.T) {
	t.Parallel()
	good, bad := example[:1], example
	other := &otherMachine{here: here, there: there}
	for _, tt := range []struct {
		rows []Row
		err  error
		code int
		want []string
	}{
		{good, nil, 0, nil},
		{nil, nil, 0, nil},
		{bad, nil, 1, []string{"over the limit", "requests", "at most 1"}},
		{bad, errors.New("no page"), 1, []string{"over the limit", "no page"}},
		{good, errors.New("no page"), 1, []string{"no page"}},
		{nil, other, 2, []string{"another machine"}},
	} {
		var stderr bytes.Buffer
		if code := exitCode(tt.rows, tt.err, &stderr); code != tt.code || (code == 0) != (stderr.Len() == 0) ||
			strings.Contains(stderr.String(), "from the cache") {
			t.Errorf("%v, %v: exit %d, %s", tt.rows, tt.err, code, &stderr)
		}
		for _, want := range tt.want {
			if !strings.Contains(stderr.String(), want) {
				t.Errorf("%v, %v: no %q in %s", tt.rows, tt.err, want, &stderr)
			}
		}
	}
}

func TestUpdateDocs(t *testing.T) {
	t.Parallel()
	r := Results{Machine: here, At: time.Date(2026, 11, 22, 23, 0, 0, 0, time.UTC), Load: "0.10", AWSCLI: "2.38.1",
		Rows:  example,
		Start: []Package{{Name: "net/http", Clock: 0.04, Bytes: 4712, Allocs: 49}}}
	page := "# Title\n\nwords\n\n" + docsBegin + "old numbers\n" + docsEnd + "\nmore words\n"
	got, err := updateDocs(page, r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# Title\n\nwords\n", "\nmore words\n", "Measured 2026-11-22 on Fast 3000, 2 cores",
		"load 0.10", "The AWS CLI is 2.38.1", "| from the cache | 2.71 ms |", "| net/http | 0.040 ms | 4712 B | 49 |"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "old numbers") {
		t.Errorf("the old numbers are still there:\n%s", got)
	}
	if again, err := updateDocs(got, r); err != nil || again != got {
		t.Errorf("a second time: %v\n%s", err, again)
	}
	for _, page := range []string{"", docsBegin, docsEnd + docsBegin} {
		if got, err := updateDocs(page, r); err == nil {
			t.Errorf("%q became %q", page, got)
		}
	}
	real, err := os.ReadFile("../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := updateDocs(string(real), r); err != nil {
		t.Error(err)
	}
}

func TestCPUModel(t *testing.T) {
	t.Parallel()
	for want, cpuinfo := range map[string]string{
		"AMD EPYC (family 25, model 17)": "processor\t: 0\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n",
		"AMD EPYC 7763 64-Core Processor": "processor\t: 0\nmodel name\t: AMD EPYC 7763  64-Core " +
			"Processor\n\nprocessor\t: 1\n",
		"CPU implementer 0x41, part 0xd0c": "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n",
		"":                                 "",
	} {
		if got := cpuModel(cpuinfo); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if m := thisMachine(t.Context()); m.CPU == "" || m.Cores < 1 || m.Kernel == "unknown" || !strings.HasPrefix(m.Go,
		"go") && !strings.HasPrefix(m.Go, "devel") {
		t.Errorf("this machine is %s", m)
	}
}
