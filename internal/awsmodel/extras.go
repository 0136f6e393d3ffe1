package awsmodel

// What the real service answers beyond its published model, or always answers where the model promises nothing.
// Each row names where it was seen; a row is a fact about the service, not a convenience for the emulator.

// extraMembers lists body members that no model knows, by service and operation; "error" is every refusal.
var extraMembers = map[string]map[string]string{
	// The nullable set of a success, as dumped by clients and modelled by http4k-connect.
	"sso-oidc/CreateToken": {
		"aws_sso_app_session_id": "string",
		"issuedTokenType":        "string",
		"originSessionId":        "string",
	},
	// Portal refusals: {"message":…,"__type":"com.amazonaws.switchboard.portal#XException"}
	// (synfinatic/aws-sso-cli#279, benkehoe/aws-sso-util#74).
	"sso/error": {"__type": "string"},
}

// extraErrors lists error types that no model knows, with their status.
var extraErrors = map[string]map[string]int{
	"sso": {
		"ForbiddenException":        403, // a role that is not assigned, "No access" (aws/aws-cli#6316, #7871)
		"MethodNotAllowedException": 405, // a wrong method; seen in public code
	},
	// The errors common to all query services:
	// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
	"sts": {
		"AccessDenied":                403,
		"AccessDeniedException":       400,
		"ExpiredToken":                403, // as seen; the page lists ExpiredTokenException
		"ExpiredTokenException":       403,
		"IncompleteSignature":         400,
		"InternalFailure":             500,
		"InvalidAction":               400,
		"InvalidClientTokenId":        403,
		"InvalidParameterValue":       400,
		"MalformedQueryString":        404,
		"MissingAction":               400,
		"MissingAuthenticationToken":  403,
		"MissingParameter":            400,
		"RequestExpired":              400,
		"ServiceUnavailable":          503,
		"SignatureDoesNotMatch":       403, // as seen; the page has no row for it
		"Throttling":                  400,
		"ThrottlingException":         400,
		"ValidationError":             400,
		"UnrecognizedClientException": 403,
	},
}

// present lists the members that a client needs in a success, although the models require nothing of an answer.
// Every complete body that was seen has them.
var present = map[string][]string{
	"sso-oidc/RegisterClient": {"clientId", "clientIdIssuedAt", "clientSecret", "clientSecretExpiresAt"},
	"sso-oidc/StartDeviceAuthorization": {"deviceCode", "expiresIn", "interval", "userCode", "verificationUri",
		"verificationUriComplete"},
	"sso-oidc/CreateToken":   {"accessToken", "expiresIn", "tokenType"},
	"sso/GetRoleCredentials": {"roleCredentials"},
	"sso/ListAccounts":       {"accountList"},
	"sso/ListAccountRoles":   {"roleList"},
	"sts/GetCallerIdentity":  {"Account", "Arn", "UserId"},
}

// presentIn is the same for nested structures, by shape.
var presentIn = map[string][]string{
	"sso/RoleCredentials": {"accessKeyId", "expiration", "secretAccessKey", "sessionToken"},
	"sso/AccountInfo":     {"accountId"},
	"sso/RoleInfo":        {"accountId", "roleName"},
}
