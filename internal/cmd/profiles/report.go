package profiles

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/answer"
	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/interactive"
	"github.com/homing-cli/homing/internal/profiles"
	"github.com/homing-cli/homing/internal/prompt"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/ui"
)

// outcome is what a sync found out, and how that is told.
type outcome struct {
	o        *syncOptions
	session  session.Session
	plan     profiles.Plan
	diff     string // where it was made
	unlisted []unlistedDocument
	changed  bool   // the file was written
	finish   func() // drops the list that is kept
}

// changeDocument is what happens to a profile, under --json.
type changeDocument struct {
	Profile     string        `json:"profile,omitempty"`
	Change      profiles.Kind `json:"change"`
	Was         string        `json:"was,omitempty"`
	Reason      string        `json:"reason,omitempty"`
	AccountID   string        `json:"account_id"`
	AccountName string        `json:"account_name,omitempty"`
	RoleName    string        `json:"role_name"`
}

type syncDocument struct {
	Session  string             `json:"session"`
	Added    profiles.Kind      `json:"session_change,omitempty"`
	StartURL string             `json:"start_url"`
	File     string             `json:"file"`
	DryRun   bool               `json:"dry_run"`
	Changed  bool               `json:"changed"`
	Profiles []changeDocument   `json:"profiles"`
	Unlisted []unlistedDocument `json:"unlisted"`
	Diff     string             `json:"diff,omitempty"`
}

// report ends a sync. The list has served its purpose before the first word is written: who reads may have gone away.
func (out *outcome) report(ctx context.Context) error {
	out.finish()
	o, u := out.o, out.o.App.UI
	if u.JSON {
		doc := syncDocument{
			Session: out.session.Name, StartURL: out.session.StartURL, File: o.App.Loaded.ConfigPath(), DryRun: o.dryRun, Changed: out.changed,
			Profiles: []changeDocument{}, Unlisted: out.unlisted, Diff: out.diff,
		}
		if out.addsSession() {
			doc.Added = profiles.Add
		}
		for _, c := range out.plan.Changes {
			doc.Profiles = append(doc.Profiles, changeDocument{
				c.Profile, c.Kind, c.Was, c.Reason, c.Grant.Account.ID, ui.Clean(c.Grant.Account.Name), c.Grant.Role,
			})
		}
		return u.Document(doc)
	}
	switch {
	case out.plan.Empty():
		out.notes()
		begin, what, stay := "Nothing to do", "no profile", "has to change"
		left := out.plan.Count(profiles.Changed) + out.plan.Count(profiles.Stale)
		switch n := out.plan.Count(profiles.Keep) + out.plan.Count(profiles.Covered); {
		case n == 1:
			what, stay = "1 profile", "stays as it is"
		case n > 1:
			what, stay = ui.Count(n, "profile"), "stay as they are"
		case left == 1:
			begin, what, stay = "Nothing was changed", "1 profile", "is left alone"
		case left > 1:
			begin, what, stay = "Nothing was changed", ui.Count(left, "profile"), "are left alone"
		}
		u.Answer("%s: %s of %s in %s %s.\n", begin, what, out.session.InWords(), quoted(o.App.Loaded.ConfigPath()), stay)
	case o.dryRun:
		if _, err := io.WriteString(u.Out, out.diff); err != nil {
			return err
		}
		out.notes()
		u.Say("%s in %s. Nothing was changed.\n", out.summary(false), quoted(o.App.Loaded.ConfigPath()))
	default:
		if o.yes { // who was asked has read them
			out.notes()
		}
		u.Answer("%s in %s.\n", out.summary(true), quoted(o.App.Loaded.ConfigPath()))
		out.next(ctx)
	}
	return nil
}

func quoted(path string) string { return fmt.Sprintf("%q", ui.Clean(path)) }

// addsSession reports whether the session itself is written, too.
func (out *outcome) addsSession() bool {
	return slices.ContainsFunc(out.plan.Edits, func(e awsconfig.Edit) bool { return e.Section == answer.SessionEdit(out.session).Section })
}

// summary words the numbers of a plan: what is to be done, or was.
func (out *outcome) summary(done bool) string {
	var parts []string
	if out.addsSession() {
		words := "to add"
		if done {
			words = "added"
		}
		parts = append(parts, fmt.Sprintf("Session %q %s", out.session.Name, words))
	}
	counted := false
	for _, k := range []struct {
		kind         profiles.Kind
		todo, didSay string
	}{
		{profiles.Add, "to add", "added"}, {profiles.Update, "to update", "updated"},
		{profiles.Rename, "to rename", "renamed"}, {profiles.Remove, "to remove", "removed"},
	} {
		n := out.plan.Count(k.kind)
		if n == 0 {
			continue
		}
		words := k.todo
		if done {
			words = k.didSay
		}
		what := fmt.Sprint(n)
		if !counted {
			what = ui.Count(n, "profile")
		}
		counted = true
		parts = append(parts, what+" "+words)
	}
	return strings.Join(parts, ", ")
}

