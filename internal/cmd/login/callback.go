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

func NewCallback(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:     "callback [URL]",
		GroupID: app.GroupSignIn,
		Short:   "Hand a redirect that did not arrive to the sign-in that waits for it",
		Long: app.Lines(
			"After you allowed a sign-in, the browser goes to http://127.0.0.1:PORT/oauth/callback?… . Where it shows \"refused",
			"to connect\", copy that page's whole address and give it to this command, in any shell of the same user on the",
			"machine where homing login waits. Without an argument it asks for the address, or reads it from standard input,",
			"so that it does not stay in the shell's history. The host of the address is ignored, line breaks too.",
			"",
			"Give such an address to nobody and to no web page: with it, somebody else's sign-in could be completed as you.",
			"",
			"Exit codes: 0 the sign-in was completed, 2 that is not such an address, 4 no sign-in waits for it, 5 it was",
			"denied in the browser.",
		),
		Example: app.Lines(
			"  homing callback",
			"  homing callback < address.txt",
			"  homing callback 'http://127.0.0.1:18425/oauth/callback?code=…&state=…'",
		),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fault.New(fault.Usage, "put the address in quotes: 'http://…'", "%q takes one address", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := redirect(cmd.Context(), a, args)
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
			a.UI.Answer("The sign-in that was waiting has been completed.\n")
			return nil
		},
	}
}

// redirect returns the address that the person has: the argument, a paste, or standard input.
func redirect(ctx context.Context, a *app.App, args []string) (string, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	if a.Env.Terminal.Stdin {
		return askRedirect(ctx, a)
	}
	type read struct {
		text []byte
		err  error
	}
	done := make(chan read, 1)
	go func() {
		text, err := io.ReadAll(io.LimitReader(a.Env.Stdin, term.MaxPaste+1))
		done <- read{text, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return "", &fault.Error{Kind: fault.Usage, Msg: "standard input cannot be read: " + r.err.Error(), Remedy: fault.Advice(asArgument), Err: r.err}
		}
		if len(bytes.TrimSpace(r.text)) == 0 {
			return "", fault.New(fault.Usage, asArgument, "standard input is empty: there is no address in it")
		}
		return string(r.text), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// endOfInput is what Ctrl-D sends to a program that reads keys.
const endOfInput = 0x04

const asArgument = "give the address as an argument, in quotes, or in a file: homing callback < FILE"

// askRedirect waits for a paste. It is not shown: it is a secret until it is used.
func askRedirect(ctx context.Context, a *app.App) (string, error) {
	if a.Env.Terminal.Inputs == nil {
		return "", fault.New(fault.Usage, asArgument, "this terminal cannot be read without showing the address")
	}
	inputs, restore, err := a.Env.Terminal.Inputs(ctx)
	if err != nil {
		return "", &fault.Error{Kind: fault.Usage, Msg: "this terminal cannot be read without showing the address", Remedy: fault.Advice(asArgument), Err: err}
	}
	defer restore()
	a.UI.Say("Paste the address of the page that failed to load here, and never into a web page or a chat (nothing will be shown; Ctrl-C gives up):\n")
	for {
		select {
		case in, ok := <-inputs:
			if !ok {
				if ctx.Err() != nil {
					return "", ctx.Err()
				}
				return "", fault.New(fault.Usage, asArgument, "the input ended before an address came")
			}
			switch {
			case !in.Text.IsZero():
				return in.Text.Reveal(), nil
			case in.Key == endOfInput:
				return "", fault.New(fault.Usage, asArgument, "the input ended before an address came")
			}
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}
