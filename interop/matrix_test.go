//go:build unix

package interop

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/homing-cli/homing/internal/awsmodel"
	"github.com/homing-cli/homing/internal/testtools"
)

// column is something that every client does, in a world of its own.
type column struct {
	name   string
	about  string
	checks awsmodel.Checks
	run    func(w *world, client string)
	only   []string // the clients that are asked; nil is all
}

var columns = []column{
	{"PKCE", "after `homing login` by PKCE to an `[sso-session]`: use the profile; renew the expired token that " +
		"homing wrote; homing uses and renews what the client wrote; the client renews what homing wrote then", checked,
		afterLogin(ways[0]), nil},
	{"device code", "the same after a device code", checked, afterLogin(ways[1]), nil},
	{"legacy", "the same after a sign-in in the legacy format, which nobody can renew: use it, and fail when it has " +
		"expired", checked, afterLogin(ways[2]), nil},
	{"bearer token", "the client's own provider of bearer tokens renews an expired token", checked, bearerToken, nil},
	{"credential_process", "use homing as `credential_process`; homing renews", checked, credentialProcess, nil},
	{"synced", "use every profile that `homing profiles sync` wrote, for accounts of awkward names in a file full of " +
		"other things, with homing and all its folders removed; renew the token", checked, synced("sso-session"), nil},
	{"synced, legacy", "the same with `--form legacy`; nobody renews", checked, synced("legacy"), nil},
	{"synced, process", "the same with `--form credential_process`, homing in a folder with a blank in its name; " +
		"this form stands on homing, which renews, and fails without it", checked, synced("credential_process"), nil},
	{"300 profiles", "list the profiles of a file in which `homing profiles sync` wrote 300, and use the last", checked,
		manyProfiles, listing},
	{"serve", "the client's default chain of credentials leads to `homing serve`, by the variables that it prints, " +
		"for two profiles; without the token or with another one it gets nothing", checked, served, ambient},
	{"exec --renew", "one process asks who it is for 3.7 credential lifetimes, on a clock that is moved under the " +
		"service, homing and the client, in a home whose `[default]` has keys of its own; without `--renew` it is " +
		"refused after the first (the AWS CLI is a loop in a shell)", checked, outlives, lasting},
	// The programs' made-up arguments are not the point, so only the answers are checked.
	{"typed errors", "each error that AWS's models know arrives as the client's own class for it", awsmodel.Answers,
		typedErrors, nil},
	{"race", "the client and homing renew one token at the same moment: how often each was left without", checked, race,
		nil},
}

// What a column takes that not every client's program does. That of Rust has no chain of credentials without a
// profile; those of Java and Ruby keep no client from one request to the next.
var (
	lasting = []string{"aws-cli", "aws-cli-1", "aws-cli-2.23", "botocore", "botocore-1.29.10", "go", "js"}
	ambient = append([]string{"java", "ruby"}, lasting...)
	// the AWS CLI 1 has no command for it
	listing = []string{"aws-cli", "aws-cli-2.23", "botocore", "botocore-1.29.10", "go", "js"}
)

func (c column) asks(client string) bool { return c.only == nil || slices.Contains(c.only, client) }

// older are versions before the pinned ones, most of which start slowly. They are a part of make interop, which asks
// for the table; go test ./... has its time limit.
var older = []string{"aws-cli-1", "aws-cli-2.23", "botocore-1.29.10"}

func init() { clients["aws-cli"] = awsCLI(testtools.AWSCLI) }

// cells are the results of the matrix.
type cells struct {
	mu       sync.Mutex
	results  map[[2]string]string
	versions map[string]string
}

func (c *cells) record(t *testing.T, w *world, client, column string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	result := "yes"
	switch {
	case t.Skipped():
		result = "not run"
	case t.Failed():
		result = "**no**"
	case w != nil && w.note != "":
		result = w.note
	}
	c.results[[2]string{client, column}] = result
	if w != nil && w.version != "" {
		c.versions[client], _, _ = strings.Cut(w.version, " Python/") // the AWS CLI says a lot about its place
	}
}