// notes says on stderr what is not plain from the diff: names that are not the template's, profiles that were left alone.
func (out *outcome) notes() {
	said := map[profiles.Kind][]string{}
	for _, c := range out.plan.Changes {
		if text := out.note(c); text != "" {
			said[c.Kind] = append(said[c.Kind], text)
		}
	}
	for _, kind := range []profiles.Kind{profiles.Add, profiles.Rename, profiles.Keep, profiles.Changed, profiles.Stale, profiles.Skipped} {
		out.o.App.UI.Notes(said[kind])
	}
}

func (out *outcome) note(c profiles.Change) string {
	name := fmt.Sprintf("Profile %q", c.Profile)
	switch c.Kind {
	case profiles.Add:
		if c.Reason != "" {
			return name + " is called so because " + c.Reason + "."
		}
	case profiles.Rename:
		return name + " was " + fmt.Sprintf("%q", c.Was) + " until now."
	case profiles.Keep:
		if c.OldName {
			return name + strings.TrimPrefix(c.Reason, "it") + ". To rename it, add the flag: --rename"
		}
	case profiles.Changed:
		return name + " is left alone: " + c.Reason + "."
	case profiles.Stale:
		hint := ""
		if !out.o.prune {
			hint = " To remove it, add the flag: --prune"
		}
		return name + " is left alone: " + c.Reason + "." + hint
	case profiles.Skipped:
		return fmt.Sprintf("There is no profile for role %q in account %q: %s.", ui.Clean(c.Grant.Role), ui.Clean(c.Grant.Account.ID), c.Reason)
	}
	return ""
}

// next names a command that uses one of the new profiles; where the form asks for a sign-in of its own that there is not
// yet, the one for that. A legacy token is a file of its own, whatever the session has.
func (out *outcome) next(ctx context.Context) {
	a := out.o.App
	if own, profile := out.ownSignIn(ctx); own {
		a.UI.Say("Profiles of form legacy have a sign-in of their own: that of %s does not count for them.\nNext: %s\n",
			out.session.InWords(), a.UI.Command(fault.Login{Profile: profile}))
		return
	}
	for _, c := range out.plan.Changes {
		if c.Kind == profiles.Add {
			a.UI.Say("Next: %s\n", a.UI.Command(interactive.CallerIdentity(c.Profile)))
			return
		}
	}
}

// ownSignIn reports whether legacy profiles were written for an [sso-session], and nobody is signed in for them; and one
// of them.
func (out *outcome) ownSignIn(ctx context.Context) (bool, string) {
	if out.session.Legacy() {
		return false, ""
	}
	legacy := func(e awsconfig.Edit) bool {
		return slices.ContainsFunc(e.Set, func(kv awsconfig.KeyValue) bool { return kv.Key == "sso_start_url" }) && e.Section.Type == "profile"
	}
	i := slices.IndexFunc(out.plan.Edits, legacy)
	if i < 0 {
		return false, ""
	}
	st, err := out.o.App.Store()
	if err != nil {
		return false, ""
	}
	s := session.Session{StartURL: out.session.StartURL, Region: out.session.Region}
	return connect.Onlooker(out.o.App, st).Outlook(ctx, s).Next == refresh.NextSignIn, out.plan.Edits[i].Section.Name
}

// What stays on a terminal beside a page of the diff: the summary, the question and its answer, a line above.
const besidePage = 5

// ask shows the diff, a screenful at a time, and asks whether the file may be changed.
func (out *outcome) ask(ctx context.Context) (bool, error) {
	a := out.o.App
	p := pages{out: a.UI.Out, rest: slices.Collect(strings.Lines(out.diff))}
	if a.Env.Terminal.Stdout {
		height := a.Env.Terminal.Height
		if height <= 0 {
			height = 24
		}
		p.rows = max(height-besidePage, 10)
	}
	out.notes()
	for {
		left := p.next()
		if left > 0 {
			a.UI.Say("… %s\n", ui.Count(left, "more line")+" of the diff")
		}
		a.UI.Say("%s.\n", out.summary(false))
		q := prompt.Question{Text: fmt.Sprintf("Change %s like this? (yes or no)", quoted(a.Loaded.ConfigPath())), Current: "no", Flag: "--yes"}
		answers := []string{"y", "yes", "n", "no"}
		complaint := "Answer yes or no"
		if left > 0 {
			q.Text = fmt.Sprintf("Change %s like this? (yes, no, or more)", quoted(a.Loaded.ConfigPath()))
			answers, complaint = append(answers, "m", "more"), "Answer yes, no or more"
		}
		q.Check = func(answer string) string {
			if slices.Contains(answers, strings.ToLower(answer)) {
				return ""
			}
			return complaint
		}
		answer, err := prompt.Ask(ctx, a, q)
		if err != nil {
			return false, err
		}
		switch strings.ToLower(answer)[0] {
		case 'y':
			return true, nil
		case 'n':
			a.UI.Say("Nothing was changed.\n")
			return false, nil
		}
	}
}

// sameEdits reports whether two plans do the same to the file.
func sameEdits(a, b []awsconfig.Edit) bool {
	return slices.EqualFunc(a, b, func(a, b awsconfig.Edit) bool {
		return a.Section == b.Section && a.Remove == b.Remove && a.Owner == b.Owner &&
			slices.Equal(a.Set, b.Set) && slices.Equal(a.Unset, b.Unset)
	})
}
