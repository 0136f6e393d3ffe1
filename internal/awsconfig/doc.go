// Package awsconfig reads and edits ~/.aws/config the way its other readers do.
//
// The file has two grammars. The AWS CLI (and every program on botocore) uses Python's strict RawConfigParser and
// loads the whole file or nothing; the SDKs follow a grammar of their own that merges, skips and strips comments. One
// tokenizer feeds both rule sets here, and the tests hold each against the real reader.
//
// Reading follows the AWS CLI's rules where it can load the files, and the SDKs' rules where it cannot; CLIError says
// which it is and Problems lists where the two differ. Editing replaces only the bytes it must, and nothing is written
// that the two rule sets do not both read as intended: see Apply and docs/adr/0002-config-readers.md.
//
// The one rule for callers: a value read here is for using, never for writing back. To change a file, say the change
// (Update) and let the package find the bytes.
package awsconfig
