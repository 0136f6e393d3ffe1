// Package answer collects and checks the values of a session and a profile. A person gives each as a flag or as the
// answer to a wizard's question, and both ways are held to the same rules.
package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/configedit"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/prompt"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/settings"
	"github.com/homing-cli/homing/internal/ui"
	"github.com/spf13/cobra"
)

// SessionFlags are the flags that describe a session. Register sets Given.
type SessionFlags struct {
	SSOSession, StartURL, SSORegion, scopes string
	// Given reports whether a flag of the command, of any kind, was on the command line.
	Given func(flag string) bool
}

// Register adds the flags to cmd.
func (f *SessionFlags) Register(cmd *cobra.Command, a *app.App) {
	flags := cmd.Flags()
	flags.StringVar(&f.SSOSession, "sso-session", "",
		"`name` of the [sso-session]; an empty name writes the legacy format")
	flags.StringVar(&f.StartURL, "sso-start-url", "", "`address` of the access portal")
	flags.StringVar(&f.SSORegion, "sso-region", "", "`region` of IAM Identity Center")
	flags.StringVar(&f.scopes, "sso-registration-scopes", "",
		"comma-separated `scopes` (default "+session.DefaultScope+")")
	_ = cmd.RegisterFlagCompletionFunc("sso-session", a.CompleteSessions)
	_ = cmd.RegisterFlagCompletionFunc("sso-region", a.CompleteRegions)
	f.Given = flags.Changed
}

// Get returns value, which a flag gave, or the answer to q if the flag was not given. Both pass q.Check.
func Get(ctx context.Context, a *app.App, given bool, value string, q prompt.Question) (string, error) {
	if !given {
		return prompt.Ask(ctx, a, q)
	}
	value = strings.TrimSpace(value)
	if q.Check != nil {
		if problem := q.Check(value); problem != "" {
			name := strings.Fields(q.Flag)[0]
			return "", fault.New(fault.Usage, "give another value: "+q.Flag,
				"%s %q: %s", name, value, ui.LowerFirst(problem))
		}
	}
	return value, nil
}

// The questions about a session use the AWS CLI's words.

// AskStartURL returns the start URL from f or from the person; current is what Enter keeps.
func AskStartURL(ctx context.Context, a *app.App, f *SessionFlags, current string) (string, error) {
	return Get(ctx, a, f.Given("sso-start-url"), f.StartURL, prompt.Question{
		Text: "SSO start URL", Current: current, Flag: "--sso-start-url URL", Check: checkStartURL,
	})
}

// AskSSORegion returns the region of startURL from f or from the person; current is what Enter keeps. A region in the
// host name replaces current. A vanity address is followed once; if it leads to a region, AskSSORegion asks nothing,
// as the AWS CLI does. It refuses an answer that contradicts the host: the sign-in goes to the host's region, but
// other programs would renew the token in the configured one.
func AskSSORegion(ctx context.Context, a *app.App, f *SessionFlags, startURL, current string) (string, error) {
	check := func(answer string) string {
		if host := idc.RegionOf(startURL); host != "" && answer != "" && answer != host {
			return fmt.Sprintf("The start URL belongs to region %q", host)
		}
		return CheckRegion(answer)
	}
	if !f.Given("sso-region") {
		region, vanity := RegionOf(ctx, a, startURL)
		if region != "" && vanity {
			return region, nil
		}
		if region != "" {
			current = region
		}
	}
	return Get(ctx, a, f.Given("sso-region"), f.SSORegion, prompt.Question{
		Text: "SSO region", Current: current, Flag: "--sso-region REGION", Check: check,
	})
}

// AskScopes returns the registration scopes from f or from the person. Enter keeps current, or the default scope if
// current is empty.
func AskScopes(ctx context.Context, a *app.App, f *SessionFlags, current []string) ([]string, error) {
	if len(current) == 0 {
		current = []string{session.DefaultScope}
	}
	answer, err := Get(ctx, a, f.Given("sso-registration-scopes"), f.scopes, prompt.Question{
		Text: "SSO registration scopes", Current: strings.Join(current, ","),
		Flag: "--sso-registration-scopes SCOPES", Check: checkScopes,
	})
	return splitScopes(answer), err
}

