package configure

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/plain"
	"github.com/homing-cli/homing/internal/prompt"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/ui"
)

// askAccountAndRole sets the account and the role of p, from flags, from the person, or because there is only one.
func (o *ssoOptions) askAccountAndRole(ctx context.Context, p *plan, token session.Secret) error {
	conn, err := connect.To(ctx, o.app, p.session)
	if err != nil {
		return err
	}
	if err := o.askAccount(ctx, conn.Client, p, token); err != nil {
		return err
	}
	return o.askRole(ctx, conn.Client, p, token)
}

func (o *ssoOptions) askAccount(ctx context.Context, client *idc.Client, p *plan, token session.Secret) error {
	u := o.app.UI
	accounts, err := client.Accounts(ctx, token)
	if err != nil {
		return err
	}
	slices.SortStableFunc(accounts, func(a, b session.Account) int {
		return cmp.Or(plain.FoldCompare(a.Name, b.Name), plain.FoldCompare(a.Email, b.Email), cmp.Compare(a.ID, b.ID))
	})
	if err := checkNames(accounts, func(a session.Account) string { return a.ID }); err != nil {
		return err
	}
	switch {
	case len(accounts) == 0:
		return fault.New(fault.Denied, "ask your administrator to assign you a permission set in an account",
			"no AWS account is available to you")
	case o.Given("sso-account-id"):
		i := slices.IndexFunc(accounts, func(a session.Account) bool { return a.ID == o.accountID })
		if i < 0 {
			return notAssigned("--sso-account-id", o.accountID, "accounts")
		}
		p.accountID = o.accountID
	case len(accounts) == 1:
		p.accountID = accounts[0].ID
		u.Say("The only AWS account available to you is: %s\n", p.accountID)
	default:
		u.Say("There are %d AWS accounts available to you.\n", len(accounts))
		labels := make([]string, len(accounts))
		for i, account := range accounts {
			labels[i] = accountLabel(account)
		}
		i, err := prompt.Pick(ctx, o.app, labels, "--sso-account-id NUMBER")
		if err != nil {
			return err
		}
		p.accountID = accounts[i].ID
	}
	u.Say("Using the account ID %s\n", p.accountID)
	return nil
}

func (o *ssoOptions) askRole(ctx context.Context, client *idc.Client, p *plan, token session.Secret) error {
	u := o.app.UI
	roles, err := client.Roles(ctx, token, p.accountID)
	if err != nil {
		return err
	}
	slices.SortStableFunc(roles, func(a, b session.Role) int { return plain.FoldCompare(a.Name, b.Name) })
	if err := checkNames(roles, func(r session.Role) string { return r.Name }); err != nil {
		return err
	}
	switch {
	case len(roles) == 0:
		return fault.New(fault.Denied, "ask your administrator to assign you a permission set in it",
			"no role is available to you in the account %s", p.accountID)
	case o.Given("sso-role-name"):
		if !slices.ContainsFunc(roles, func(r session.Role) bool { return r.Name == o.roleName }) {
			return notAssigned("--sso-role-name", o.roleName, "roles in the account "+p.accountID)
		}
		p.role = o.roleName
	case len(roles) == 1:
		p.role = roles[0].Name
		u.Say("The only role available to you is: %s\n", p.role)
	default:
		u.Say("There are %d roles available to you.\n", len(roles))
		labels := make([]string, len(roles))
		for i, role := range roles {
			labels[i] = role.Name
		}
		i, err := prompt.Pick(ctx, o.app, labels, "--sso-role-name NAME")
		if err != nil {
			return err
		}
		p.role = roles[i].Name
	}
	u.Say("Using the role name \"%s\"\n", p.role)
	return nil
}

// notAssigned is the fault for an account or a role, given by flag, that is not in the service's list.
func notAssigned(flag, value, what string) error {
	return fault.New(fault.Denied, "leave out "+flag+" on a terminal to pick from the list",
		"%s %q is not among the %s available to you", flag, value, what)
}

// checkNames refuses a list with a name that the config file could not hold. The service sends no such name, but a
// proxy may.
func checkNames[T any](items []T, name func(T) string) error {
	for _, item := range items {
		if n := name(item); n == "" || ui.Clean(n) != n || strings.ContainsAny(n, " \t") {
			return fault.New(fault.Unavailable, "try again, and look for a proxy that changes answers",
				"the service sent a malformed name: %q", ui.Clean(n))
		}
	}
	return nil
}

// accountLabel returns an account as the AWS CLI shows it, "name, email (id)", without the parts that are missing.
func accountLabel(a session.Account) string {
	var parts []string
	for _, s := range []string{a.Name, a.Email} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if len(parts) == 0 {
		return a.ID
	}
	return strings.Join(parts, ", ") + " (" + a.ID + ")"
}
