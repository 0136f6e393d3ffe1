// Package netnstest makes Linux network namespaces in a test: machines that share the file system and nothing of the
// network, each with a loopback of its own, joined by the links that the test makes.
//
// Namespaces have no name and hang on the test's process: the kernel takes them away, with their links and addresses,
// when the test or its process ends, however it ends. The one rule: start what runs on a machine from its
// Command, Enter, Listen or Dial; everything else runs where the test does.
//
// It needs the right to make namespaces (CAP_SYS_ADMIN, such as root's), ip of iproute2 and nsenter of util-linux;
// without them the test skips, or fails where CI=true. On other systems than Linux the package is empty.
package netnstest
