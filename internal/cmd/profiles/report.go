package profiles

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/answer"
	"github.com/homing-cli/homing/internal/configedit"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/interactive"
	"github.com/homing-cli/homing/internal/profiles"
	"github.com/homing-cli/homing/internal/prompt"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/ui"
)

// outcome is the result of a sync; its methods report it.
type outcome struct {
	o        *syncOptions
	session  session.Session
	plan     profiles.Plan
	diff     string // "" if it is not shown
	unlisted []unlistedJSON
	changed  bool   // the file was written
	finish   func() // drops the stored list
}

// changeJSON is what happens to a profile, under --json.
type changeJSON struct {
	Profile     string        `json:"profile,omitempty"`
	Change      profiles.Kind `json:"change"`
	Was         string        `json:"was,omitempty"`
	Reason      string        `json:"reason,omitempty"`
	AccountID   string        `json:"account_id"`
	AccountName string        `json:"account_name,omitempty"`
	RoleName    string        `json:"role_name"`
}

// syncJSON is the answer of profiles sync --json.
type syncJSON struct {
	Session       string         `json:"session"`
	SessionChange profiles.Kind  `json:"session_change,omitempty"`
	StartURL      string         `json:"start_url"`
	File          string         `json:"file"`
	DryRun        bool           `json:"dry_run"`
	Changed       bool           `json:"changed"`
	Profiles      []changeJSON   `json:"profiles"`
	Unlisted      []unlistedJSON `json:"unlisted"`
	Diff          string         `json:"diff,omitempty"`
}

// report ends a sync. It drops the stored list before it prints: the reader may be gone, and then printing fails.
func (out *outcome) report(ctx context.Context) error {
	out.finish()
	o, u := out.o, out.o.app.UI
	if u.JSON {
		doc := syncJSON{
			Session: out.session.Name, StartURL: out.session.StartURL, File: o.app.Loaded.ConfigPath(),
			DryRun: o.dryRun, Changed: out.changed, Profiles: []changeJSON{}, Unlisted: out.unlisted, Diff: out.diff,
		}
		if out.addsSession() {
			doc.SessionChange = profiles.Add
		}
		for _, c := range out.plan.Changes {
			doc.Profiles = append(doc.Profiles, changeJSON{
				c.Profile, c.Kind, c.Was, c.Reason, c.Grant.Account.ID, ui.Clean(c.Grant.Account.Name), c.Grant.Role,
			})
		}
		return u.Document(doc)
	}
	switch {
	case out.plan.Empty():
		out.printNotes()
		u.Answer("%s.\n", out.unchanged())
	case o.dryRun:
		if _, err := io.WriteString(u.Out, out.diff); err != nil {
			return err
		}
		out.printNotes()
		u.Say("%s in %s. Nothing was changed.\n", out.summary(false), quoted(o.app.Loaded.ConfigPath()))
	default:
		if o.yes { // otherwise the question showed them
			out.printNotes()
		}
		u.Answer("%s in %s.\n", out.summary(true), quoted(o.app.Loaded.ConfigPath()))
		out.printNext(ctx)
	}
	return nil
}

// unchanged returns why an empty plan changes nothing.
func (out *outcome) unchanged() string {
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
	path := quoted(out.o.app.Loaded.ConfigPath())
	return fmt.Sprintf("%s: %s of %s in %s %s", begin, what, ui.Clean(out.session.InWords()), path, stay)
}

func quoted(path string) string { return fmt.Sprintf("%q", ui.Clean(path)) }

// addsSession reports whether the plan also writes the session.
func (out *outcome) addsSession() bool {
	section := answer.SessionEdit(out.session).Section
	return slices.ContainsFunc(out.plan.Edits, func(e configedit.Edit) bool { return e.Section == section })
}

