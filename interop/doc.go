// Package interop holds the tests of other people's clients: the AWS CLI, botocore, the AWS SDKs for Go and
// JavaScript. They run unmodified against the emulator and read and refresh the files that homing wrote, and homing
// those that they wrote; and they take credentials from homing.
//
// There is one small program for each client, in its own language, in a folder of its own; all speak the same lines
// of JSON (see program in clients_test.go). The AWS CLI is its own program and is driven through a terminal. VS Code
// as a web server is no client: homing is run in its terminal (codeserver_test.go). Package clock moves the system
// clock for clients and homing alike; movedhoming is homing by that clock. Versions are pinned in versions/. The
// tests use pseudo-terminals and named pipes, so they run on Unix only.
package interop
