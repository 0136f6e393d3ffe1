package app

import (
	"slices"
	"strings"
	"unicode"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/ui"
	"github.com/spf13/cobra"
)

// offers collects what can follow what was typed, each once.
type offers struct {
	list []cobra.Completion
	seen map[string]bool
}

// add offers a name that begins with what was typed; about explains it, "" where nothing does.
func (o *offers) add(typed, name, about string) {
	if !strings.HasPrefix(name, typed) || o.seen[name] || !offerable(name) {
		return
	}
	if o.seen == nil {
		o.seen = map[string]bool{}
	}
	o.seen[name] = true
	o.list = append(o.list, cobra.CompletionWithDesc(name, ui.Clean(about)))
}

// offerable reports whether a shell reads a name as a word, at most quoted for its blanks: bash puts what several names
// have in common on the command line as it is, and evaluates that line at the next Tab.
func offerable(name string) bool {
	return name != "" && !strings.HasPrefix(name, "-") && !strings.ContainsFunc(name, func(r rune) bool {
		return strings.ContainsRune("$`\\\"'!&|;<>(){}[]*?#~^%", r) || !unicode.IsGraphic(r) || r == unicode.ReplacementChar
	})
}

// readableConfig is the config file as far as it can be read, nil where it cannot: at the Tab key a file that the AWS
// CLI could not load is better than none.
func (a *App) readableConfig() *awsconfig.Config {
	paths, err := a.Paths()
	if err != nil {
		return nil
	}
	cfg, err := awsconfig.Load(paths)
	if err != nil {
		return nil
	}
	return cfg
}

// CompleteProfiles offers the names of profiles, with account and role.
func (a *App) CompleteProfiles(_ *cobra.Command, given []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var found offers
	if cfg := a.readableConfig(); cfg != nil {
		for p := range cfg.Profiles() {
			if !slices.Contains(given, p.Name) {
				found.add(typed, p.Name, roleInWords(p.Get("sso_account_id"), p.Get("sso_role_name")))
			}
		}
		for _, name := range cfg.ProfileNames() { // those of the credentials file too
			if !slices.Contains(given, name) {
				found.add(typed, name, "")
			}
		}
	}
	return found.list, cobra.ShellCompDirectiveNoFileComp
}

// roleInWords is account and role beside the name of a profile, "" where it has none.
func roleInWords(account, role string) string {
	return strings.TrimSpace(account + " " + role)
}

// CompleteSessions offers the names of sessions, with the start URL.
func (a *App) CompleteSessions(_ *cobra.Command, given []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var found offers
	if cfg := a.readableConfig(); cfg != nil {
		for _, name := range cfg.SessionNames() {
			if section, ok := cfg.SessionSection(name); ok && !slices.Contains(given, name) {
				found.add(typed, name, section.Get("sso_start_url"))
			}
		}
	}
	return found.list, cobra.ShellCompDirectiveNoFileComp
}

// CompleteAccounts and completeRoles offer what the profiles of the config file have, on the session of --sso-session
// and in the account of --account-id where those stand on the line already.
func (a *App) CompleteAccounts(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.completeRole(cmd, func(p awsconfig.Profile, found *offers) { found.add(typed, p.Get("sso_account_id"), "") })
}

func (a *App) CompleteRoles(cmd *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.completeRole(cmd, func(p awsconfig.Profile, found *offers) {
		if account := flagValue(cmd, "account-id"); account == "" || account == p.Get("sso_account_id") {
			found.add(typed, p.Get("sso_role_name"), "")
		}
	})
}

func (a *App) completeRole(cmd *cobra.Command, add func(awsconfig.Profile, *offers)) ([]cobra.Completion, cobra.ShellCompDirective) {
	var found offers
	if cfg := a.readableConfig(); cfg != nil {
		for p := range cfg.Profiles() {
			if s := flagValue(cmd, "sso-session"); s == "" || s == p.Get("sso_session") {
				add(p, &found)
			}
		}
	}
	return found.list, cobra.ShellCompDirectiveNoFileComp
}

// flagValue is what the line says already, "" where it does not.
func flagValue(cmd *cobra.Command, name string) string {
	if f := cmd.Flags().Lookup(name); f != nil {
		return f.Value.String()
	}
	return ""
}
