// Package answer knows which values a session and a profile may have, however a person gives them: by a flag or as the
// answer to a question.
package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/prompt"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/settings"
	"github.com/homing-cli/homing/internal/ui"
	"github.com/spf13/cobra"
)

// SessionFlags are the flags that describe a session, shared by both wizards.
type SessionFlags struct {
	SSOSession, StartURL, SSORegion, scopes string
	Given                                   func(flag string) bool // whether the flag was on the command line
}

func (s *SessionFlags) Register(cmd *cobra.Command, a *app.App) {
	flags := cmd.Flags()
	flags.StringVar(&s.SSOSession, "sso-session", "", "`name` of the [sso-session]; an empty name asks for the legacy format")
	flags.StringVar(&s.StartURL, "sso-start-url", "", "`address` of the access portal")
	flags.StringVar(&s.SSORegion, "sso-region", "", "`region` of IAM Identity Center")
	flags.StringVar(&s.scopes, "sso-registration-scopes", "", "comma-separated `scopes` (default "+session.DefaultScope+")")
	_ = cmd.RegisterFlagCompletionFunc("sso-session", a.CompleteSessions)
	_ = cmd.RegisterFlagCompletionFunc("sso-region", a.CompleteRegions)
	s.Given = flags.Changed
}

// Get returns the value of a flag where it was given, after the check of its question, and asks otherwise.
func Get(ctx context.Context, a *app.App, given bool, value string, q prompt.Question) (string, error) {
	if !given {
		return prompt.Ask(ctx, a, q)
	}
	value = strings.TrimSpace(value)
	if q.Check != nil {
		if problem := q.Check(value); problem != "" {
			name := strings.Fields(q.Flag)[0]
			return "", fault.New(fault.Usage, "give another value: "+q.Flag, "%s %q: %s", name, value, ui.LowerFirst(problem))
		}
	}
	return value, nil
}

// AskStartURL and the two after it are the questions about a session, in the AWS CLI's words.
func AskStartURL(ctx context.Context, a *app.App, f *SessionFlags, current string) (string, error) {
	return Get(ctx, a, f.Given("sso-start-url"), f.StartURL, prompt.Question{
		Text: "SSO start URL", Current: current, Flag: "--sso-start-url URL", Check: checkStartURL,
	})
}

// AskSSORegion asks for the region of startURL. The host may carry it, and then it stands in brackets; a vanity address
// is followed once, and where that tells the region nothing is asked, as with the AWS CLI. An answer that contradicts
// the host is refused: a sign-in goes where the host says, and every other program would renew its token elsewhere.
func AskSSORegion(ctx context.Context, a *app.App, f *SessionFlags, startURL, current string) (string, error) {
	check := func(answer string) string {
		if host := idc.RegionOf(startURL); host != "" && answer != "" && answer != host {
			return fmt.Sprintf("The start URL is one of region %q", host)
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

func AskScopes(ctx context.Context, a *app.App, f *SessionFlags, current []string) ([]string, error) {
	if len(current) == 0 {
		current = []string{session.DefaultScope}
	}
	answer, err := Get(ctx, a, f.Given("sso-registration-scopes"), f.scopes, prompt.Question{
		Text: "SSO registration scopes", Current: strings.Join(current, ","), Flag: "--sso-registration-scopes SCOPES", Check: checkScopes,
	})
	return splitScopes(answer), err
}

// RegionOf returns the region that a start URL's host carries, or the host a vanity address leads to; "" if unknown.
func RegionOf(ctx context.Context, a *app.App, startURL string) (region string, vanity bool) {
	if idc.AWSHost(startURL) {
		return idc.RegionOf(startURL), false
	}
	client, err := connect.HTTPClient(a, a.Settings())
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

// OutputFormats are what the AWS CLI understands as output.
var OutputFormats = settings.Outputs()

func CheckOutput(answer string) string {
	if answer == "" || slices.Contains(OutputFormats, answer) {
		return ""
	}
	return "Not one of " + strings.Join(OutputFormats, ", ")
}

// CheckName refuses names that some AWS tool could not read back.
func CheckName(answer string) string {
	if answer == "" {
		return "A value is required"
	}
	if err := awsconfig.ValidName(answer); err != nil {
		return err.Error()
	}
	return ""
}

// SessionEdit writes s as an [sso-session].
func SessionEdit(s session.Session) awsconfig.Edit {
	return awsconfig.Edit{
		Section: awsconfig.Section{Type: "sso-session", Name: s.Name},
		Set: []awsconfig.KeyValue{
			{Key: "sso_start_url", Value: s.StartURL},
			{Key: "sso_region", Value: s.Region},
			{Key: "sso_registration_scopes", Value: strings.Join(s.Scopes, ",")},
		},
	}
}

// SameAs refuses answers on the command line that contradict the session as it is configured: other profiles and a
// cached token stand on it.
func (f *SessionFlags) SameAs(s session.Session) error {
	for _, v := range []struct{ flag, given, have string }{
		{"sso-start-url", f.StartURL, s.StartURL},
		{"sso-region", f.SSORegion, s.Region},
		{"sso-registration-scopes", strings.Join(splitScopes(f.scopes), ","), strings.Join(s.RegistrationScopes(), ",")},
	} {
		if f.Given(v.flag) && v.given != v.have {
			return fault.Suggest(fault.Usage, fault.Preface{Words: "leave the flag out, or change it first:", Then: fault.ConfigureSession{Session: s.Name}},
				"session %q is configured with %q, not with --%s %q", s.Name, v.have, v.flag, v.given)
		}
	}
	return nil
}
