package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/app"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestShownCommands parses every command line of homing that a document, a help text or a golden file shows, with the
// flags and arguments that the commands really take.
func TestShownCommands(t *testing.T) {
	for name, least := range map[string]int{"documents": 200, "help": 50, "goldens": 200} {
		t.Run(name, func(t *testing.T) {
			lines := shown[name](t)
			if len(lines) < least {
				t.Errorf("only %d command lines were found", len(lines))
			}
			for _, l := range lines {
				if err := accepted(l.words); err != nil {
					t.Errorf("%s: homing %s: %v", l.where, strings.Join(l.words, " "), err)
				}
			}
		})
	}
}

// TestShownFlags holds "add --force" and its like in a script against the command that said it.
func TestShownFlags(t *testing.T) {
	advice := regexp.MustCompile(`(?i)\b(?:add|add the flag:|give) (--[a-z][a-z-]+)`)
	looked := 0
	for path, archive := range scripts(t) {
		said := map[string]string{}
		for _, f := range archive.Files {
			said[f.Name] = string(f.Data)
		}
		var args []string
		background := map[string][]string{}
		for line := range strings.Lines(string(archive.Comment)) {
			if words := commandsIn(line, strict); len(words) > 0 {
				args = words[0]
				if name := started.FindStringSubmatch(line); name != nil {
					background[name[1]] = args
				}
			}
			text, fields := line, strings.Fields(line)
			switch {
			case len(fields) == 3 && fields[0] == "cmp":
				text = said[fields[2]]
			case len(fields) == 2 && fields[0] == "wait":
				args = background[fields[1]]
			}
			for _, found := range advice.FindAllStringSubmatch(text, -1) {
				if looked++; args == nil {
					continue
				}
				if cmd, _, err := shownRoot().Find(args); err == nil && cmd.Flags().Lookup(found[1][2:]) == nil &&
					cmd.InheritedFlags().Lookup(found[1][2:]) == nil {
					t.Errorf("%s: homing %s says %q, a flag it does not have", path, strings.Join(args, " "), found[0])
				}
			}
		}
	}
	if looked < 10 {
		t.Errorf("only %d pieces of advice were found", looked)
	}
}

var started = regexp.MustCompile(`&([\w-]+)&\s*$`)

type shownLine struct {
	where string
	words []string
}

var shown = map[string]func(*testing.T) []shownLine{
	"documents": func(t *testing.T) (lines []shownLine) {
		root := filepath.Join("..", "..")
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && path != root && strings.HasPrefix(d.Name(), "."):
				return fs.SkipDir
			case filepath.Ext(path) == ".md":
				lines = append(lines, inMarkdown(path, read(t, path))...)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return lines
	},
	"help": func(*testing.T) (lines []shownLine) {
		each(shownRoot(), func(cmd *cobra.Command) {
			for line := range strings.Lines(joined(cmd.Example)) {
				lines = appendLines(lines, cmd.CommandPath()+" --help", line, strict)
			}
			lines = appendLines(lines, cmd.CommandPath()+" --help", cmd.Long, prose)
			cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
				lines = appendLines(lines, cmd.CommandPath()+" --"+f.Name,
					f.Usage, prose)
			})
		})
		return lines
	},
	"goldens": func(t *testing.T) (lines []shownLine) {
		for path, archive := range scripts(t) {
			// What a script runs is not parsed: it shows on purpose what is refused.
			for line := range strings.Lines(string(archive.Comment)) {
				if !strings.Contains(line, "exec homing") && !strings.HasPrefix(line, "#") {
					pattern := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSpace(line), "'"), "$")
					lines = appendLines(lines, path, strings.ReplaceAll(pattern, "''", "'"), advice)
				}
			}
			for _, f := range archive.Files {
				lines = appendLines(lines, path+" "+f.Name, string(f.Data), advice)
				lines = appendLines(lines, path+" "+f.Name, string(f.Data), prose)
			}
		}
		goldens, err := filepath.Glob("testdata/*/*.txt")
		if err != nil || len(goldens) == 0 {
			t.Fatalf("no recorded terminals found (%v)", err)
		}
		for _, path := range goldens {
			lines = appendLines(lines, path, read(t, path), advice)
			lines = appendLines(lines, path, read(t, path), prose)
		}
		return lines
	},
}

