// Package console is the command console.
package console

import (
	"cmp"
	"context"
	"io"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/store"
	"github.com/homing-cli/homing/internal/term"
	"github.com/spf13/cobra"
)

// document is what console --json prints. The names stay as they are.
type document struct {
	URL         string `json:"url"`
	Destination string `json:"destination"` // "" is where the portal leads
	Profile     string `json:"profile"`     // "" where the role was named by flags
	AccountID   string `json:"account_id"`
	RoleName    string `json:"role_name"`
	Opened      bool   `json:"opened"` // a browser, or an editor, has taken it
}

type options struct {
	app.RoleFlags
	App         *app.App
	service     string
	destination string
	noBrowser   bool
}

// services are names for the Tab key.
var services = []string{
	"apigateway", "athena", "bedrock", "billing", "cloudformation", "cloudfront", "cloudtrail", "cloudwatch", "codebuild", "dynamodb", "ec2", "ecr", "ecs",
	"eks", "events", "glue", "iam", "kms", "lambda", "logs", "rds", "route53", "s3", "sagemaker", "secretsmanager", "sns", "sqs", "ssm", "stepfunctions", "vpc",
}

func New(a *app.App) *cobra.Command {
	o := &options{App: a}
	cmd := &cobra.Command{
		Use:     "console",
		GroupID: app.GroupUse,
		Short:   "Open the AWS console in a browser as a role",
		Long: app.Lines(
			"Prints the portal's own link to the AWS console for the role of the profile, and opens it in your browser the way",
			"login does. There is no secret in the link, and nobody is asked: the portal signs you in if it has to. So it can be",
			"copied from a remote shell to where the browser is, and given to others who have the role.",
			"",
			"Without --service, --destination or --region the portal leads where it always does for the role. With one of the first",
			"two the region is that of --region, AWS_REGION, AWS_DEFAULT_REGION or the profile. An address outside the AWS console",
			"is refused.",
		),
		Example: app.Lines(
			"  homing console --profile dev",
			"  homing console --profile dev --service s3",
			"  homing console --profile dev --destination /cloudwatch/home#logsV2:log-groups --region eu-west-1",
			"  homing console --sso-session dev --account-id 111122223333 --role-name Admin --no-browser",
		),
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.valid(cmd); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	o.RegisterRole(cmd, a)
	flags := cmd.Flags()
	flags.StringVar(&o.service, "service", "", "`name` of the service to open, such as s3")
	flags.StringVar(&o.destination, "destination", "", "`address` in the console to open, or a path there such as /s3/buckets")
	flags.BoolVar(&o.noBrowser, "no-browser", false, "print the link, and open nothing (also: HOMING_NO_BROWSER)")
	app.CompleteFixed(cmd, "service", services...)
	return cmd
}

func (o *options) valid(cmd *cobra.Command) error {
	if o.service != "" && o.destination != "" {
		return fault.New(fault.Usage, app.HelpHint(cmd), "--service and --destination contradict each other")
	}
	return o.RoleFlags.Valid()
}

func (o *options) run(ctx context.Context) error {
	a := o.App
	key, region, err := o.role(ctx)
	if err != nil {
		return err
	}
	// A vanity address is not resolved: the browser follows it, and nothing here has to wait for it.
	if named := idc.RegionOf(key.Session.StartURL); named != "" {
		key.Session.Region = named
	}
	page := idc.ConsolePage{Region: a.Flags.Region, Service: o.service, Page: o.destination}
	if page != (idc.ConsolePage{}) && page.Region == "" {
		page.Region = region
	}
	answer := document{AccountID: key.AccountID, RoleName: key.RoleName}
	if o.AccountID == "" {
		answer.Profile, _ = a.ActiveProfile()
		answer.Profile = cmp.Or(answer.Profile, "default")
	}
	if answer.Destination, err = page.Address(key.Session.Region); err != nil {
		return err
	}
	if answer.URL, err = idc.ConsoleLink(key.Session.StartURL, key.AccountID, key.RoleName, answer.Destination); err != nil {
		return &fault.Error{Kind: fault.KindOf(err), Msg: key.Session.InWords() + ": " + err.Error(), Remedy: a.Configure(key.Session), Err: err}
	}
	all, err := a.UserSettings()
	if err != nil {
		return err
	}
	var open func(context.Context, string) error
	if !o.noBrowser && !all.For(key.Session.Name).NoBrowser.Value {
		open = a.Opener(ctx, a.Here(ctx).Window)
		if open == nil {
			a.UI.Say("No browser can be opened from here. Visit the address where you have one:\n")
		}
	}
	return o.show(ctx, answer, open)
}

// show prints the link, and opens it where open is not nil. That a browser was started is no proof that it shows the
// page, so the link is printed in any case.
func (o *options) show(ctx context.Context, answer document, open func(context.Context, string) error) error {
	a := o.App
	if !a.UI.JSON {
		link := answer.URL
		if a.Env.Terminal.Stdout && a.Env.Getenv("TERM") != "dumb" && term.Hyperlinks(a.Env.Getenv) {
			link = term.Link(link)
		}
		if open != nil {
			a.UI.Say("Opening the console in your browser, as role %q in account %s.\n", answer.RoleName, answer.AccountID)
		}
		if _, err := io.WriteString(a.UI.Out, link+"\n"); err != nil {
			return err
		}
	}
	if open != nil {
		err := open(ctx, answer.URL)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			a.UI.Debug("no browser: %v", err)
			a.UI.Say("The browser did not open. Visit the address where you have one.\n")
		}
		answer.Opened = err == nil
	}
	if a.UI.JSON {
		return a.UI.Document(answer)
	}
	return nil
}

// role finds the role to open the console as, and the region that its pages are opened in.
func (o *options) role(ctx context.Context) (key store.RoleKey, region string, err error) {
	a := o.App
	if o.AccountID != "" {
		t, err := a.Target(ctx, o.SSOSession)
		return store.RoleKey{Session: t.Session, AccountID: o.AccountID, RoleName: o.RoleName}, a.ClientRegion(""), err
	}
	p, err := a.RoleProfile(ctx, true)
	if err != nil {
		return key, "", err
	}
	if len(p.Via) > 1 {
		return key, "", fault.Suggest(fault.Config, fault.Preface{
			Words: "open that one, and switch the role in the console:",
			Then:  fault.Run{"homing", "console", "--profile", p.Profile},
		},
			"profile %q assumes a role over profile %q, and the portal opens the console only as the roles that it has", p.Via[0], p.Profile)
	}
	if err := p.NeedRole(); err != nil {
		return key, "", err
	}
	return store.RoleKey{Session: p.Session, AccountID: p.AccountID, RoleName: p.RoleName}, a.ClientRegion(p.Region), nil
}
