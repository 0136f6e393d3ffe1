//go:build unix

// Command bench measures what homing promises, and fails where a promise is broken. Everything is measured beside
// what it is compared with, in the same minute on the same machine, and told as a ratio: an absolute time says as
// much about the machine as about the program. docs/benchmarks.md explains the rows; its numbers are written by this
// command.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Main(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// options are what the command line says.
type options struct {
	results, against, docs string
	only                   string
	updateDocs, small, ci  bool
}

// Main returns the exit code: 0, 1 for a row over its limit or something that cannot be measured, 2 for results that
// must not be compared and other misuse.
func Main(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.results, "results", "out/bench.json", "`file` that keeps the last results of each machine")
	flags.StringVar(&o.against, "against", "", "compare with the results in this `file`, and refuse to begin if they "+
		"are of another machine")
	flags.StringVar(&o.docs, "docs", "docs/benchmarks.md", "`page` that the results are written to with UPDATE_DOCS=1")
	flags.StringVar(&o.only, "only", "",
		"measure only these parts, `a,b`; nothing is kept then: "+strings.Join(partNames(), ", "))
	flags.BoolVar(&o.small, "small", false, "measure hardly anything, to see that all of it runs; nothing is kept then")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return 2
	}
	o.updateDocs, o.ci = getenv("UPDATE_DOCS") == "1", getenv("CI") == "true"
	rows, err := o.run(ctx, stdout, stderr)
	return exitCode(rows, err, stderr)
}

// exitCode says on stderr what went wrong: rows over their limit included, which are measured all the same.
func exitCode(rows []Row, err error, stderr io.Writer) int {
	code := 0
	if over := slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return !r.Over() }); len(over) > 0 {
		fmt.Fprintln(stderr, "bench: over the limit:")
		writeText(stderr, over, nil)
		code = 1
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		code = 1
	}
	if _, ok := errors.AsType[*otherMachine](err); ok {
		code = 2
	}
	return code
}

// part is something that can be measured by itself.
type part struct {
	name    string
	measure func(*bench) error
}

var parts = []part{
	{"credentials", (*bench).credentials}, {"callers", (*bench).callers}, {"configs", (*bench).configs},
	{"start", (*bench).startUp}, {"sync", (*bench).profiles}, {"editor", (*bench).editor},
}

func partNames() (names []string) {
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// chosen returns the parts of -only.
func (o options) chosen() ([]part, error) {
	if o.only == "" {
		return parts, nil
	}
	var chosen []part
	for name := range strings.SplitSeq(o.only, ",") {
		i := slices.Index(partNames(), name)
		if i < 0 {
			return nil, fmt.Errorf("no part %q; there are %s", name, strings.Join(partNames(), ", "))
		}
		chosen = append(chosen, parts[i])
	}
	return chosen, nil
}

// run measures and tells, and returns the rows.
func (o options) run(ctx context.Context, stdout, stderr io.Writer) ([]Row, error) {
	chosen, err := o.chosen()
	if err != nil {
		return nil, err
	}
	r := Results{Machine: thisMachine(ctx), At: time.Now().UTC().Truncate(time.Second), Load: load(ctx)}
	var saved Saved
	if err := saved.load(o.results); err != nil {
		return nil, err
	}
	before, refusal := saved.of(r.Machine)
	if o.against != "" {
		var other Saved
		if _, err := os.Stat(o.against); err != nil {
			return nil, err
		}
		if err := other.load(o.against); err != nil {
			return nil, err
		}
		if before, err = other.of(r.Machine); err != nil {
			return nil, err
		}
		refusal = nil
	}
	fmt.Fprintf(stdout, "%s\nload %s at the beginning\n", r.Machine, r.Load)
	b, err := newBench(ctx, o.scale())
	if err != nil {
		return nil, err
	}
	defer b.close()
	for _, p := range chosen {
		fmt.Fprintf(stderr, "bench: %s\n", p.name)
		if err := p.measure(b); err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
	}
	r.Rows, r.Start, r.AWSCLI = b.rows, b.start, b.awsVersion
	if r.AWSCLI != "" {
		fmt.Fprintf(stdout, "the AWS CLI is %s\n", r.AWSCLI)
	}
	fmt.Fprintln(stdout)
	writeText(stdout, r.Rows, before)
	if len(r.Start) > 0 {
		writeStart(stdout, r.Start)
	}
	fmt.Fprintf(stdout, "\nload %s at the end, %s\n", load(ctx), time.Since(r.At).Round(time.Second))
	if n, err := strconv.ParseFloat(r.Load, 64); err == nil && n > float64(r.Machine.Cores) {
		fmt.Fprintln(stdout, "others were at work here: measure again at rest before you believe a row that is near "+
			"its limit")
	}
	if refusal != nil {
		fmt.Fprintln(stdout, refusal)
	}
	if r.AWSCLI == "" && len(chosen) == len(parts) {
		fmt.Fprintln(stdout, missingCLI)
	}
	return r.Rows, errors.Join(o.complete(r), o.keep(r, &saved))
}

func (o options) scale() scale {
	if o.small {
		return small()
	}
	return full()
}

const missingCLI = "not measured: the AWS CLI is missing; to get it: make setup"

// complete says what could not be measured: an error where nothing may be missing.
func (o options) complete(r Results) error {
	if r.AWSCLI == "" && (o.ci || o.updateDocs) {
		return errors.New(missingCLI)
	}
	return nil
}

// keep writes the results to their file and, if so told, to the page.
func (o options) keep(r Results, saved *Saved) error {
	if o.only != "" || o.small {
		return nil
	}
	saved.keep(r)
	if err := saved.save(o.results); err != nil {
		return err
	}
	if !o.updateDocs || r.AWSCLI == "" {
		return nil
	}
	page, err := os.ReadFile(o.docs)
	if err != nil {
		return err
	}
	text, err := updateDocs(string(page), r)
	if err != nil {
		return err
	}
	return os.WriteFile(o.docs, []byte(text), 0o644)
}
