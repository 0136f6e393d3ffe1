package emulator_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/smithy-go"

	"github.com/homing-cli/homing/emulator"
)

// errorCode is the name of the exception an SDK parsed, "" for none, or the error's text when it is something else.
func errorCode(err error) string {
	if err == nil {
		return ""
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return err.Error()
}

// call makes one plain call of op.
func (c sdk) call(t testing.TB, op string, reg *ssooidc.RegisterClientOutput, token *string) error {
	t.Helper()
	ctx, account, role := t.Context(), aws.String("111122223333"), aws.String("ReadOnly")
	var err error
	switch op {
	case emulator.OpRegisterClient:
		_, err = c.oidc.RegisterClient(ctx, &ssooidc.RegisterClientInput{ClientName: aws.String("test"),
			ClientType: aws.String("public")})
	case emulator.OpStartDeviceAuthorization:
		_, err = c.oidc.StartDeviceAuthorization(ctx, &ssooidc.StartDeviceAuthorizationInput{ClientId: reg.ClientId,
			ClientSecret: reg.ClientSecret, StartUrl: aws.String(emulator.DefaultStartURL)})
	case emulator.OpCreateToken:
		_, err = c.byRefresh(ctx, reg, aws.String("none"))
	case emulator.OpListAccounts:
		_, err = c.portal.ListAccounts(ctx, &sso.ListAccountsInput{AccessToken: token})
	case emulator.OpListAccountRoles:
		_, err = c.portal.ListAccountRoles(ctx, &sso.ListAccountRolesInput{AccessToken: token, AccountId: account})
	case emulator.OpGetRoleCredentials:
		_, err = c.portal.GetRoleCredentials(ctx, &sso.GetRoleCredentialsInput{AccessToken: token, AccountId: account,
			RoleName: role})
	case emulator.OpLogout:
		_, err = c.portal.Logout(ctx, &sso.LogoutInput{AccessToken: token})
	default:
		t.Fatalf("no call for %s", op)
	}
	return err
}
