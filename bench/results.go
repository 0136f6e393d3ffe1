//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Results are what one run measured.
type Results struct {
	Machine Machine   `json:"machine"`
	At      time.Time `json:"at"`
	Load    string    `json:"load"`   // of the minute before
	AWSCLI  string    `json:"awscli"` // version; "" is not there
	Rows    []Row     `json:"rows"`
	Start   []Package `json:"start"` // what runs before main, the most expensive first
}

// Saved is the file that keeps the last results of each machine.
type Saved struct {
	Runs []Results `json:"runs"`
}

// load reads the file; one that is not there holds no results.
func (s *Saved) load(path string) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, s); err != nil {
		return fmt.Errorf("%q: %w", path, err)
	}
	return nil
}

// otherMachine says that there is nothing to compare with, but something that must not be compared with.
type otherMachine struct{ here, there Machine }

func (e *otherMachine) Error() string {
	return fmt.Sprintf("not compared: those results are of another machine, and would tell about the two machines\n  "+
		"there: %s\n  here:  %s", e.there, e.here)
}

// of returns the rows of the last results of m. Without results it returns none; with results of other machines only,
// it refuses.
func (s *Saved) of(m Machine) ([]Row, error) {
	for _, r := range s.Runs {
		if r.Machine == m {
			return r.Rows, nil
		}
	}
	if len(s.Runs) > 0 {
		return nil, &otherMachine{here: m, there: s.Runs[len(s.Runs)-1].Machine}
	}
	return nil, nil
}

// keep puts r in the place of the last results of its machine.
func (s *Saved) keep(r Results) {
	s.Runs = slices.DeleteFunc(s.Runs, func(old Results) bool { return old.Machine == r.Machine })
	s.Runs = append(s.Runs, r)
}

func (s *Saved) save(path string) error {
	text, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

const (
	docsBegin = "<!-- written by UPDATE_DOCS=1 make bench -->\n"
	docsEnd   = "<!-- end of what is written -->\n"
)

// updateDocs puts the results between the two marks of the page and leaves the rest of it alone.
func updateDocs(page string, r Results) (string, error) {
	head, rest, ok := strings.Cut(page, docsBegin)
	_, tail, ok2 := strings.Cut(rest, docsEnd)
	if !ok || !ok2 {
		return "", fmt.Errorf("the page has no place for the results: lines %q and %q", strings.TrimSpace(docsBegin),
			strings.TrimSpace(docsEnd))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Measured %s on %s;\nload %s at the start. The AWS CLI is %s.\n",
		r.At.UTC().Format(time.DateOnly), r.Machine, r.Load, r.AWSCLI)
	writeMarkdown(&b, r.Rows)
	fmt.Fprintf(&b, "\n### Before main\n\n| package | clock | memory | allocations |\n|---|---|---|---|\n")
	for _, p := range r.Start {
		fmt.Fprintf(&b, "| %s | %.3f ms | %d B | %d |\n", p.Name, p.Clock, p.Bytes, p.Allocs)
	}
	return head + docsBegin + b.String() + docsEnd + tail, nil
}
