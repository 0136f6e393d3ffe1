package emulator_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"

	"github.com/homing-cli/homing/emulator"
)

func wantError(t *testing.T, what string, err error, code string) {
	t.Helper()
	if got := errorCode(err); got != code {
		t.Errorf("%s: %q, want %q", what, got, code)
	}
}

func TestDeviceCodeLapses(t *testing.T) {
	t.Parallel()
	for _, approve := range []bool{false, true} {
		c := inProcess(&emulator.Server{})
		reg := c.register(t)
		dev := c.start(t, reg)
		if approve {
			if err := c.emu.Approve(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		c.emu.Advance(600 * time.Second)
		_, err := c.byDevice(t.Context(), reg, dev.DeviceCode)
		wantError(t, "lapsed", err, "InvalidGrantException")
		c.emu.Change(func(s *emulator.Server) { s.Switches.ExpiredTokenError = true })
		_, err = c.byDevice(t.Context(), reg, dev.DeviceCode)
		wantError(t, "lapsed, as documented", err, "ExpiredTokenException")
	}
	c := inProcess(&emulator.Server{})
	reg := c.register(t)
	dev := c.start(t, reg)
	c.emu.Advance(599 * time.Second)
	if err := c.emu.Approve(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.byDevice(t.Context(), reg, dev.DeviceCode); err != nil {
		t.Errorf("a second before it lapses: %v", err)
	}
}

func TestDeviceCodeOfAnotherClient(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{})
	mine, other := c.register(t), c.register(t)
	dev := c.start(t, mine)
	if err := c.emu.Approve(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := c.byDevice(t.Context(), other, dev.DeviceCode)
	wantError(t, "another client", err, "InvalidGrantException")
	_, err = c.byDevice(t.Context(), &ssooidc.RegisterClientOutput{ClientId: mine.ClientId,
		ClientSecret: other.ClientSecret}, dev.DeviceCode)
	wantError(t, "another client's secret", err, "InvalidClientException")
	if _, err = c.byDevice(t.Context(), mine, dev.DeviceCode); err != nil {
		t.Errorf("a stranger's try spent the code: %v", err)
	}
	_, err = c.byDevice(t.Context(), mine, dev.DeviceCode)
	wantError(t, "second time", err, "InvalidGrantException")
}

func TestUnscopedToken(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{})
	reg := c.register(t)
	dev := c.start(t, reg)
	if err := c.emu.Approve(t.Context()); err != nil {
		t.Fatal(err)
	}
	tok, err := c.byDevice(t.Context(), reg, dev.DeviceCode)
	if err != nil {
		t.Fatal(err)
	}
	if tok.ExpiresIn != 28800 || tok.RefreshToken != nil {
		t.Errorf("expiresIn %d, refresh token %v; want 28800 and none", tok.ExpiresIn, tok.RefreshToken != nil)
	}
}

func TestAuthorizationCodeIsHeldToItsSignIn(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*ssooidc.CreateTokenInput)
		after  time.Duration
		want   string
	}{
		"as it should be": {func(*ssooidc.CreateTokenInput) {}, 599 * time.Second, ""},
		"lapsed":          {func(*ssooidc.CreateTokenInput) {}, 600 * time.Second, "InvalidGrantException"},
		"another verifier": {func(in *ssooidc.CreateTokenInput) { in.CodeVerifier = aws.String(verifier + "x") }, 0,
			"InvalidGrantException"},
		"another port": {func(in *ssooidc.CreateTokenInput) { in.RedirectUri = aws.String("http://127.0.0.1:1/oauth/callback") }, 0, "InvalidGrantException"},
		"without port": {func(in *ssooidc.CreateTokenInput) { in.RedirectUri = aws.String("http://127.0.0.1/oauth/callback") }, 0, "InvalidGrantException"},
		"without verifier": {func(in *ssooidc.CreateTokenInput) { in.CodeVerifier = nil }, 0,
			"InvalidRequestException"},
		"changed": {func(in *ssooidc.CreateTokenInput) { in.Code = aws.String(*in.Code + "x") }, 0,
			"InvalidGrantException"},
		"wrong secret": {func(in *ssooidc.CreateTokenInput) { in.ClientSecret = aws.String("x") }, 0,
			"InvalidClientException"},
		"unknown, bad user": {func(in *ssooidc.CreateTokenInput) {
			in.Code, in.ClientSecret = aws.String("x"),
				aws.String("x")
		}, 0, "InvalidGrantException"},
	} {
		t.Run(name, func(t *testing.T) {
			c := inProcess(&emulator.Server{})
			reg := c.registerPKCE(t)
			in := &ssooidc.CreateTokenInput{ClientId: reg.ClientId, ClientSecret: reg.ClientSecret,
				GrantType: aws.String(codeGrant),
				Code:      aws.String(c.code(t, reg).Get("code")), CodeVerifier: aws.String(verifier),
				RedirectUri: aws.String(redirectURI)}
			tc.change(in)
			c.emu.Advance(tc.after)
			_, err := c.oidc.CreateToken(t.Context(), in)
			wantError(t, name, err, tc.want)
		})
	}
}