// summary counts the changes of a plan, done or still to do.
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
		kind          profiles.Kind
		toDo, wasDone string
	}{
		{profiles.Add, "to add", "added"}, {profiles.Update, "to update", "updated"},
		{profiles.Rename, "to rename", "renamed"}, {profiles.Remove, "to remove", "removed"},
	} {
		n := out.plan.Count(k.kind)
		if n == 0 {
			continue
		}
		words := k.toDo
		if done {
			words = k.wasDone
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

// printNotes says on stderr what the diff does not show: names that differ from the template's, profiles left alone.
func (out *outcome) printNotes() {
	notes := map[profiles.Kind][]string{}
	for _, c := range out.plan.Changes {
		if text := out.note(c); text != "" {
			notes[c.Kind] = append(notes[c.Kind], text)
		}
	}
	for _, kind := range []profiles.Kind{
		profiles.Add, profiles.Rename, profiles.Keep, profiles.Changed, profiles.Stale, profiles.Skipped,
	} {
		out.o.app.UI.Notes(notes[kind])
	}
}

// note returns the sentence about a change, "" if the diff says enough.
func (out *outcome) note(c profiles.Change) string {
	name := fmt.Sprintf("Profile %q", c.Profile)
	switch c.Kind {
	case profiles.Add:
		if c.Reason != "" {
			return name + " has this name because " + c.Reason + "."
		}
	case profiles.Rename:
		return fmt.Sprintf("%s was called %q until now.", name, c.Was)
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
		return fmt.Sprintf("There is no profile for role %q in account %q: %s.",
			ui.Clean(c.Grant.Role), ui.Clean(c.Grant.Account.ID), c.Reason)
	}
	return ""
}

// printNext names a command that uses one of the new profiles, or the login that these profiles need first.
func (out *outcome) printNext(ctx context.Context) {
	a := out.o.app
	if profile, needed := out.legacySignIn(ctx); needed {
		a.UI.Say("Legacy profiles need a sign-in of their own; they do not use the token of %s.\nNext: %s\n",
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

// legacySignIn reports whether the run wrote legacy profiles for an [sso-session] while nobody is signed in for them,
// and returns one of them. A legacy token has a file of its own, whatever token the session has.
func (out *outcome) legacySignIn(ctx context.Context) (profile string, needed bool) {
	if out.session.Legacy() {
		return "", false
	}
	isStartURL := func(kv configedit.KeyValue) bool { return kv.Key == "sso_start_url" }
	i := slices.IndexFunc(out.plan.Edits, func(e configedit.Edit) bool {
		return e.Section.Type == "profile" && slices.ContainsFunc(e.Set, isStartURL)
	})
	if i < 0 {
		return "", false
	}
	st, err := out.o.app.Store()
	if err != nil {
		return "", false
	}
	s := session.Session{StartURL: out.session.StartURL, Region: out.session.Region}
	needed = connect.Onlooker(out.o.app, st).Outlook(ctx, s).Next == refresh.NextSignIn
	return out.plan.Edits[i].Section.Name, needed
}

// linesBelowPage are what the terminal shows beside a page of the diff: the count of more lines, the summary, the
// question, its answer, and the line above.
const linesBelowPage = 5

// confirm shows the diff page by page and asks whether to change the file.
func (out *outcome) confirm(ctx context.Context) (bool, error) {
	a := out.o.app
	p := pager{out: a.UI.Out, rest: slices.Collect(strings.Lines(out.diff))}
	if a.Env.Terminal.Stdout {
		height := a.Env.Terminal.Height
		if height <= 0 {
			height = 24
		}
		p.rows = max(height-linesBelowPage, 10)
	}
	out.printNotes()
	for {
		left := p.writePage()
		if left > 0 {
			a.UI.Say("… %s\n", ui.Count(left, "more line")+" of the diff")
		}
		a.UI.Say("%s.\n", out.summary(false))
		choices, answers, problem := "yes or no", []string{"y", "yes", "n", "no"}, "Answer yes or no"
		if left > 0 {
			choices, answers, problem = "yes, no, or more", append(answers, "m", "more"), "Answer yes, no or more"
		}
		answer, err := prompt.Ask(ctx, a, prompt.Question{
			Text:    fmt.Sprintf("Change %s like this? (%s)", quoted(a.Loaded.ConfigPath()), choices),
			Current: "no", Flag: "--yes",
			Check: func(answer string) string {
				if slices.Contains(answers, strings.ToLower(answer)) {
					return ""
				}
				return problem
			},
		})
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

// equalEdits reports whether two plans change the file alike.
func equalEdits(a, b []configedit.Edit) bool {
	return slices.EqualFunc(a, b, func(a, b configedit.Edit) bool {
		return a.Section == b.Section && a.Remove == b.Remove && a.Owner == b.Owner &&
			slices.Equal(a.Set, b.Set) && slices.Equal(a.Unset, b.Unset)
	})
}
