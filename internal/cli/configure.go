package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/settings"
	"github.com/spf13/cobra"
)

func newConfigureCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "configure",
		GroupID: groupSignIn,
		Short:   "Write profiles and sessions to the AWS config file",
		Args:    cobra.ArbitraryArgs,
		RunE:    needsSubcommand,
	}
	cmd.AddCommand(newConfigureSSOCmd(a), newConfigureSSOSessionCmd(a))
	return cmd
}

// sessionAnswers are the flags that describe a session, shared by both wizards.
type sessionAnswers struct {
	ssoSession, startURL, ssoRegion, scopes string
	given                                   func(flag string) bool // whether the flag was on the command line
}

func (s *sessionAnswers) register(cmd *cobra.Command, a *app) {
	flags := cmd.Flags()
	flags.StringVar(&s.ssoSession, "sso-session", "", "`name` of the [sso-session]; an empty name asks for the legacy format")
	flags.StringVar(&s.startURL, "sso-start-url", "", "`address` of the access portal")
	flags.StringVar(&s.ssoRegion, "sso-region", "", "`region` of IAM Identity Center")
	flags.StringVar(&s.scopes, "sso-registration-scopes", "", "comma-separated `scopes` (default "+session.DefaultScope+")")
	_ = cmd.RegisterFlagCompletionFunc("sso-session", a.completeSessions)
	_ = cmd.RegisterFlagCompletionFunc("sso-region", a.completeRegions)
	s.given = flags.Changed
}

// answer returns the value of a flag where it was given, after the check of its question, and asks otherwise.
func (a *app) answer(ctx context.Context, given bool, value string, q question) (string, error) {
	if !given {
		return a.ask(ctx, q)
	}
	value = strings.TrimSpace(value)
	if q.check != nil {
		if problem := q.check(value); problem != "" {
			name := strings.Fields(q.flag)[0]
			return "", fault.New(fault.Usage, "give another value: "+q.flag, "%s %q: %s", name, value, lowerFirst(problem))
		}
	}
	return value, nil
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// askStartURL and the two after it are the questions about a session, in the AWS CLI's words.
func (a *app) askStartURL(ctx context.Context, f *sessionAnswers, current string) (string, error) {
	return a.answer(ctx, f.given("sso-start-url"), f.startURL, question{
		text: "SSO start URL", current: current, flag: "--sso-start-url URL", check: checkStartURL,
	})
}

// askSSORegion asks for the region of startURL. The host may carry it, and then it stands in brackets; a vanity address
// is followed once, and where that tells the region nothing is asked, as with the AWS CLI. An answer that contradicts
// the host is refused: a sign-in goes where the host says, and every other program would renew its token elsewhere.
func (a *app) askSSORegion(ctx context.Context, f *sessionAnswers, startURL, current string) (string, error) {
	check := func(answer string) string {
		if host := idc.RegionOf(startURL); host != "" && answer != "" && answer != host {
			return fmt.Sprintf("The start URL is one of region %q", host)
		}
		return checkRegion(answer)
	}
	if !f.given("sso-region") {
		region, vanity := a.regionOf(ctx, startURL)
		if region != "" && vanity {
			return region, nil
		}
		if region != "" {
			current = region
		}
	}
	return a.answer(ctx, f.given("sso-region"), f.ssoRegion, question{
		text: "SSO region", current: current, flag: "--sso-region REGION", check: check,
	})
}

func (a *app) askScopes(ctx context.Context, f *sessionAnswers, current []string) ([]string, error) {
	if len(current) == 0 {
		current = []string{session.DefaultScope}
	}
	answer, err := a.answer(ctx, f.given("sso-registration-scopes"), f.scopes, question{
		text: "SSO registration scopes", current: strings.Join(current, ","), flag: "--sso-registration-scopes SCOPES", check: checkScopes,
	})
	return splitScopes(answer), err
}

// regionOf returns the region that a start URL's host carries, or the host a vanity address leads to; "" if unknown.
func (a *app) regionOf(ctx context.Context, startURL string) (region string, vanity bool) {
	if idc.AWSHost(startURL) {
		return idc.RegionOf(startURL), false
	}
	client, err := a.httpClient(a.settings())
	if err != nil {
		a.ui.debug("vanity address not followed: %v", err)
		return "", true
	}
	return idc.RegionOf(a.resolve(ctx, client, startURL)), true
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

func checkRegion(answer string) string {
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

// outputFormats are what the AWS CLI understands as output.
var outputFormats = settings.Outputs()

func checkOutput(answer string) string {
	if answer == "" || slices.Contains(outputFormats, answer) {
		return ""
	}
	return "Not one of " + strings.Join(outputFormats, ", ")
}

// checkName refuses names that some AWS tool could not read back.
func checkName(answer string) string {
	if answer == "" {
		return "A value is required"
	}
	if err := awsconfig.ValidName(answer); err != nil {
		return err.Error()
	}
	return ""
}

// sessionEdit writes s as an [sso-session].
func sessionEdit(s session.Session) awsconfig.Edit {
	return awsconfig.Edit{
		Section: awsconfig.Section{Type: "sso-session", Name: s.Name},
		Set: []awsconfig.KeyValue{
			{Key: "sso_start_url", Value: s.StartURL},
			{Key: "sso_region", Value: s.Region},
			{Key: "sso_registration_scopes", Value: strings.Join(s.Scopes, ",")},
		},
	}
}

// sameAs refuses answers on the command line that contradict the session as it is configured: other profiles and a
// cached token stand on it.
func (f *sessionAnswers) sameAs(s session.Session) error {
	for _, v := range []struct{ flag, given, have string }{
		{"sso-start-url", f.startURL, s.StartURL},
		{"sso-region", f.ssoRegion, s.Region},
		{"sso-registration-scopes", strings.Join(splitScopes(f.scopes), ","), strings.Join(s.RegistrationScopes(), ",")},
	} {
		if f.given(v.flag) && v.given != v.have {
			return fault.New(fault.Usage, fmt.Sprintf("leave the flag out, or change it first: homing configure sso-session --sso-session %s", s.Name),
				"session %q is configured with %q, not with --%s %q", s.Name, v.have, v.flag, v.given)
		}
	}
	return nil
}
