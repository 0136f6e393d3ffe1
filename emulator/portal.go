package emulator

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// bearerHeader carries the access token to the portal.
const bearerHeader = "x-amz-sso_bearer_token"

// Page sizes of the lists: 20 by default, at most 100 (a hard error since 2026-05).
const (
	defaultPage = 20
	maxPage     = 100
)

// bearer returns the live access token of the request, or the refusal. One text serves for missing, unknown, lapsed
// and logged out tokens alike.
func (s *Server) bearerOf(c *call) (*accessToken, *reply) {
	at := s.st.access[c.r.Header.Get(bearerHeader)]
	if at == nil || !at.live(c.now) || s.wrongRegion(c) {
		rep := s.portalError(c, "UnauthorizedException", "Session token not found or invalid")
		return nil, &rep
	}
	c.log.User, c.log.ClientID, c.log.Client = at.session.user, at.client.id, at.client.name
	return at, nil
}

// throttled notes a portal call and reports whether it comes too soon after too many others.
func (s *Server) throttled(now time.Time) bool {
	if s.PortalRate <= 0 {
		return false
	}
	s.st.portal = slices.DeleteFunc(s.st.portal, func(t time.Time) bool { return now.Sub(t) >= time.Second })
	if len(s.st.portal) >= s.PortalRate {
		return true
	}
	s.st.portal = append(s.st.portal, now)
	return false
}

// listAccounts answers GET /assignment/accounts.
func (s *Server) listAccounts(c *call) reply {
	at, refused := s.bearerOf(c)
	if refused != nil {
		return *refused
	}
	all := s.Directory.accountsOf(at.session.user)
	from, to, next, refused := s.page(c, len(all), "accounts", at.session.user)
	if refused != nil {
		return *refused
	}
	type account struct {
		AccountID    string  `json:"accountId"`
		AccountName  *string `json:"accountName"`
		EmailAddress *string `json:"emailAddress"`
	}
	list := []account{}
	for _, a := range all[from:to] {
		list = append(list, account{a.ID, orNull(a.Name), orNull(a.Email)})
	}
	return jsonReply(200, struct {
		NextToken   *string   `json:"nextToken"`
		AccountList []account `json:"accountList"`
	}{next, list})
}

// listAccountRoles answers GET /assignment/roles.
func (s *Server) listAccountRoles(c *call) reply {
	at, refused := s.bearerOf(c)
	if refused != nil {
		return *refused
	}
	id := c.r.URL.Query().Get("account_id")
	c.log.Account = id
	if id == "" {
		return s.portalError(c, "InvalidRequestException", "Invalid request")
	}
	all, any := s.Directory.rolesOf(at.session.user, id)
	if !any {
		if s.Switches.UnknownAccountForbidden {
			return s.portalError(c, "ForbiddenException", "No access")
		}
		return s.portalError(c, "ResourceNotFoundException", "Account not found")
	}
	from, to, next, refused := s.page(c, len(all), "roles", at.session.user, id)
	if refused != nil {
		return *refused
	}
	type role struct {
		RoleName  string `json:"roleName"`
		AccountID string `json:"accountId"`
	}
	list := []role{}
	for _, r := range all[from:to] {
		list = append(list, role{r.Name, id})
	}
	return jsonReply(200, struct {
		NextToken *string `json:"nextToken"`
		RoleList  []role  `json:"roleList"`
	}{next, list})
}

// page reads max_result and next_token and returns the slice of a list of n to send, with the token of the next page.
// what the list is of is sealed into the token, so that it serves for no other list.
func (s *Server) page(c *call, n int, of ...string) (from, to int, next *string, refused *reply) {
	q := c.r.URL.Query()
	size := defaultPage
	if raw := q.Get("max_result"); raw != "" {
		v, err := strconv.Atoi(raw)
		if err != nil || v < 1 || v > maxPage {
			rep := s.portalError(c, "InvalidRequestException", "ResultSize parameter must be within the valid limits "+
				"of: 1-100")
			return 0, 0, nil, &rep
		}
		size = v
	}
	token := func(at int) string {
		return rawURL.EncodeToString([]byte(strconv.Itoa(at) + "." + s.seal(append(of, strconv.Itoa(at))...)))
	}
	if raw := q.Get("next_token"); raw != "" {
		b, _ := rawURL.DecodeString(raw)
		head, _, _ := strings.Cut(string(b), ".")
		at, err := strconv.Atoi(head)
		if err != nil || raw != token(at) || at > n {
			rep := s.portalError(c, "InvalidRequestException", "Invalid next token")
			return 0, 0, nil, &rep
		}
		from = at
	}
	to = min(from+size, n)
	if to < n {
		t := token(to)
		next = &t
	}
	return from, to, next, nil
}

// getRoleCredentials answers GET /federation/credentials.
func (s *Server) getRoleCredentials(c *call) reply {
	at, refused := s.bearerOf(c)
	if refused != nil {
		return *refused
	}
	q := c.r.URL.Query()
	account, name := q.Get("account_id"), q.Get("role_name")
	c.log.Account, c.log.Role = account, name
	if account == "" || name == "" {
		return s.portalError(c, "InvalidRequestException", "Invalid request")
	}
	roles, _ := s.Directory.rolesOf(at.session.user, account)
	i := slices.IndexFunc(roles, func(r Role) bool { return r.Name == name })
	if i < 0 || roles[i].Stale {
		return s.portalError(c, "ForbiddenException", "No access")
	}
	rc := &roleCredentials{account: account, role: name, user: at.session.user,
		expires: c.now.Add(or(time.Duration(roles[i].Duration), time.Hour)).Truncate(time.Second)}
	var id string
	id, rc.secret, rc.token = s.roleKeys()
	s.st.keys[id] = rc
	type credentials struct {
		AccessKeyID     string `json:"accessKeyId"`
		SecretAccessKey string `json:"secretAccessKey"`
		SessionToken    string `json:"sessionToken"`
		Expiration      int64  `json:"expiration"`
	}
	return jsonReply(200, struct {
		RoleCredentials credentials `json:"roleCredentials"`
	}{credentials{id, rc.secret, rc.token, s.wireTime(rc.expires).Truncate(time.Second).UnixMilli()}})
}

// logout answers POST /logout. Role credentials already handed out live on.
func (s *Server) logout(c *call) reply {
	at, refused := s.bearerOf(c)
	ok := reply{status: http.StatusOK}
	if refused != nil {
		if s.Switches.LogoutAlwaysOK {
			return ok
		}
		return *refused
	}
	if !s.Switches.LogoutOnlyToken {
		at.session.ended = true
		return ok
	}
	at.ended = true
	for _, rt := range s.st.refresh {
		if rt.access == at {
			rt.ended = true
		}
	}
	return ok
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
