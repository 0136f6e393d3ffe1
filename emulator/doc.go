// Package emulator is an AWS IAM Identity Center on loopback, for the tests of programs that sign people in to it:
// the SSO-OIDC service, the access portal's API, the pages that a browser sees, and as much of STS as closes the
// loop. It is written from AWS's published API definitions and from what the real service was seen to answer, byte by
// byte where bytes were seen. It leaves everything behind the sign-in to others: there is no permission set, no SAML,
// no policy.
//
// The zero [Server] works, and is an http.Handler:
//
//	emu := &emulator.Server{}
//	srv := httptest.NewServer(emu)
//	defer srv.Close()
//	for k, v := range emulator.Environment(srv.URL) {
//		t.Setenv(k, v) // AWS_ENDPOINT_URL_SSO_OIDC, AWS_ENDPOINT_URL_SSO, AWS_ENDPOINT_URL_STS
//	}
//
// With these variables the AWS CLI, botocore and the SDKs speak to it. They need a start URL that looks like AWS's,
// such as [DefaultStartURL]; `aws sso login` refuses one on loopback. One Server is one instance in one region.
//
// # The person
//
// Somebody has to sign in and say yes. There are four ways:
//   - A real browser clicks through the pages: the identity provider's form on another origin (any name of the
//     [Directory], any password unless one is set), the device page, the consent page.
//   - A [Person] does the same in code. Give its Open method to your client as the function that opens a browser.
//   - [Server.Approve] and [Server.Deny] wait for the next sign-in and decide it; [Server.Decide] names one, and
//     returns where an authorization-code sign-in redirects to; [Server.Pending] only waits.
//   - Server.AutoApprove takes a visit for a yes, for browsers that cannot click: BROWSER="curl -sL -o /dev/null %s &".
//
// # Time
//
// The clock is the process's, moved by [Server.Advance]. In a testing/synctest bubble with [Server.Transport], which
// calls the handler without sockets, 90 days pass in no time. Nothing runs in the background.
//
// What lives how long: codes 600 seconds, once; an access token with scopes one hour, with a refresh token, which by
// default is good once; an access token without scopes eight hours; the portal session eight hours, and nothing that
// came of it longer; registrations 90 days. Fields of [Server] change each.
//
// # Two readings
//
// Where the record of the real service contradicts itself or is silent, the strict reading is the default and the
// other a field of [Switches], which says what was seen and when. A client should pass under both.
//
// # Faults
//
// [Server.Fail] makes the next calls of an operation answer a named error, wait, answer garbage, or lose the
// connection before or after the request was processed. Fields of [Server] slow everything down, throttle the portal,
// shift the clock that is told, or forbid the device grant; [Server.EndSession] ends portal sessions.
//
// # What to assert on
//
// [Server.Requests] is the log of requests, [Server.Unexpected] those the real service has no operation for; a test
// should end with it being empty. [Server.PollTimes] tells how a client polled. Every secret that a Server issues
// contains [SecretMarker]: look for it where no secret should be.
//
// # Other languages
//
// Everything above is also below /_emulator/ over HTTP; docs/emulator.md describes it. `homing emulator` is this
// package as a command.
//
// # Rules
//
// Set fields before the first request, or in [Server.Change]. Everything else may be called at any time by many
// goroutines. The emulator is for tests on loopback: it hands out credentials to whoever asks, over plain HTTP.
package emulator
