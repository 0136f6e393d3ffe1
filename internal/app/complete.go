package app

import (
	"slices"
	"strings"
	"unicode"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/ui"
	"github.com/spf13/cobra"
)

// Completions come from the config file alone: no network, no cache, and no word about what is wrong with the file.

// offers collects completions, each once.
type offers struct {
	list []cobra.Completion
	seen map[string]bool
}

// add offers name if it begins with what was typed. about describes it; it may be empty.
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

// offerable reports whether a shell reads name as one word, at most quoted for its blanks. Bash puts the common
// prefix of several names on the command line unquoted, and evaluates that line at the next Tab.
func offerable(name string) bool {
	return name != "" && !strings.HasPrefix(name, "-") && !strings.ContainsFunc(name, func(r rune) bool {
		return strings.ContainsRune("$`\\\"'!&|;<>(){}[]*?#~^%", r) || !unicode.IsGraphic(r) || r == unicode.ReplacementChar
	})
}

// readableConfig returns the config as far as it can be read, or nil. For completion, a file that the AWS CLI cannot
// load is better than none.
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

// CompleteProfiles completes names of profiles, with account and role.
func (a *App) CompleteProfiles(_ *cobra.Command, given []string, typed string) (
	[]cobra.Completion, cobra.ShellCompDirective,
) {
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

// roleInWords returns account and role as shown beside the name of a profile.
func roleInWords(account, role string) string {
	return strings.TrimSpace(account + " " + role)
}

// CompleteSessions completes names of sessions, with their start URLs.
func (a *App) CompleteSessions(_ *cobra.Command, given []string, typed string) (
	[]cobra.Completion, cobra.ShellCompDirective,
) {
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

// CompleteAccounts completes the account IDs of profiles, of one session if --sso-session is given.
func (a *App) CompleteAccounts(cmd *cobra.Command, _ []string, typed string) (
	[]cobra.Completion, cobra.ShellCompDirective,
) {
	return a.completeRole(cmd, func(p awsconfig.Profile, found *offers) { found.add(typed, p.Get("sso_account_id"), "") })
}

// CompleteRoles completes the roles of profiles, of one account if --account-id is given.
func (a *App) CompleteRoles(cmd *cobra.Command, _ []string, typed string) (
	[]cobra.Completion, cobra.ShellCompDirective,
) {
	return a.completeRole(cmd, func(p awsconfig.Profile, found *offers) {
		if account := flagValue(cmd, "account-id"); account == "" || account == p.Get("sso_account_id") {
			found.add(typed, p.Get("sso_role_name"), "")
		}
	})
}

func (a *App) completeRole(cmd *cobra.Command, add func(awsconfig.Profile, *offers)) (
	[]cobra.Completion, cobra.ShellCompDirective,
) {
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

// flagValue returns the value of a flag that is on the command line already, or "".
func flagValue(cmd *cobra.Command, name string) string {
	if f := cmd.Flags().Lookup(name); f != nil {
		return f.Value.String()
	}
	return ""
}
