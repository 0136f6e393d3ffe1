package interactive

import (
	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/fault"
)

// SayNext suggests a command that uses the session of t.
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
	var next fault.Remedy
	switch {
	case profile == "" && t.Session.Legacy():
		next = fault.ConfigureSSO{}
	case profile == "":
		next = fault.SyncProfiles{Session: t.Session.Name}
	default:
		next = CallerIdentity(profile)
	}
	a.UI.Say("Next: %s\n", a.UI.Command(next))
}

// CallerIdentity is the command that shows that a profile works.
func CallerIdentity(profile string) fault.Run {
	run := fault.Run{"aws", "sts", "get-caller-identity"}
	if profile == "default" {
		return run
	}
	return append(run, "--profile", profile)
}

// WarnStaticKeys warns that keys in the environment, such as Codespaces secrets, win over what was signed in to.
func WarnStaticKeys(a *app.App) {
	if a.Env.Getenv("AWS_ACCESS_KEY_ID") == "" {
		return
	}
	text := "AWS_ACCESS_KEY_ID is set and wins over your profiles in the AWS CLI and the SDKs; to use them: " +
		a.UI.Command(fault.Unset{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})
	if a.UI.JSON {
		if err := a.UI.HintEvent(text); err != nil {
			a.UI.Debug("hint event: %v", err)
		}
	}
	a.UI.Say("warning: %s\n", text)
}
