// Package configedit knows how to change ~/.aws/config, and nothing in it but what was asked for.
//
// An edit replaces only the bytes it must, and nothing is written that the AWS CLI and the SDKs do not both read as
// intended: see Apply and docs/adr/0002-config-readers.md. Update does it to a file that other programs write too, by
// the rule of files.Edit and docs/adr/0027-editing-the-config-file.md.
//
// The rule for callers: ask all questions before Update; other programs wait while it runs.
package configedit
