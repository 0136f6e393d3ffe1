package app

import (
	"errors"
	"fmt"
	"strings"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// CompleteFixed makes the Tab key offer values for a flag.
func CompleteFixed(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// The groups of the help page.
const (
	GroupSignIn = "sign-in"
	GroupUse    = "use"
	GroupTry    = "try"
)

// NonNil returns args, or an empty list for nil, for which cobra would read os.Args.
func NonNil(args []string) []string {
	if args == nil {
		return []string{}
	}
	return args
}

// FlagError words an error of the flag library: *fault.Error of kind Usage.
func FlagError(cmd *cobra.Command, err error) error {
	f := &fault.Error{Kind: fault.Usage, Msg: err.Error(), Remedy: fault.Advice(HelpHint(cmd)), Err: err}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		what := map[string]string{
			"int": "a number", "duration": "a time such as 30m", "bool": "true or false",
		}[invalid.GetFlag().Value.Type()]
		if what == "" {
			what = "a valid value"
		}
		f.Msg = fmt.Sprintf("--%s %q is not %s", invalid.GetFlag().Name, invalid.GetValue(), what)
	}
	return f
}

// HelpHint is the hint that leads to the help of cmd.
func HelpHint(cmd *cobra.Command) string { return "run: " + cmd.CommandPath() + " --help" }

// UnknownCommand refuses arguments of a command that only takes the name of a subcommand, and suggests the nearest
// one.
func UnknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := HelpHint(cmd)
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean: " + cmd.CommandPath() + " " + near[0]
	}
	return fault.New(fault.Usage, hint, "unknown command %q for %q", args[0], cmd.CommandPath())
}

// NoArgs is the Args of a command that takes no argument.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fault.New(fault.Usage, HelpHint(cmd), "%q takes no argument, got %q", cmd.CommandPath(), args[0])
}

// NeedsSubcommand is the RunE of a command that only groups others.
func NeedsSubcommand(cmd *cobra.Command, args []string) error {
	if err := UnknownCommand(cmd, args); err != nil {
		return err
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return fault.New(fault.Usage, HelpHint(cmd), "%q needs one of: %s", cmd.CommandPath(), strings.Join(names, ", "))
}

// Lines joins a help text that is written line by line.
func Lines(ls ...string) string { return strings.Join(ls, "\n") }
