package ui

import (
	"strconv"
	"strings"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/quote"
	"github.com/homing-cli/homing/internal/session"
)

// Hint returns the next step that err suggests, in words: "to try again, run: homing login --sso-session dev". It is
// empty if err suggests none.
func Hint(err error, sh quote.Shell) string { return InWords(fault.RemedyOf(err), sh) }

// InWords returns r as one line for a person.
func InWords(r fault.Remedy, sh quote.Shell) string {
	words, command := Parts(r, sh)
	return strings.TrimSpace(words + " " + command)
}

// Parts returns the words of r, which end in a colon if a command follows, and that command.
func Parts(r fault.Remedy, sh quote.Shell) (words, command string) {
	switch r := r.(type) {
	case fault.Advice:
		return string(r), ""
	case fault.Preface:
		words, command = Parts(r.Then, sh)
		if words == "run:" && strings.HasSuffix(r.Words, ":") {
			return r.Words, command
		}
		return r.Words + " " + words, command
	case fault.Correct:
		if r.Line == 0 {
			return "correct or remove the file " + r.File, ""
		}
		return "correct line " + strconv.Itoa(r.Line) + " of " + r.File, ""
	}
	if command = Command(r, sh); command != "" {
		words = "run:"
	}
	return words, command
}

// Command returns the command line of r, for the shell sh; it is empty if r is words only.
func Command(r fault.Remedy, sh quote.Shell) string {
	switch r := r.(type) {
	case fault.Preface:
		return Command(r.Then, sh)
	case fault.Edit:
		return edit(r, sh)
	case fault.Setenv:
		return setenv(r, sh)
	case fault.Unset:
		return unset(r, sh)
	case fault.Run:
		return sh.Line(r...)
	case fault.Login:
		return homing(sh, login(r)...)
	case fault.ConfigureSSO:
		return homing(sh, option([]string{"configure", "sso"}, "--profile", r.Profile)...)
	case fault.ConfigureSession:
		return homing(sh, option([]string{"configure", "sso-session"}, "--sso-session", r.Session)...)
	case fault.Upgrade:
		return homing(sh, append([]string{"configure", "sso", "--upgrade"}, r...)...)
	case fault.ListProfiles:
		return homing(sh, option([]string{"profiles", "list"}, "--sso-session", r.Session)...)
	case fault.SyncProfiles:
		return homing(sh, option([]string{"profiles", "sync"}, "--sso-session", r.Session)...)
	case fault.UseProfile:
		return homing(sh, r.Command, "--profile", r.Profile)
	case fault.KeepDetached:
		return homing(sh, "keep", "--detach")
	case fault.HandOver:
		return homing(sh, "callback")
	}
	return ""
}

func homing(sh quote.Shell, args ...string) string {
	return sh.Line(append([]string{"homing"}, args...)...)
}

// option appends a flag and its value to args, unless value is empty.
func option(args []string, flag, value string) []string {
	if value == "" {
		return args
	}
	return append(args, flag, value)
}

func login(r fault.Login) []string {
	args := option([]string{"login"}, "--sso-session", r.Session)
	if r.Session == "" {
		args = option(args, "--profile", r.Profile)
	}
	if r.Flow == session.Device {
		args = append(args, "--use-device-code")
	} else {
		args = option(args, "--flow", string(r.Flow))
	}
	if r.Force {
		args = append(args, "--force")
	}
	if r.KeepFresh {
		args = append(args, "--keep-fresh")
	}
	return args
}

func edit(r fault.Edit, sh quote.Shell) string {
	if sh == quote.Sh {
		return "${EDITOR:-vi} +" + strconv.Itoa(r.Line) + " " + sh.Arg(r.File)
	}
	return "notepad " + sh.Arg(r.File) + " (line " + strconv.Itoa(r.Line) + ")"
}

func unset(names []string, sh quote.Shell) string {
	switch sh {
	case quote.PowerShell:
		return "Remove-Item Env:" + strings.Join(names, ", Env:")
	case quote.Cmd:
		return `set "` + strings.Join(names, `=" & set "`) + `="`
	}
	return "unset " + strings.Join(names, " ")
}

func setenv(r fault.Setenv, sh quote.Shell) string {
	switch {
	case r.Value == "":
		return unset([]string{r.Name}, sh)
	case sh == quote.PowerShell:
		return "$env:" + r.Name + " = '" + strings.ReplaceAll(r.Value, "'", "''") + "'"
	case sh == quote.Cmd:
		return `set "` + r.Name + "=" + r.Value + `"`
	}
	return "export " + r.Name + "=" + sh.Arg(r.Value)
}
