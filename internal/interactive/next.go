package interactive

import (
	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/signin"
)

// SayNext names a command that uses what the person just signed in to.
func SayNext(a *app.App, t app.Target) {
	if a.UI.JSON || a.Loaded == nil {
		return
	}
	profile := ""
	for _, p := range a.Loaded.ProfilesOf(t.Session) {
		if p.AccountID != "" && p.RoleName != "" && (profile == "" || p.Profile == t.Profile) {
			profile = p.Profile
		}
	}
	switch {
	case profile == "" && t.Session.Legacy():
		a.UI.Say("Next: homing configure sso\n")
	case profile == "":
		a.UI.Say("Next: homing profiles sync --sso-session %s\n", app.Argument(t.Session.Name))
	default:
		a.UI.Say("Next: %s\n", CallerIdentity(profile))
	}
}

// CallerIdentity is the command that shows that a profile works.
func CallerIdentity(profile string) string {
	if profile == "default" {
		return "aws sts get-caller-identity"
	}
	return "aws sts get-caller-identity --profile " + profile
}

// WarnStaticKeys says when keys in the environment (typically Codespaces secrets) hide what was signed in to.
func WarnStaticKeys(a *app.App) {
	if a.Env.Getenv("AWS_ACCESS_KEY_ID") == "" {
		return
	}
	const text = "AWS_ACCESS_KEY_ID is set and wins over your profiles in the AWS CLI and the SDKs; to use them: " +
		"unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"
	if a.UI.JSON {
		if err := a.UI.Event(signin.Hint{Text: text}); err != nil {
			a.UI.Debug("hint event: %v", err)
		}
	}
	a.UI.Say("warning: %s\n", text)
}
