// Package prompt asks a person at the terminal for a line or for an item of a list. The fast path of credentials must
// not import it.
package prompt

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/term"
)

// Question is one line of a wizard: TEXT [current]: answer.
type Question struct {
	Text    string // "SSO region"
	Bare    bool   // no brackets: "SSO session name: "
	Current string // the answer if the person presses Enter; "" shows as None
	Flag    string // the flag that answers the question, for errors without a terminal
	// Check returns why an answer is refused, "" if it is accepted; nil accepts all. It also checks Current.
	Check func(answer string) string
}

// Ask asks q and returns the answer, trimmed; Enter gives the current value. Without a terminal it returns the
// current value, or a usage fault that names the flag if Check refuses that.
func Ask(ctx context.Context, a *app.App, q Question) (string, error) {
	if !a.Interactive() {
		if q.Current != "" || q.Check == nil || q.Check("") == "" {
			return q.Current, nil
		}
		return "", Missing(q.Flag)
	}
	for {
		if q.Bare {
			a.UI.Say("%s: ", q.Text)
		} else {
			shown := q.Current
			if shown == "" {
				shown = "None"
			}
			a.UI.Say("%s [%s]: ", q.Text, shown)
		}
		line, err := a.Lines.Line(ctx)
		if err != nil {
			a.UI.Say("\n")
			if errors.Is(err, term.ErrEOF) {
				return "", unanswered(q.Flag)
			}
			return "", err
		}
		answer := strings.TrimSpace(line)
		if answer == "" {
			answer = q.Current
		}
		problem := ""
		switch {
		case !utf8.ValidString(answer), strings.ContainsFunc(answer, unicode.IsControl):
			problem = "The answer contains control characters"
		case q.Check != nil:
			problem = q.Check(answer)
		}
		if problem == "" {
			return answer, nil
		}
		a.UI.Say("%s\n", problem)
	}
}

// Missing returns the usage fault for a question that cannot be asked without a terminal. flag answers the question;
// it may include a value and a remark.
func Missing(flag string) error {
	return fault.New(fault.Usage, "add the flag: "+flag,
		"there is no terminal to ask on, and %s is not given", strings.Fields(flag)[0])
}

// unanswered returns the error for a person who ended the input (Ctrl-D) instead of answering.
func unanswered(flag string) error {
	return fault.New(fault.Usage, "answer, or add the flag: "+flag,
		"the input ended, and %s is not given", strings.Fields(flag)[0])
}
