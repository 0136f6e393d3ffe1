package configedit

import (
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/awsconfig/grammar"
)

// hard is a file of everything that people have lost to editors: a role with "#", a credential_process with quotes,
// "#" and ";", nested settings, odd spacing and indentation, CRLF, comments everywhere, no end to the last line.
const hard = "# top\r\n\r\n[default]\r\nregion   =   eu-west-1   \r\n; c\r\n[profile role]   ; r\r\nrole_arn=arn:aws:iam::123456789012:role/team#1/a;b\r\n" +
	"source_profile\t=\tdefault\r\n#region = x\r\n\r\n\r\n[profile process]\r\n" +
	"Credential_Process = \"/opt/my tool\" --name 'a # b' --x=\"c ; d\" #e;f\r\n  # indented\r\n\r\n[profile\tindented]\r\n   output : json\r\n" +
	"\t\t# c\r\n   REGION=us-east-1 # later\r\n[profile s3]\r\ns3 =\r\n    # slow\r\n    max_concurrent_requests = 20\r\n\r\n    addressing_style=path\r\n" +
	"output:json\r\n[services local]\r\nsso =\r\n  endpoint_url = http://localhost:1/#\r\n# end"

// TestHardFile: each edit changes the bytes it means and no other, and both real readers read what was asked for.
func TestHardFile(t *testing.T) {
	o := askable(t)
	of := func(name string) Section { return Section{grammar.KindProfile, name} }
	mark := strings.ReplaceAll(grammar.NewMark("corp", "[profile new]\nregion = r1"), "\n", "\r\n")
	for _, tt := range []struct {
		name     string
		edit     Edit
		old, new string // what is replaced, once
	}{
		{"value", set1(of("default"), "region", "us-east-2"), "=   eu-west-1   \r", "=   us-east-2   \r"},
		{"role", set1(of("role"), "role_arn", "arn:aws:iam::1:role/x#y;z"), "=arn:aws:iam::123456789012:role/team#1/a;b", "=arn:aws:iam::1:role/x#y;z"},
		{"beside the role", set1(of("role"), "region", "r1"), "\tdefault\r\n", "\tdefault\r\nregion = r1\r\n"},
		{"beside the process", set1(of("process"), "region", "r1"), "#e;f\r\n", "#e;f\r\nregion = r1\r\n"},
		{"instead of the process", Edit{Section: of("process"), Unset: []string{"credential_process"}, Set: []KeyValue{{"region", "r1"}}},
			"Credential_Process = \"/opt/my tool\" --name 'a # b' --x=\"c ; d\" #e;f\r\n", "region = r1\r\n"},
		{"process", set1(of("process"), "credential_process", `"/a b/homing" credentials --role-name 'x y'`),
			"Credential_Process = \"/opt/my tool\" --name 'a # b' --x=\"c ; d\" #e;f\r\n",
			"# b' --x=\"c ; d\" #e;f\r\nCredential_Process = \"/a b/homing\" credentials --role-name 'x y'\r\n"},
		{"comment behind a value", set1(of("indented"), "region", "eu-west-3"), "   REGION=us-east-1 # later\r\n", "   # later\r\n   REGION=eu-west-3\r\n"},
		{"indented", set1(of("indented"), "sso_session", "s"), "# later\r\n", "# later\r\n   sso_session = s\r\n"},
		{"beside the block", set1(of("s3"), "region", "r1"), "output:json\r\n", "output:json\r\nregion = r1\r\n"},
		{"without the block", Edit{Section: of("s3"), Unset: []string{"s3"}}, "s3 =\r\n    # slow\r\n    max_concurrent_requests = 20\r\n\r\n    addressing_style=path\r\n", "    # slow\r\n\r\n"},
		{"managed", mine("new", "corp", KeyValue{"region", "r1"}), "# end", "# end\r\n\r\n" + mark + "\r\n[profile new]\r\nregion = r1"},
		{"removed", Edit{Section: of("indented"), Remove: true}, "\r\n[profile\tindented]\r\n   output : json\r\n\t\t# c\r\n   REGION=us-east-1 # later\r\n", "\t\t# c\r\n"},
		{"last removed", Edit{Section: Section{grammar.KindServices, "local"}, Remove: true}, "[services local]\r\nsso =\r\n  endpoint_url = http://localhost:1/#\r\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if strings.Count(hard, tt.old) != 1 {
				t.Fatalf("%q is there %d times", tt.old, strings.Count(hard, tt.old))
			}
			if got, want := applied(t, hard, tt.edit), strings.Replace(hard, tt.old, tt.new, 1); got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			if made, _ := o.checkEdit(t, hard, []Edit{tt.edit}); !made {
				t.Error("refused")
			}
		})
	}
}
