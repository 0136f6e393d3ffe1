package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestReference keeps docs/cli.md in step with the commands. UPDATE_DOCS=1 (make docs) writes it.
func TestReference(t *testing.T) {
	got := reference(newRootCmd(app.New(app.Env{Stdout: io.Discard, Stderr: io.Discard})))
	path := filepath.Join("..", "..", "docs", "cli.md")
	if os.Getenv("UPDATE_DOCS") == "1" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), got); diff != "" {
		t.Errorf("docs/cli.md is behind the commands (-want +got); run: make docs\n%s", diff)
	}
}

// TestErrorsPage holds docs/errors.md against the kinds of errors there are.
func TestErrorsPage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "errors.md"))
	if err != nil {
		t.Fatal(err)
	}
	for kind := fault.Bug; kind <= fault.Interrupted; kind++ {
		if row := fmt.Sprintf("| %d | `%s` |", kind.ExitCode(), kind); !strings.Contains(string(text), row) {
			t.Errorf("docs/errors.md has no row %q", row)
		}
	}
}

// TestHelp checks what a person reads: every command says what it is for, every flag what it does, no line too wide.
func TestHelp(t *testing.T) {
	commands := 0
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		commands++
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: the short description %q is missing or ends in a full stop", cmd.CommandPath(), cmd.Short)
		}
		for line := range strings.Lines(cmd.Long + "\n" + cmd.Example) {
			if len(strings.TrimSpace(line)) > 120 {
				t.Errorf("%s: too wide: %s", cmd.CommandPath(), line)
			}
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s: --%s says nothing", cmd.CommandPath(), f.Name)
			}
		})
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRootCmd(app.New(app.Env{Stdout: io.Discard, Stderr: io.Discard})))
	if commands < 12 {
		t.Errorf("only %d commands were looked at", commands)
	}
}

// reference renders the command tree as Markdown.
func reference(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString(
		"# Commands\n\n<!-- Generated from the commands by `make docs`; do not edit. -->\n\n" + root.Long + "\n\n" +
			"stdout is the answer, everything else goes to stderr. Exit codes and errors: [errors.md](errors.md).\n\n" +
			"## Flags of every command\n\n",
	)
	flagTable(&b, root.PersistentFlags())
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			if sub.Name() == "help" || sub.Name() == "completion" {
				continue
			}
			if sub.Runnable() && !sub.HasSubCommands() {
				section(&b, sub)
			}
			walk(sub)
		}
	}
	walk(root)
	b.WriteString("\n## homing completion\n\nPrints the completion script of a shell: bash, zsh, fish or powershell." +
		"\n`homing completion bash --help` says how to load it.\n")
	return b.String()
}

func section(b *strings.Builder, cmd *cobra.Command) {
	fmt.Fprintf(b, "\n## %s\n\n%s.\n", cmd.CommandPath(), cmd.Short)
	if cmd.Long != "" {
		fmt.Fprintf(b, "\n%s\n", cmd.Long)
	}
	if cmd.HasLocalFlags() {
		b.WriteString("\n")
		flagTable(b, cmd.LocalNonPersistentFlags())
	}
	if cmd.Example != "" {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", unindent(cmd.Example))
	}
}

func flagTable(b *strings.Builder, flags *pflag.FlagSet) {
	first := true
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		if first {
			b.WriteString("| flag | does |\n|---|---|\n")
			first = false
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if value != "" && f.Value.Type() != "bool" {
			name += " " + strings.ToUpper(value)
		}
		fmt.Fprintf(b, "| `%s` | %s |\n", name, strings.ReplaceAll(usage, "|", `\|`))
	})
}

func unindent(text string) string {
	var ls []string
	for line := range strings.SplitSeq(text, "\n") {
		ls = append(ls, strings.TrimPrefix(line, "  "))
	}
	return strings.Join(ls, "\n")
}