func TestDenied(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{})
	reg := c.register(t)
	dev := c.start(t, reg)
	if err := c.emu.Deny(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := c.byDevice(t.Context(), reg, dev.DeviceCode)
	wantError(t, "denied", err, "AccessDeniedException")
	c.emu.Change(func(s *emulator.Server) { s.Switches.DenyAsInvalidGrant = true })
	_, err = c.byDevice(t.Context(), reg, dev.DeviceCode)
	wantError(t, "denied, other reading", err, "InvalidGrantException")

	pkce := c.registerPKCE(t)
	v := c.visit(t, "GET", authorizeURL(c.base, pkce.ClientId, nil), "")
	_, id, _ := strings.Cut(v.location, "request=")
	back, err := c.emu.Decide(t.Context(), emulator.Decision{ID: id, Deny: true})
	if err != nil || !strings.HasPrefix(back, redirectURI+"?error=access_denied&error_description=") ||
		!strings.Contains(back, "&state=3f6d9f2c-") {
		t.Errorf("denied code sign-in goes to %q (%v)", back, err)
	}
	_, err = c.emu.Decide(t.Context(), emulator.Decision{ID: id})
	if err != emulator.ErrNoSignIn { //nolint:errorlint // returned as it is
		t.Errorf("decided twice: %v", err)
	}
}

func TestPortalSessionEndsEverything(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(sdk, *ssooidc.CreateTokenOutput){
		"logout": func(c sdk, tok *ssooidc.CreateTokenOutput) {
			if _, err := c.portal.Logout(context.Background(),
				&sso.LogoutInput{AccessToken: tok.AccessToken}); err != nil {
				t.Error(err)
			}
		},
		"administrator": func(c sdk, _ *ssooidc.CreateTokenOutput) { c.emu.EndSession("ada") },
		"time":          func(c sdk, _ *ssooidc.CreateTokenOutput) { c.emu.Advance(8 * time.Hour) },
	} {
		c := inProcess(&emulator.Server{})
		reg := c.register(t, "sso:account:access")
		dev := c.start(t, reg)
		if err := c.emu.Approve(t.Context()); err != nil {
			t.Fatal(err)
		}
		tok, err := c.byDevice(t.Context(), reg, dev.DeviceCode)
		if err != nil {
			t.Fatal(err)
		}
		end(c, tok)
		wantError(t, name, c.call(t, emulator.OpListAccounts, reg, tok.AccessToken), "UnauthorizedException")
		_, err = c.byRefresh(t.Context(), reg, tok.RefreshToken)
		wantError(t, name+", refresh", err, "InvalidGrantException")
	}
}

