package idc

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sso"

	"github.com/homing-cli/homing/internal/plain"
	"github.com/homing-cli/homing/internal/session"
)

const (
	// pageSize is the most the portal allows since May 2026; its own default is 20.
	pageSize = 100
	// maxPages ends a list that does not end by itself: ten times the largest organisation heard of.
	maxPages = 1000
)

// portal reports whether op is an operation of the access portal.
func portal(op string) bool {
	return op == opAccounts || op == opRoles || op == opCredentials || op == opLogout
}

// Accounts returns every account the person may use, in the portal's order, which is none. Names and addresses are
// made fit for a terminal and may be empty.
func (c *Client) Accounts(ctx context.Context, token session.Secret) ([]session.Account, error) {
	secret := token.Reveal()
	k := &call{op: opAccounts, secrets: []string{secret}}
	ctx, err := c.begin(ctx, k)
	if err != nil {
		return nil, err
	}
	var accounts []session.Account
	known := map[string]bool{}
	err = c.pages(k, func(next *string) (*string, error) {
		page, next, err := c.accountsPage(ctx, k, &secret, next)
		for _, a := range page {
			if !known[a.ID] { // pages of an unordered list may overlap
				known[a.ID] = true
				accounts = append(accounts, a)
			}
		}
		return next, err
	})
	if err != nil {
		return nil, err
	}
	return accounts, nil
}

// AccountsPage returns one page of what Accounts returns, in a single attempt: it is for who paces a long list and has
// to hear of every refusal. page is "" for the first, then the next of the call before, which is "" after the last.
// Pages may overlap, and a service that is broken may repeat them for ever: the caller looks for a page it has had.
func (c *Client) AccountsPage(ctx context.Context, token session.Secret, page string) (accounts []session.Account, next string, err error) {
	secret := token.Reveal()
	k := &call{op: opAccounts, secrets: []string{secret}}
	if ctx, err = c.begin(ctx, k); err != nil {
		return nil, "", err
	}
	accounts, following, err := c.accountsPage(ctx, k, &secret, begins(page), portalOnce)
	return accounts, aws.ToString(following), err
}

func (c *Client) accountsPage(ctx context.Context, k *call, secret, page *string, how ...func(*sso.Options)) ([]session.Account, *string, error) {
	out, err := c.portal.ListAccounts(ctx, &sso.ListAccountsInput{AccessToken: secret, MaxResults: new(int32(pageSize)), NextToken: page}, how...)
	if err != nil {
		return nil, nil, c.fail(ctx, k, err)
	}
	accounts := make([]session.Account, 0, len(out.AccountList))
	for _, a := range out.AccountList {
		if id := line(a.AccountId); id != "" {
			accounts = append(accounts, session.Account{ID: id, Name: line(a.AccountName), Email: line(a.EmailAddress)})
		}
	}
	return accounts, out.NextToken, nil
}

// Check asks the portal whether it knows an access token, in the cheapest way there is: for one account. The error is
// that of Accounts. date is the service's clock when it answered, be it with an error; zero when it did not say.
func (c *Client) Check(ctx context.Context, token session.Secret) (date time.Time, err error) {
	secret := token.Reveal()
	k := &call{op: opAccounts, secrets: []string{secret}}
	ctx, err = c.begin(ctx, k)
	if err != nil {
		return time.Time{}, err
	}
	if _, err := c.portal.ListAccounts(ctx, &sso.ListAccountsInput{AccessToken: &secret, MaxResults: new(int32(1))}); err != nil {
		return k.date, c.fail(ctx, k, err)
	}
	return k.date, nil
}

// Roles returns every role the person may use in an account, in the portal's order. A role may be listed and still be
// refused by RoleCredentials.
func (c *Client) Roles(ctx context.Context, token session.Secret, accountID string) ([]session.Role, error) {
	secret := token.Reveal()
	k := &call{op: opRoles, account: accountID, secrets: []string{secret}}
	ctx, err := c.begin(ctx, k)
	if err != nil {
		return nil, err
	}
	var roles []session.Role
	known := map[string]bool{}
	err = c.pages(k, func(next *string) (*string, error) {
		page, next, err := c.rolesPage(ctx, k, &secret, next)
		for _, r := range page {
			if !known[r.Name] {
				known[r.Name] = true
				roles = append(roles, r)
			}
		}
		return next, err
	})
	if err != nil {
		return nil, err
	}
	return roles, nil
}

// RolesPage is to Roles what AccountsPage is to Accounts.
func (c *Client) RolesPage(ctx context.Context, token session.Secret, accountID, page string) (roles []session.Role, next string, err error) {
	secret := token.Reveal()
	k := &call{op: opRoles, account: accountID, secrets: []string{secret}}
	if ctx, err = c.begin(ctx, k); err != nil {
		return nil, "", err
	}
	roles, following, err := c.rolesPage(ctx, k, &secret, begins(page), portalOnce)
	return roles, aws.ToString(following), err
}