// RegionOf returns the region in the host name of startURL, or in that of the host that a vanity address leads to. It
// returns "" if neither has one. vanity reports whether startURL is a vanity address.
func RegionOf(ctx context.Context, a *app.App, startURL string) (region string, vanity bool) {
	if idc.AWSHost(startURL) {
		return idc.RegionOf(startURL), false
	}
	client, err := connect.HTTPClient(a)
	if err != nil {
		a.UI.Debug("vanity address not followed: %v", err)
		return "", true
	}
	return idc.RegionOf(connect.Resolve(ctx, a, client, startURL)), true
}

func checkStartURL(answer string) string {
	if answer == "" {
		return "A value is required"
	}
	if err := idc.ValidStartURL(answer); err != nil {
		return "Not a valid Start URL: " + err.Error()
	}
	return ""
}

// CheckRegion returns what is wrong with a region, as a sentence; it is empty if nothing is.
func CheckRegion(answer string) string {
	if answer == "" {
		return "A value is required"
	}
	if !settings.IsRegion(answer) {
		return "Not a region such as eu-west-1"
	}
	return ""
}

func checkScopes(answer string) string {
	for _, scope := range splitScopes(answer) {
		if strings.ContainsAny(scope, " \t") {
			return "Scope values must be separated by commas"
		}
	}
	if len(splitScopes(answer)) == 0 {
		return "A value is required"
	}
	return ""
}

func splitScopes(text string) []string {
	var scopes []string
	for scope := range strings.SplitSeq(text, ",") {
		if scope = strings.TrimSpace(scope); scope != "" {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// OutputFormats lists the output formats of the AWS CLI.
var OutputFormats = settings.Outputs()

// CheckOutput returns what is wrong with an output format, as a sentence; it is empty if nothing is. An empty format
// is fine.
func CheckOutput(answer string) string {
	if answer == "" || slices.Contains(OutputFormats, answer) {
		return ""
	}
	return "Not one of " + strings.Join(OutputFormats, ", ")
}

// CheckName returns why some AWS tool cannot read a profile or session name, as a sentence; it is empty if all can.
func CheckName(answer string) string {
	if answer == "" {
		return "A value is required"
	}
	if err := configedit.ValidName(answer); err != nil {
		return err.Error()
	}
	return ""
}

// SessionEdit returns the edit that writes s as an [sso-session].
func SessionEdit(s session.Session) configedit.Edit {
	return configedit.Edit{
		Section: configedit.Section{Type: "sso-session", Name: s.Name},
		Set: []configedit.KeyValue{
			{Key: "sso_start_url", Value: s.StartURL},
			{Key: "sso_region", Value: s.Region},
			{Key: "sso_registration_scopes", Value: strings.Join(s.Scopes, ",")},
		},
	}
}

// CheckAgainst returns a usage fault if a flag contradicts s, a configured session. Other profiles and a cached token
// depend on the configured values.
func (f *SessionFlags) CheckAgainst(s session.Session) error {
	for _, v := range []struct{ flag, given, have string }{
		{"sso-start-url", f.StartURL, s.StartURL},
		{"sso-region", f.SSORegion, s.Region},
		{
			"sso-registration-scopes",
			strings.Join(splitScopes(f.scopes), ","), strings.Join(s.RegistrationScopes(), ","),
		},
	} {
		if f.Given(v.flag) && v.given != v.have {
			change := fault.ConfigureSession{Session: s.Name}
			return fault.Suggest(fault.Usage,
				fault.Preface{Words: "leave the flag out, or change it first:", Then: change},
				"session %q is configured with %q, not with --%s %q", s.Name, v.have, v.flag, v.given)
		}
	}
	return nil
}

// RefuseOutput returns a usage fault if --output has a value that the AWS CLI does not know.
func RefuseOutput(value string) error {
	if CheckOutput(value) == "" {
		return nil
	}
	return fault.New(fault.Usage, "use one of: "+strings.Join(OutputFormats, ", "),
		"--output %q is not an output format", value)
}

// RefuseRegion returns a usage fault if --region has a value that is no region; "" is fine.
func RefuseRegion(value string) error {
	if value == "" || CheckRegion(value) == "" {
		return nil
	}
	return fault.New(fault.Usage, "give a region such as: --region eu-west-1", "--region %q is not a region", value)
}
