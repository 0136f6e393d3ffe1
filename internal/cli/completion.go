package cli

import (
	"reflect"
	"strings"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// finishCompletion sets up what the Tab key does, once the tree of commands stands: no command and no flag offers the
// names of files unless it says so, descriptions are plain text, and completion without a shell is an error.
func finishCompletion(root *cobra.Command, args []string) {
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.InitDefaultCompletionCmd(args...)
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.Args, cmd.RunE = cobra.ArbitraryArgs, needsShell
		for _, shell := range cmd.Commands() {
			shell.Args = noArgs
		}
	}
	if len(args) > 0 && args[0] == cobra.ShellCompRequestCmd {
		plainUsages(root)
	}
}

// needsShell is the run of completion without the name of a shell that has one.
func needsShell(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return needsSubcommand(cmd, args)
	}
	var shells []string
	for _, sub := range cmd.Commands() {
		shells = append(shells, sub.Name())
	}
	return fault.New(fault.Usage, "use one of: "+strings.Join(shells, ", "), "there is no completion for the shell %q", args[0])
}

// plainUsages takes the backquotes, which mark a value's name for the help page, out of the flags' descriptions: the
// shell would show them as they are.
func plainUsages(cmd *cobra.Command) {
	plain := func(f *pflag.Flag) { _, f.Usage = pflag.UnquoteUsage(f) }
	cmd.Flags().VisitAll(plain)
	cmd.PersistentFlags().VisitAll(plain)
	for _, sub := range cmd.Commands() {
		plainUsages(sub)
	}
}

// switchNames returns the names of the emulator's switches; those that are a text end in "=".
func switchNames() []string {
	var names []string
	for f := range reflect.TypeFor[emulator.Switches]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Type.Kind() == reflect.String {
			name += "="
		}
		names = append(names, name)
	}
	return names
}

// completeFixed offers values at the Tab key.
func completeFixed(cmd *cobra.Command, flag string, values ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}
