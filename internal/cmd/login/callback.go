package login

import (
	"bytes"
	"context"
	"io"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/term"
	"github.com/spf13/cobra"
)

// NewCallback returns the command callback.
func NewCallback(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:     "callback [URL]",
		GroupID: app.GroupSignIn,
		Short:   "Complete a waiting sign-in with the browser's address",
		Long: app.Lines(
			"After you approve a sign-in, the browser goes to http://127.0.0.1:PORT/oauth/callback?… . If that page",
			"fails to load, copy its whole address and give it to this command, in any shell of the same user on the",
			"machine where homing login waits. Without an argument, the command asks for the address or reads it from",
			"standard input, which keeps it out of the shell's history. It ignores the host of the address, and line",
			"breaks in it.",
			"",
			"Never give such an address to another person or a web page: with it, someone else can sign in as you.",
			"",
			"Exit codes: 0 the sign-in is complete, 2 this is not such an address, 4 no sign-in waits for it, 5 the",
			"sign-in was denied in the browser.",
		),
		Example: app.Lines(
			"  homing callback",
			"  homing callback < address.txt",
			"  homing callback 'http://127.0.0.1:18425/oauth/callback?code=…&state=…'",
		),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fault.New(fault.Usage, "put the address in quotes: 'http://…'",
					"%q takes one address", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readRedirect(cmd.Context(), a, args)
			if err != nil {
				return err
			}
			dir, err := a.RendezvousDir()
			if err != nil {
				return err
			}
			if err := callback.Deliver(cmd.Context(), dir, text); err != nil {
				return err
			}
			if a.UI.JSON {
				return a.UI.Document(struct {
					Completed bool `json:"completed"`
				}{true})
			}
			a.UI.Answer("The waiting sign-in has been completed.\n")
			return nil
		},
	}
}

// readRedirect returns the address from the argument, from a paste on a terminal, or from standard input.
func readRedirect(ctx context.Context, a *app.App, args []string) (string, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	if a.Env.Terminal.Stdin {
		return askRedirect(ctx, a)
	}
	type result struct {
		text []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := io.ReadAll(io.LimitReader(a.Env.Stdin, term.MaxPaste+1))
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return "", &fault.Error{
				Kind: fault.Usage, Msg: "standard input cannot be read: " + r.err.Error(),
				Remedy: fault.Advice(argumentHint), Err: r.err,
			}
		}
		if len(bytes.TrimSpace(r.text)) == 0 {
			return "", fault.New(fault.Usage, argumentHint, "standard input is empty: there is no address in it")
		}
		return string(r.text), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// endOfInput is the key that Ctrl-D sends to a program that reads keys.
const endOfInput = 0x04

const (
	argumentHint = "give the address as an argument, in quotes, or in a file: homing callback < FILE"
	cannotHide   = "this terminal cannot hide the address that you paste"
	noAddress    = "the input ended before an address came"
)

// askRedirect waits for a paste. The terminal does not show it: the address is a secret until it is used.
func askRedirect(ctx context.Context, a *app.App) (string, error) {
	if a.Env.Terminal.Inputs == nil {
		return "", fault.New(fault.Usage, argumentHint, cannotHide)
	}
	inputs, restore, err := a.Env.Terminal.Inputs(ctx)
	if err != nil {
		return "", &fault.Error{Kind: fault.Usage, Msg: cannotHide, Remedy: fault.Advice(argumentHint), Err: err}
	}
	defer restore()
	a.UI.Say("Paste the address of the page that failed to load. It stays hidden; Ctrl-C cancels.\n" +
		"Never paste it into a web page or a chat.\n")
	for {
		select {
		case in, ok := <-inputs:
			if !ok {
				if ctx.Err() != nil {
					return "", ctx.Err()
				}
				return "", fault.New(fault.Usage, argumentHint, noAddress)
			}
			switch {
			case !in.Text.IsZero():
				return in.Text.Reveal(), nil
			case in.Key == endOfInput:
				return "", fault.New(fault.Usage, argumentHint, noAddress)
			}
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}
