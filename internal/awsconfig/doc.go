// Package awsconfig knows how to read ~/.aws/config and ~/.aws/credentials: the profiles and sessions in them, and
// whose credentials a profile gives.
//
// Reading follows the AWS CLI's rules where it can load the files, and the SDKs' rules where it cannot; CLIError says
// which it is, and Problems lists where the two differ. The rules themselves are in package grammar; configedit
// changes the files. See docs/adr/0002-config-readers.md.
//
// The rule for callers: use a value that is read here, but never write it back. Say the change to configedit, which
// finds the bytes.
package awsconfig
