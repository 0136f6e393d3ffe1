// Package completion sets up shell completion: the command completion, and what the Tab key offers.
package completion

import (
	"io"
	"strings"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Finish sets up completion; call it after all commands are added to root. Commands and flags offer file names only
// if they ask for it, descriptions are plain text, and the command completion needs the name of a shell.
func Finish(root *cobra.Command, args []string) {
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.InitDefaultCompletionCmd(args...)
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.Args, cmd.RunE = cobra.ArbitraryArgs, needsShell
		for _, shell := range cmd.Commands() {
			shell.Args = app.NoArgs
			if shell.Name() == "bash" {
				appendBashWords(root, shell)
			}
		}
	}
	if len(args) > 0 && args[0] == cobra.ShellCompRequestCmd {
		stripBackquotes(root)
	}
}

// bashWords replaces the part of the bash script that needs the package bash-completion, which many containers lack.
// It rejoins the words before the cursor that bash split at = and :.
const bashWords = `
__homing_init_completion()
{
    COMPREPLY=()
    if declare -F _get_comp_words_by_ref >/dev/null 2>&1; then
        _get_comp_words_by_ref "$@" cur prev words cword
        return
    fi
    local i word blank rest=${COMP_LINE:0:COMP_POINT}
    words=() cword=-1
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        blank=${rest%%[![:blank:]]*}
        rest=${rest:${#blank}}
        ((i < COMP_CWORD)) || word=$rest
        rest=${rest:${#word}}
        if [[ -z $blank ]] && ((cword >= 0)); then
            words[cword]+=$word
        else
            words[++cword]=$word
        fi
    done
    cur=${words[cword]}
    ((cword == 0)) || prev=${words[cword - 1]}
}
`

// appendBashWords makes the command that prints the bash script append bashWords.
func appendBashWords(root, bash *cobra.Command) {
	bash.Long = strings.Replace(bash.Long, "This script depends on the 'bash-completion' package.\n"+
		"If it is not installed already, you can install it via your OS's package manager.\n\n", "", 1)
	bash.RunE = func(cmd *cobra.Command, _ []string) error {
		noDesc, err := cmd.Flags().GetBool("no-descriptions")
		if err != nil {
			return err
		}
		var script strings.Builder
		if err := root.GenBashCompletionV2(&script, !noDesc); err != nil {
			return err
		}
		_, err = io.WriteString(root.OutOrStdout(), script.String()+bashWords)
		return err
	}
}

// needsShell is the RunE of completion without a known shell.
func needsShell(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return app.NeedsSubcommand(cmd, args)
	}
	var shells []string
	for _, sub := range cmd.Commands() {
		shells = append(shells, sub.Name())
	}
	return fault.New(fault.Usage, "use one of: "+strings.Join(shells, ", "),
		"there is no completion for the shell %q", args[0])
}

// stripBackquotes removes the backquotes that mark the name of a value on help pages from the flags' descriptions: a
// shell would show them.
func stripBackquotes(cmd *cobra.Command) {
	plain := func(f *pflag.Flag) { _, f.Usage = pflag.UnquoteUsage(f) }
	cmd.Flags().VisitAll(plain)
	cmd.PersistentFlags().VisitAll(plain)
	for _, sub := range cmd.Commands() {
		stripBackquotes(sub)
	}
}
