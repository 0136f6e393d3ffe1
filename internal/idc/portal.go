package idc

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

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

// get is the request of an operation that only reads.
func (c *Client) get(path string, token session.Secret, query url.Values, attempts int) request {
	return request{method: http.MethodGet, url: c.portal + path, token: token, query: query, attempts: attempts}
}

// listing is the query of a page; page is "" for the first.
func listing(size int, page string) url.Values {
	query := url.Values{"max_result": {strconv.Itoa(size)}}
	if page != "" {
		query.Set("next_token", page)
	}
	return query
}

// Accounts returns every account the person may use, in the portal's order, which is none. Names and addresses are
// made fit for a terminal and may be empty.
func (c *Client) Accounts(ctx context.Context, token session.Secret) ([]session.Account, error) {
	k := &call{op: opAccounts, secrets: []string{token.Reveal()}}
	var accounts []session.Account
	known := map[string]bool{}
	err := c.pages(k, func(page string) (string, error) {
		some, next, err := c.accounts(ctx, k, token, page, maxAttempts)
		for _, a := range some {
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

// AccountsPage returns one page of what Accounts returns, in a single attempt, for a caller that paces a long list
// and must see every refusal. page is "" for the first page, then the next that the last call returned; next is ""
// after the last page. Pages may overlap, and a broken service may repeat them forever: the caller checks for pages
// it has seen.
func (c *Client) AccountsPage(ctx context.Context, token session.Secret,
	page string) (accounts []session.Account, next string, err error) {
	return c.accounts(ctx, &call{op: opAccounts, secrets: []string{token.Reveal()}}, token, page, 1)
}

func (c *Client) accounts(ctx context.Context, k *call, token session.Secret, page string,
	attempts int) ([]session.Account, string, error) {
	var out struct {
		NextToken   string `json:"nextToken"`
		AccountList []struct {
			AccountID    string `json:"accountId"`
			AccountName  string `json:"accountName"`
			EmailAddress string `json:"emailAddress"`
		} `json:"accountList"`
	}
	if err := c.send(ctx, k, c.get("/assignment/accounts", token, listing(pageSize, page), attempts),
		&out); err != nil {
		return nil, "", err
	}
	accounts := make([]session.Account, 0, len(out.AccountList))
	for _, a := range out.AccountList {
		if id := line(a.AccountID); id != "" {
			accounts = append(accounts, session.Account{ID: id, Name: line(a.AccountName), Email: line(a.EmailAddress)})
		}
	}
	return accounts, out.NextToken, nil
}

// Check asks the portal whether it accepts an access token, in the cheapest way: for one account. The error is that
// of Accounts. date is the service's time in its answer, even if that is an error; zero if the answer has none.
func (c *Client) Check(ctx context.Context, token session.Secret) (date time.Time, err error) {
	k := &call{op: opAccounts, secrets: []string{token.Reveal()}}
	var out struct {
		AccountList []struct{} `json:"accountList"` // it is read to see that it is one
	}
	err = c.send(ctx, k, c.get("/assignment/accounts", token, listing(1, ""), maxAttempts), &out)
	return k.date, err
}

// Roles returns every role the person may use in an account, in the portal's order. A role may be listed and still be
// refused by RoleCredentials.
func (c *Client) Roles(ctx context.Context, token session.Secret, accountID string) ([]session.Role, error) {
	k := &call{op: opRoles, account: accountID, secrets: []string{token.Reveal()}}
	var roles []session.Role
	known := map[string]bool{}
	err := c.pages(k, func(page string) (string, error) {
		some, next, err := c.roles(ctx, k, token, page, maxAttempts)
		for _, r := range some {
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
func (c *Client) RolesPage(ctx context.Context, token session.Secret,
	accountID, page string) (roles []session.Role, next string, err error) {
	return c.roles(ctx, &call{op: opRoles, account: accountID, secrets: []string{token.Reveal()}}, token, page, 1)
}

func (c *Client) roles(ctx context.Context, k *call, token session.Secret, page string,
	attempts int) ([]session.Role, string, error) {
	var out struct {
		NextToken string `json:"nextToken"`
		RoleList  []struct {
			RoleName string `json:"roleName"`
		} `json:"roleList"`
	}
	query := listing(pageSize, page)
	query.Set("account_id", k.account)
	if err := c.send(ctx, k, c.get("/assignment/roles", token, query, attempts), &out); err != nil {
		return nil, "", err
	}
	roles := make([]session.Role, 0, len(out.RoleList))
	for _, r := range out.RoleList {
		if name := line(r.RoleName); name != "" {
			roles = append(roles, session.Role{AccountID: k.account, Name: name})
		}
	}
	return roles, out.NextToken, nil
}

// pages calls page until there is no next one, and refuses a page that was there before: it would go on for ever.
func (c *Client) pages(k *call, page func(page string) (next string, err error)) error {
	seen := map[string]bool{}
	for next := ""; len(seen) < maxPages; seen[next] = true {
		var err error
		if next, err = page(next); err != nil || next == "" {
			return err
		}
		if seen[next] {
			break
		}
	}
	return c.explain(k, c.nonsense(k, "the pages of the list do not end"))
}

// RoleCredentials fetches the credentials of a role (GetRoleCredentials) in one attempt. The caller repeats what is
// Transient: it alone knows how many processes want the same role, and how long they may wait.
func (c *Client) RoleCredentials(ctx context.Context, token session.Secret,
	accountID, roleName string) (session.RoleCredentials, error) {
	k := &call{op: opCredentials, account: accountID, role: roleName, secrets: []string{token.Reveal()}}
	var out struct {
		RoleCredentials *struct {
			AccessKeyID     *string `json:"accessKeyId"`
			SecretAccessKey *string `json:"secretAccessKey"`
			SessionToken    *string `json:"sessionToken"`
			Expiration      int64   `json:"expiration"` // in milliseconds
		} `json:"roleCredentials"`
	}
	query := url.Values{"account_id": {accountID}, "role_name": {roleName}}
	if err := c.send(ctx, k, c.get("/federation/credentials", token, query, 1), &out); err != nil {
		return session.RoleCredentials{}, err
	}
	rc := out.RoleCredentials
	if rc == nil {
		return session.RoleCredentials{}, c.explain(k, c.nonsense(k, "roleCredentials is missing"))
	}
	if err := c.need(k, member{"accessKeyId", rc.AccessKeyID}, member{"secretAccessKey", rc.SecretAccessKey},
		member{"sessionToken", rc.SessionToken}); err != nil {
		return session.RoleCredentials{}, err
	}
	for _, m := range []member{{"accessKeyId", rc.AccessKeyID}, {"secretAccessKey", rc.SecretAccessKey},
		{"sessionToken", rc.SessionToken}} {
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
		AccountID: accountID, AccessKeyID: *rc.AccessKeyID,
		SecretAccessKey: session.NewSecret(*rc.SecretAccessKey), SessionToken: session.NewSecret(*rc.SessionToken),
		Expiration: expires,
	}, nil
}

// Logout ends the session on the server. It returns nil if the session is over already. Role credentials issued
// before stay valid until they expire.
func (c *Client) Logout(ctx context.Context, token session.Secret) error {
	k := &call{op: opLogout, secrets: []string{token.Reveal()}}
	err := c.send(ctx, k, request{method: http.MethodPost, url: c.portal + "/logout", token: token}, nil)
	if CodeOf(err) == CodeUnauthorized {
		return nil
	}
	return err
}

// line makes a member of a list fit for a terminal and a config file.
func line(s string) string { return plain.Line(s, 0) }