func (c *Client) rolesPage(ctx context.Context, k *call, secret, page *string, how ...func(*sso.Options)) ([]session.Role, *string, error) {
	out, err := c.portal.ListAccountRoles(ctx, &sso.ListAccountRolesInput{
		AccessToken: secret, AccountId: &k.account, MaxResults: new(int32(pageSize)), NextToken: page,
	}, how...)
	if err != nil {
		return nil, nil, c.fail(ctx, k, err)
	}
	roles := make([]session.Role, 0, len(out.RoleList))
	for _, r := range out.RoleList {
		if name := line(r.RoleName); name != "" {
			roles = append(roles, session.Role{AccountID: k.account, Name: name})
		}
	}
	return roles, out.NextToken, nil
}

// begins is the token of a page as the SDK wants it: none for the first.
func begins(page string) *string {
	if page == "" {
		return nil
	}
	return &page
}

// pages calls page until it returns no token, and refuses a token that was there before: it would go on for ever.
func (c *Client) pages(k *call, page func(next *string) (*string, error)) error {
	var next *string
	seen := map[string]bool{}
	for range maxPages {
		token, err := page(next)
		if err != nil {
			return err
		}
		if token == nil || *token == "" {
			return nil
		}
		if seen[*token] {
			break
		}
		seen[*token] = true
		next = token
	}
	return c.explain(k, c.nonsense(k, "the pages of the list do not end"))
}

// RoleCredentials fetches the credentials of a role (GetRoleCredentials) in one attempt. The caller repeats what is
// Transient: it alone knows how many processes want the same role, and how long they may wait.
func (c *Client) RoleCredentials(ctx context.Context, token session.Secret, accountID, roleName string) (session.RoleCredentials, error) {
	secret := token.Reveal()
	k := &call{op: opCredentials, account: accountID, role: roleName, secrets: []string{secret}}
	ctx, err := c.begin(ctx, k)
	if err != nil {
		return session.RoleCredentials{}, err
	}
	out, err := c.portal.GetRoleCredentials(ctx, &sso.GetRoleCredentialsInput{AccessToken: &secret, AccountId: &accountID, RoleName: &roleName}, portalOnce)
	if err != nil {
		return session.RoleCredentials{}, c.fail(ctx, k, err)
	}
	rc := out.RoleCredentials
	if rc == nil {
		return session.RoleCredentials{}, c.explain(k, c.nonsense(k, "roleCredentials is missing"))
	}
	if err := c.need(k, member{"accessKeyId", rc.AccessKeyId}, member{"secretAccessKey", rc.SecretAccessKey}, member{"sessionToken", rc.SessionToken}); err != nil {
		return session.RoleCredentials{}, err
	}
	for _, m := range []member{{"accessKeyId", rc.AccessKeyId}, {"secretAccessKey", rc.SecretAccessKey}, {"sessionToken", rc.SessionToken}} {
		if strings.ContainsFunc(*m.value, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return session.RoleCredentials{}, c.explain(k, c.nonsense(k, m.name+" holds what no key does"))
		}
	}
	expires := time.UnixMilli(rc.Expiration).UTC()
	switch {
	case rc.Expiration <= 0:
		return session.RoleCredentials{}, c.explain(k, c.nonsense(k, "expiration is missing or not positive"))
	case !k.date.IsZero() && !expires.After(k.date): // by the service's own clock: ours may be wrong
		return session.RoleCredentials{}, c.explain(k, c.nonsense(k, "the credentials have expired already"))
	}
	return session.RoleCredentials{
		AccountID: accountID, AccessKeyID: *rc.AccessKeyId,
		SecretAccessKey: session.NewSecret(*rc.SecretAccessKey), SessionToken: session.NewSecret(*rc.SessionToken),
		Expiration: expires,
	}, nil
}

// Logout ends the session on the server. A session that is over already is no error. Role credentials handed out
// before stay good until they expire.
func (c *Client) Logout(ctx context.Context, token session.Secret) error {
	secret := token.Reveal()
	k := &call{op: opLogout, secrets: []string{secret}}
	ctx, err := c.begin(ctx, k)
	if err != nil {
		return err
	}
	if _, err := c.portal.Logout(ctx, &sso.LogoutInput{AccessToken: &secret}); err != nil {
		err = c.fail(ctx, k, err)
		if CodeOf(err) == CodeUnauthorized {
			return nil
		}
		return err
	}
	return nil
}

// line makes a member of a list fit for a terminal and a config file.
func line(s *string) string {
	if s == nil {
		return ""
	}
	return plain.Line(*s, 0)
}