func TestTokenDoesNotOutliveThePortalSession(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{})
	reg := c.register(t, "sso:account:access")
	dev := c.start(t, reg)
	if err := c.emu.Approve(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.emu.Advance(time.Minute)
	tok, err := c.byDevice(t.Context(), reg, dev.DeviceCode)
	if err != nil {
		t.Fatal(err)
	}
	c.emu.Advance(7*time.Hour + 29*time.Minute)
	tok, err = c.byRefresh(t.Context(), reg, tok.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if tok.ExpiresIn > 1800 || tok.ExpiresIn < 1790 {
		t.Errorf("half an hour before the session ends a token lives %d s", tok.ExpiresIn)
	}
}

func TestRefreshReadings(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		sw         emulator.Switches
		again      string // a second refresh with the first token
		next       string // what the refresh answers: new, same, none
		oldAccess  string
		byStranger string
	}{
		"strict":   {emulator.Switches{}, "InvalidGrantException", "new", "", "InvalidRequestException"},
		"reusable": {emulator.Switches{RefreshReusable: true}, "", "new", "", "InvalidRequestException"},
		"same":     {emulator.Switches{RefreshSame: true}, "", "same", "", "InvalidRequestException"},
		"omitted":  {emulator.Switches{RefreshOmitted: true}, "", "none", "", "InvalidRequestException"},
		"ends access": {emulator.Switches{RefreshEndsAccess: true}, "InvalidGrantException", "new",
			"UnauthorizedException", "InvalidRequestException"},
		"foreign 2026": {emulator.Switches{ForeignRefreshInvalidGrant: true}, "InvalidGrantException", "new", "",
			"InvalidGrantException"},
	} {
		c := inProcess(&emulator.Server{Switches: tc.sw})
		reg, stranger := c.register(t, "sso:account:access"), c.register(t, "sso:account:access")
		dev := c.start(t, reg)
		if err := c.emu.Approve(t.Context()); err != nil {
			t.Fatal(err)
		}
		tok, err := c.byDevice(t.Context(), reg, dev.DeviceCode)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.byRefresh(t.Context(), stranger, tok.RefreshToken)
		wantError(t, name+", by a stranger", err, tc.byStranger)
		out, err := c.byRefresh(t.Context(), reg, tok.RefreshToken)
		if err != nil {
			t.Fatal(err)
		}
		next := "new"
		if out.RefreshToken == nil {
			next = "none"
		} else if *out.RefreshToken == *tok.RefreshToken {
			next = "same"
		}
		if next != tc.next {
			t.Errorf("%s: refresh token %s, want %s", name, next, tc.next)
		}
		wantError(t, name+", old access token", c.call(t, emulator.OpListAccounts, reg, tok.AccessToken), tc.oldAccess)
		_, err = c.byRefresh(t.Context(), reg, tok.RefreshToken)
		wantError(t, name+", again", err, tc.again)
	}
}

func TestLogoutReadings(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{Switches: emulator.Switches{LogoutOnlyToken: true, LogoutAlwaysOK: true}})
	reg := c.register(t, "sso:account:access")
	dev := c.start(t, reg)
	if err := c.emu.Approve(t.Context()); err != nil {
		t.Fatal(err)
	}
	first, err := c.byDevice(t.Context(), reg, dev.DeviceCode)
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.byRefresh(t.Context(), reg, first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, "logout", c.call(t, emulator.OpLogout, reg, first.AccessToken), "")
	wantError(t, "logout again", c.call(t, emulator.OpLogout, reg, first.AccessToken), "")
	wantError(t, "the token", c.call(t, emulator.OpListAccounts, reg, first.AccessToken), "UnauthorizedException")
	wantError(t, "another token of the session", c.call(t, emulator.OpListAccounts, reg, second.AccessToken), "")
}

// TestSlowDownInNoRealTime polls as RFC 8628 wants it: each slow_down adds five seconds to every later wait.
func TestSlowDownInNoRealTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inProcess(&emulator.Server{SlowDowns: 2, Switches: emulator.Switches{PunishImpatience: true}})
		go func() {
			time.Sleep(time.Minute)
			if err := c.emu.Approve(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		reg := c.register(t)
		dev := c.start(t, reg)
		interval := time.Duration(dev.Interval) * time.Second
		for {
			time.Sleep(interval)
			_, err := c.byDevice(t.Context(), reg, dev.DeviceCode)
			if err == nil {
				break
			}
			switch errorCode(err) {
			case "SlowDownException":
				interval += 5 * time.Second
			case "AuthorizationPendingException":
			default:
				t.Fatal(err)
			}
		}
		want := []time.Duration{1, 7, 18, 29, 40, 51, 62}
		for i := range want {
			want[i] *= time.Second
		}
		if got := c.emu.PollTimes(); !slices.Equal(got, want) {
			t.Errorf("polled at %v, want %v", got, want)
		}
	})
}

func TestImpatienceIsPunishedOnDemand(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{})
	reg := c.register(t)
	dev := c.start(t, reg)
	for range 5 {
		_, err := c.byDevice(t.Context(), reg, dev.DeviceCode)
		wantError(t, "burst", err, "AuthorizationPendingException")
	}
	c.emu.Change(func(s *emulator.Server) { s.Switches.PunishImpatience = true })
	for _, step := range []struct {
		wait time.Duration
		want string
	}{{0, "SlowDownException"}, {6 * time.Second, "AuthorizationPendingException"}, {5 * time.Second,
		"SlowDownException"},
		{11 * time.Second, "AuthorizationPendingException"}} {
		c.emu.Advance(step.wait)
		_, err := c.byDevice(t.Context(), reg, dev.DeviceCode)
		wantError(t, "after "+step.wait.String(), err, step.want)
	}
}

func TestDaysPassInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inProcess(&emulator.Server{})
		reg := c.register(t, "sso:account:access")
		time.Sleep(90*24*time.Hour - time.Second)
		c.start(t, reg)
		time.Sleep(time.Second)
		_, err := c.oidc.StartDeviceAuthorization(t.Context(),
			&ssooidc.StartDeviceAuthorizationInput{ClientId: reg.ClientId,
				ClientSecret: reg.ClientSecret, StartUrl: aws.String(emulator.DefaultStartURL)})
		wantError(t, "registration after 90 days", err, "InvalidClientException")
	})
}

func TestPendingWaitsAndGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inProcess(&emulator.Server{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := c.emu.Pending(ctx); err == nil || !strings.Contains(err.Error(), "no sign-in came") {
			t.Errorf("nobody came: %v", err)
		}
		reg := c.registerPKCE(t)
		go func() {
			time.Sleep(time.Second)
			c.visit(t, http.MethodGet, authorizeURL(c.base, reg.ClientId, nil), "")
		}()
		p, err := c.emu.Pending(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if p.Kind != emulator.AuthorizationCode || p.ClientName != "test pkce" || p.RedirectURI != redirectURI ||
			!slices.Equal(p.Scopes, []string{"sso:account:access"}) {
			t.Errorf("pending: %+v", p)
		}
	})
}

func TestListsComeInPagesAndNoUsefulOrder(t *testing.T) {
	t.Parallel()
	emu := &emulator.Server{Directory: emulator.GenerateDirectory(45, 3)}
	c := inProcess(emu)
	token := c.signIn(t).AccessToken
	var ids []string
	var sizes []int
	pages := sso.NewListAccountsPaginator(c.portal, &sso.ListAccountsInput{AccessToken: token})
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(out.AccountList))
		for _, a := range out.AccountList {
			ids = append(ids, *a.AccountId)
		}
	}
	if !slices.Equal(sizes, []int{20, 20, 5}) {
		t.Errorf("pages of %v, want 20, 20, 5", sizes)
	}
	if slices.IsSorted(ids) {
		t.Error("accounts come sorted")
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 45 {
		t.Errorf("%d different accounts, want 45", len(slices.Compact(ids)))
	}
}

// TestNextTokenServesItsOwnList gives the token of one list's second page to others, and a changed one to its own.
func TestNextTokenServesItsOwnList(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{Directory: emulator.GenerateDirectory(3, 3)})
	token := c.signIn(t).AccessToken
	accounts, err := c.portal.ListAccounts(t.Context(), &sso.ListAccountsInput{AccessToken: token,
		MaxResults: aws.Int32(1)})
	if err != nil {
		t.Fatal(err)
	}
	account := accounts.AccountList[0].AccountId
	roles := func(account, next *string) (*sso.ListAccountRolesOutput, error) {
		return c.portal.ListAccountRoles(t.Context(), &sso.ListAccountRolesInput{AccessToken: token, AccountId: account,
			MaxResults: aws.Int32(1), NextToken: next})
	}
	first, err := roles(account, nil)
	if err != nil {
		t.Fatal(err)
	}
	more, err := c.portal.ListAccounts(t.Context(), &sso.ListAccountsInput{AccessToken: token,
		NextToken: accounts.NextToken})
	if err != nil || len(more.AccountList) != 2 {
		t.Fatalf("the other accounts: %v", err)
	}
	_, err = roles(account, first.NextToken)
	wantError(t, "its own", err, "")
	_, err = roles(account, accounts.NextToken)
	wantError(t, "the accounts'", err, "InvalidRequestException")
	_, err = roles(more.AccountList[0].AccountId, first.NextToken)
	wantError(t, "another account's", err, "InvalidRequestException")
	_, err = roles(account, aws.String(*first.NextToken+"A"))
	wantError(t, "changed", err, "InvalidRequestException")
}

// TestStaleRole asks for credentials of a role whose assignment was taken back after it was listed.
func TestStaleRole(t *testing.T) {
	t.Parallel()
	d := emulator.DefaultDirectory()
	d.Accounts[0].Roles = []emulator.Role{{Name: "Former", Stale: true}}
	c := inProcess(&emulator.Server{Directory: d})
	token, account := c.signIn(t).AccessToken, aws.String(d.Accounts[0].ID)
	list, err := c.portal.ListAccountRoles(t.Context(), &sso.ListAccountRolesInput{AccessToken: token,
		AccountId: account})
	if err != nil || len(list.RoleList) != 1 {
		t.Fatalf("roles: %v", err)
	}
	_, err = c.portal.GetRoleCredentials(t.Context(), &sso.GetRoleCredentialsInput{AccessToken: token,
		AccountId: account,
		RoleName:  aws.String("Former")})
	wantError(t, "stale", err, "ForbiddenException")
}