// TestMatrix runs every client through every column and logs the matrix, which it also writes to the file
// INTEROP_TABLE, and with UPDATE_DOCS=1 into docs/interop.md. Without that file the older clients are not asked.
func TestMatrix(t *testing.T) {
	t.Parallel()
	c := &cells{results: map[[2]string]string{}, versions: map[string]string{}}
	file := os.Getenv("INTEROP_TABLE")
	t.Run("all", func(t *testing.T) {
		for client := range clients {
			for _, column := range columns {
				if !column.asks(client) || file == "" && slices.Contains(older, client) {
					c.results[[2]string{client, column.name}] = "not asked"
					continue
				}
				t.Run(client+"/"+column.name, func(t *testing.T) {
					t.Parallel()
					var w *world
					t.Cleanup(func() { c.record(t, w, client, column.name) })
					clients[client](t) // ends the test where its tools are missing
					w = newWorld(t, column.checks)
					column.run(w, client)
				})
			}
		}
	})
	table := c.table()
	t.Logf("\n%s", table)
	if file != "" {
		if err := os.WriteFile(file, []byte(table), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getenv("UPDATE_DOCS") == "1" && file != "" && !t.Failed() {
		if err := os.WriteFile(page, []byte(pageText(table)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func (c *cells) table() string {
	var b strings.Builder
	b.WriteString("| client | version |")
	for _, column := range columns {
		b.WriteString(" " + column.name + " |")
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(columns)) + "\n")
	for _, client := range slices.Sorted(maps.Keys(clients)) {
		fmt.Fprintf(&b, "| %s | %s |", client, c.versions[client])
		for _, column := range columns {
			fmt.Fprintf(&b, " %s |", c.results[[2]string{client, column.name}])
		}
		b.WriteString("\n")
	}
	return b.String()
}

var page = filepath.Join("..", "docs", "interop.md")

func pageText(table string) string {
	var b strings.Builder
	b.WriteString(`# Other people's clients

Written by ` + "`UPDATE_DOCS=1 make interop`" + `, which runs each client unmodified against the emulator, with homing off its PATH,
and checks every request and answer against AWS's published models. Versions are pinned in interop/versions.

`)
	b.WriteString(table)
	b.WriteString("\nWhat they do:\n\n")
	for _, column := range columns {
		b.WriteString(wrapped(fmt.Sprintf("- **%s**: %s.", column.name, column.about)))
	}
	b.WriteString(`
"Not asked": that client's program here does not do it (no command of the AWS CLI 1 lists profiles; those of Java, Ruby
and Rust start afresh with each request).

In two of three rounds of the race homing starts with the client or before it. A program that takes long to start, such
as the AWS CLI, then finds the token renewed and loses nothing; in the third homing comes second, is refused, and uses the token that
the client wrote. If the client lost, run it again.
`)
	b.WriteString("\nHow each differs, from its own source, and what a user can do about it:\n\n")
	notes, _ := filepath.Glob(filepath.Join("*", "NOTES.md")) // the pattern is a constant
	for _, note := range notes {
		fmt.Fprintf(&b, "- [%s](../interop/%s)\n", filepath.Dir(note), filepath.ToSlash(note))
	}
	return b.String()
}

// wrapped breaks an item of a list at 120 columns.
func wrapped(item string) string {
	const most = 120
	var b strings.Builder
	line := ""
	for i, word := range strings.Fields(item) {
		switch {
		case i == 0:
			line = word
		case utf8.RuneCountInString(line+" "+word) > most:
			b.WriteString(line + "\n")
			line = "  " + word
		default:
			line += " " + word
		}
	}
	return b.String() + line + "\n"
}

// TestPageNamesEverything keeps docs/interop.md from falling behind the clients and columns.
func TestPageNamesEverything(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for client := range clients {
		if !strings.Contains(string(text), "| "+client+" |") {
			t.Errorf("docs/interop.md has no row for %s; write it again: UPDATE_DOCS=1 make interop", client)
		}
	}
	for _, column := range columns {
		if !strings.Contains(string(text), " "+column.name+" |") {
			t.Errorf("docs/interop.md has no column %q; write it again: UPDATE_DOCS=1 make interop", column.name)
		}
	}
}
