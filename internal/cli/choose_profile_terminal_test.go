//go:build !windows

package cli

import (
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/testtools"
)

// TestPickAProfile picks where none is named: the question is on the terminal, the answer on stdout, wherever that
// leads.
func TestPickAProfile(t *testing.T) {
	p, vars := signedIn(t, twoAccounts())
	p.write(t, threeProfiles)

	x := open(t, vars, "console", "--no-browser")
	x.expect("Which profile?\r\n")
	x.answer("(3 of 3): \r\n", "pro")
	x.answer("(2 of 3): pro\r\n", "\x1b[B\r")
	if screen := x.end(0); !strings.HasSuffix(screen, "/start/#/console?account_id=111111111111&role_name=Admin\n") {
		t.Error(screen)
	}

	x = open(t, vars, "exec", "--", "sh", "-c", "echo profile $HOMING_PROFILE key ${AWS_ACCESS_KEY_ID:+set}")
	x.answer("(3 of 3): \r\n", "222222\r")
	x.expect("profile staging key set")
	x.end(0)

	// a shell that takes the answer in; the test keeps the key from the screen
	shell := testtools.Program(t, "sh", "dash")
	shellVars := tabVars(t, p.home)
	for name, value := range vars {
		if name != "HOME" {
			shellVars[name] = value
		}
	}
	shellVars[envRaw] = "1"
	x = openProgram(t, shellVars, shell, "-c", `eval "$(homing env)" && echo "got ${#AWS_SESSION_TOKEN}" | tr 1-9 9`)
	x.answer("(3 of 3): \r\n", "stag\r")
	x.expect("got 9")
	x.end(0)

	// a program that reads the format process is told, and not left waiting for a person
	x = openProgram(t, shellVars, shell, "-c", `homing credentials | cat`)
	x.expect("homing: no profile is named, and there is no [default]")
	if screen := x.end(0); strings.Contains(screen, "Which profile?") {
		t.Error(screen)
	}

	x = open(t, vars, "console", "--no-browser")
	x.answer("(3 of 3): \r\n", "\x03")
	x.end(130)
	x = open(t, vars, "console", "--no-browser")
	x.answer("(3 of 3): \r\n", "\x04")
	x.expect("homing: the input ended, and --profile is not given")
	x.end(2)
	vars["TERM"] = "dumb"
	x = open(t, vars, "console", "--no-browser")
	x.answer(
		"  1  staging (222222222222 Admin)\r\n  2  prod (111111111111 ReadOnly)\r\n  3  prod-admin (111111111111 Admin)\r\nNumber, 1 to 3: ",
		"2\r",
	)
	x.expect("role_name=ReadOnly")
	x.end(0)
	vars["AWS_PROFILE"] = "prod"
	if screen := open(t, vars, "console", "--no-browser").end(0); strings.Contains(screen, "Which profile?") {
		t.Errorf("AWS_PROFILE is set:\n%s", screen)
	}
}

// The link is one that a terminal lets people click, where it knows how.
func TestConsoleLinkIsALink(t *testing.T) {
	p, vars := atTerminal(t)
	p.write(t, threeProfiles)
	const link = "https://d-9067f00d42.awsapps.com/start/#/console?account_id=111111111111&role_name=ReadOnly"
	vars["FORCE_HYPERLINK"] = "1"
	if screen := open(t, vars, "console", "--profile", "prod", "--no-browser").end(0); screen != "␛]8;;"+link+"␛\\"+link+"␛]8;;␛\\\n" {
		t.Errorf("%q", screen)
	}
	vars["FORCE_HYPERLINK"] = "0"
	if screen := open(t, vars, "console", "--profile", "prod", "--no-browser").end(0); screen != link+"\n" {
		t.Errorf("%q", screen)
	}
}
