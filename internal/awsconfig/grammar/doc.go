// Package grammar knows how to find the sections and keys of an AWS config file, by each of two rule sets.
//
// The AWS CLI, and every program on botocore, uses Python's strict RawConfigParser and loads the whole file or
// nothing (ParseCLI). The SDKs follow a grammar of their own that merges, skips and strips comments (ParseSDK). One
// tokenizer feeds both. What the sections mean is left to awsconfig. The tests of configedit hold both rule sets
// against the real readers.
//
// The rule for callers: offsets are bytes into Document.Text and hold for that text only.
package grammar