func scripts(t *testing.T) map[string]*txtar.Archive {
	t.Helper()
	found, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(found) == 0 {
		t.Fatalf("no scripts found (%v)", err)
	}
	archives := map[string]*txtar.Archive{}
	for _, path := range found {
		archives[path] = txtar.Parse([]byte(read(t, path)))
	}
	return archives
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

func shownRoot() *cobra.Command {
	return newRootCmd(app.New(app.Env{Stdout: io.Discard, Stderr: io.Discard}))
}

func each(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, sub := range cmd.Commands() {
		each(sub, do)
	}
}

// Where a command line starts.
var (
	strict = regexp.MustCompile(`(?:^|[|;&(] ?|"\$\(|\b(?:exec|run:|source <\() ?|^\s*(?:\$ )?)homing( .*|$)`)
	advice = regexp.MustCompile(`: homing( .*|$)`)
	prose  = regexp.MustCompile(`\bhoming( [a-z-]+[^\n]*)`)
)

var (
	span  = regexp.MustCompile("`([^`\n]*(?:\n[^`\n]+)?)`")
	fence = regexp.MustCompile("(?ms)^[ \t]*```[^\n]*\n(.*?)^[ \t]*```")
)

func inMarkdown(path, text string) (lines []shownLine) {
	for _, block := range fence.FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(joined(block[1])) {
			lines = appendLines(lines, path, line, strict)
		}
	}
	for _, code := range span.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		lines = appendLines(lines, path, strings.Join(strings.Fields(code[1]), " "), strict)
	}
	return lines
}

func joined(text string) string { return strings.ReplaceAll(text, "\\\n", " ") }

func appendLines(lines []shownLine, where, text string, start *regexp.Regexp) []shownLine {
	for line := range strings.Lines(text) {
		for _, words := range commandsIn(line, start) {
			lines = append(lines, shownLine{where, words})
		}
	}
	return lines
}

// commandsIn returns the arguments of the command lines in a line of text. In prose a command ends where its flags
// do.
func commandsIn(line string, start *regexp.Regexp) (commands [][]string) {
	for rest := strings.TrimRight(line, "\n"); ; {
		at := start.FindStringSubmatchIndex(rest)
		if at == nil {
			return commands
		}
		rest = rest[at[2]:]
		words := shellWords(rest)
		if start == prose {
			words = commandOf(words)
		}
		if len(words) > 0 || start != prose {
			commands = append(commands, words)
		}
	}
}

// shellWords splits a command line as sh does, up to its end.
func shellWords(line string) (words []string) {
	var word strings.Builder
	inWord, quoted := false, rune(0)
	end := func() {
		if inWord {
			words = append(words, word.String())
		}
		word.Reset()
		inWord = false
	}
	runes := []rune(line)
	for i, r := range runes {
		switch {
		case quoted != 0 && r == quoted:
			quoted = 0
		case quoted != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			// The end of a pattern or of a JSON string is no quote.
			if !strings.ContainsRune(string(runes[i+1:]), r) {
				end()
				return words
			}
			quoted, inWord = r, true
		case r == ' ' || r == '\t':
			end()
		case strings.ContainsRune("|;&<>)", r), r == '#' && !inWord:
			end()
			return words
		case r == '\\' || r == '`':
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	end()
	return words
}

// commandOf returns the command at the start of a sentence about it, with its flags; nothing if it is about homing.
func commandOf(words []string) (command []string) {
	cmd := shownRoot()
	for i, word := range words {
		last := strings.TrimRight(word, ".,:") != word
		word = strings.TrimRight(word, ".,:")
		sub, _, err := cmd.Find([]string{word})
		flag := cmd.Flags().Lookup(strings.TrimLeft(word, "-"))
		switch {
		case strings.HasPrefix(word, "--") && len(word) > 2 && len(command) > 0:
			command = append(command, word)
			if flag == nil {
				flag = cmd.InheritedFlags().Lookup(strings.TrimLeft(word, "-"))
			}
			if flag != nil && flag.NoOptDefVal == "" {
				if i+1 == len(words) || last {
					return command[:len(command)-1]
				}
				return append(command, strings.TrimRight(words[i+1], ".,:"))
			}
		case err == nil && sub != cmd && len(command) == i:
			cmd, command = sub, append(command, word)
		default:
			return command
		}
		if last {
			break
		}
	}
	return command
}

var placeholder = regexp.MustCompile(`…|\.\.\.|\.\*|^\[|\]$|^[A-Z][A-Z-]*$|^\$|=[A-Z]+$|^N$|\|`)

// accepted is what the command line's own parser says. A placeholder stands for any value and any number of
// arguments.
func accepted(words []string) error {
	root := shownRoot()
	var args []string
	vague := false
	for _, w := range words {
		if placeholder.MatchString(w) {
			vague = true
			if strings.HasPrefix(w, "[") || strings.HasPrefix(w, "…") {
				continue
			}
		}
		args = append(args, w)
	}
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	err = cmd.ParseFlags(rest)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return nil
	case err != nil:
		if vague &&
			(strings.Contains(err.Error(), "invalid argument") || strings.Contains(err.Error(), "needs an argument")) {
			return nil
		}
		return err
	}
	if vague {
		return nil
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		return fmt.Errorf("arguments %q: %w", cmd.Flags().Args(), err)
	}
	return nil
}
