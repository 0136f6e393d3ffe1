// Package console implements the command console: the portal's link to the AWS console, opened in a browser.
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

// document is the answer of console --json. Its names are stable.
type document struct {
	URL         string `json:"url"`
	Destination string `json:"destination"` // "" if the portal chooses
	Profile     string `json:"profile"`     // "" if flags name the role
	AccountID   string `json:"account_id"`
	RoleName    string `json:"role_name"`
	Opened      bool   `json:"opened"` // a browser or an editor accepted the URL
}

type options struct {
	app.RoleFlags
	app         *app.App
	service     string
	destination string
	noBrowser   bool
}

// services are the names that completion offers.
var services = []string{
	"apigateway", "athena", "bedrock", "billing", "cloudformation", "cloudfront", "cloudtrail", "cloudwatch",
	"codebuild", "dynamodb", "ec2", "ecr", "ecs", "eks", "events", "glue", "iam", "kms", "lambda", "logs", "rds",
	"route53", "s3", "sagemaker", "secretsmanager", "sns", "sqs", "ssm", "stepfunctions", "vpc",
}

// New returns the command console.
func New(a *app.App) *cobra.Command {
	o := &options{app: a}
	cmd := &cobra.Command{
		Use:     "console",
		GroupID: app.GroupUse,
		Short:   "Open the AWS console in a browser as a role",
		Long: app.Lines(
			"Prints the portal's link to the AWS console for the role of the profile, and opens it in your browser.",
			"The link contains no secret; the portal signs you in if necessary. You can copy it from a remote shell",
			"to your browser, and share it with others who have the role.",
			"",
			"Without --service, --destination and --region the portal opens its default page for the role. With",
			"--service or --destination the region is that of --region, AWS_REGION, AWS_DEFAULT_REGION or the",
			"profile. Addresses outside the AWS console are refused.",
		),
		Example: app.Lines(
			"  homing console --profile dev",
			"  homing console --profile dev --service s3",
			"  homing console --profile dev --destination /cloudwatch/home#logsV2:log-groups --region eu-west-1",
			"  homing console --sso-session dev --account-id 111122223333 --role-name Admin --no-browser",
		),
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(cmd); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	o.RegisterRole(cmd, a)
	flags := cmd.Flags()
	flags.StringVar(&o.service, "service", "", "`name` of the service to open, such as s3")
	flags.StringVar(&o.destination, "destination", "",
		"`address` in the console to open, or a path there such as /s3/buckets")
	flags.BoolVar(&o.noBrowser, "no-browser", false, "print the link without opening it (also: HOMING_NO_BROWSER)")
	app.CompleteFixed(cmd, "service", services...)
	return cmd
}

func (o *options) validate(cmd *cobra.Command) error {
	if o.service != "" && o.destination != "" {
		return fault.New(fault.Usage, app.HelpHint(cmd), "--service and --destination contradict each other")
	}
	return o.Valid()
}

func (o *options) run(ctx context.Context) error {
	a := o.app
	key, region, err := o.role(ctx)
	if err != nil {
		return err
	}
	// Do not resolve a vanity address: the browser follows it anyway.
	if region := idc.RegionOf(key.Session.StartURL); region != "" {
		key.Session.Region = region
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
	if answer.URL, err = idc.ConsoleLink(key.Session.StartURL, key.AccountID, key.RoleName,
		answer.Destination); err != nil {
		return &fault.Error{
			Kind:   fault.KindOf(err),
			Msg:    key.Session.InWords() + ": " + err.Error(),
			Remedy: a.Configure(key.Session),
			Err:    err,
		}
	}
	all, err := a.UserSettings()
	if err != nil {
		return err
	}
	var open func(context.Context, string) error
	if !o.noBrowser && !all.For(key.Session.Name).NoBrowser.Value {
		open = a.Opener(ctx, a.Here(ctx).Window)
		if open == nil {
			a.UI.Say("homing cannot open a browser from here. Open this address in yours:\n")
		}
	}
	return o.show(ctx, answer, open)
}

// show prints the link, and opens it unless open is nil. A browser that starts may still not show the page, so the
// link is always printed.
func (o *options) show(ctx context.Context, answer document, open func(context.Context, string) error) error {
	a := o.app
	if !a.UI.JSON {
		link := answer.URL
		if a.Env.Terminal.Stdout && a.Env.Getenv("TERM") != "dumb" && term.Hyperlinks(a.Env.Getenv) {
			link = term.Link(link)
		}
		if open != nil {
			a.UI.Say("Opening the console in your browser, as role %q in account %s.\n", answer.RoleName,
				answer.AccountID)
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
			a.UI.Say("The browser did not open. Open the address yourself.\n")
		}
		answer.Opened = err == nil
	}
	if a.UI.JSON {
		return a.UI.Document(answer)
	}
	return nil
}

// role returns the role that opens the console, and the region of its pages.
func (o *options) role(ctx context.Context) (key store.RoleKey, region string, err error) {
	a := o.app
	if o.AccountID != "" {
		t, err := a.Target(ctx, o.SSOSession)
		return store.RoleKey{Session: t.Session, AccountID: o.AccountID, RoleName: o.RoleName}, a.ClientRegion(""), err
	}
	p, err := a.RoleProfile(ctx, true)
	if err != nil {
		return key, "", err
	}
	if len(p.Via) > 1 {
		return key, "", fault.Suggest(
			fault.Config,
			fault.Preface{
				Words: "open that one and switch the role in the console:",
				Then:  fault.Run{"homing", "console", "--profile", p.Profile},
			},
			"profile %q assumes a role through profile %q, and the portal opens the console only with roles of its own",
			p.Via[0],
			p.Profile,
		)
	}
	if err := p.NeedRole(); err != nil {
		return key, "", err
	}
	key = store.RoleKey{Session: p.Session, AccountID: p.AccountID, RoleName: p.RoleName}
	return key, a.ClientRegion(p.Region), nil
}
