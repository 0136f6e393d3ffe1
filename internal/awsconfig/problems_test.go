package awsconfig

import (
	"fmt"
	"strings"
	"testing"
)

func TestProblems(t *testing.T) {
	for _, tt := range []struct {
		name, config, credentials string
		want                      []string // "FILE:LINE words"
	}{
		{"nothing", example, "[dev]\nregion = r\n", nil},
		{"not loadable", "[profile a]\nx\n", "", []string{"config:2 the AWS CLI cannot load this file"}},
		{"credentials not loadable", "", "[a]\n[a]\n", []string{"credentials:2 the AWS CLI cannot load this file"}},
		{"headers", "[profile \"a\"]\n[ profile b ]\n[profile c d]\n[profile e] # [x]\n", "", []string{
			`config:1 for the AWS CLI this is profile "a", for the SDKs profile "\"a\""`, `config:2 for the AWS CLI this is nothing, for the SDKs profile "b"`, "config:3 ", "config:4 "}},
		{"twice", "[profile default]\n[default]\n", "", []string{`config:2 profile "default" is already on line 1`}},
		{"inherited", "[DEFAULT]\na = b\n", "", []string{"config:1 the AWS CLI lets every profile inherit"}},
		{"indented", "[profile a]\nregion = r\n  output = o\n  [profile b]\n", "", []string{"config:4 the SDKs take this for a header", "config:3 the AWS CLI takes this line for a part"}},
		{"values", "[profile a]\nregion = r # c\noutput = 'o'\n", "[k]\naws_access_key_id = x\t; y\n", []string{"config:2 the AWS CLI takes the comment", "config:3 the AWS CLI takes the quotes", "credentials:2 the AWS CLI takes the comment"}},
		{"mixed", "[profile a]\nsso_session = s\ncredential_process = x\n[profile b]\ncredential_process = y\n", "[a]\naws_access_key_id = AKIA\n[b]\naws_access_key_id = AKIA\n", []string{
			`credentials:2 profile "a" has aws_access_key_id and sso_ keys`, `config:3 profile "a" has credential_process and sso_ keys`, `config:5 profile "b" has credential_process and aws_access_key_id`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			paths := write(t, tt.config, tt.credentials)
			c, err := Load(paths)
			if err != nil {
				t.Fatal(err)
			}
			got := c.Problems()
			for i, p := range got {
				where := "config"
				if p.Path == paths.Credentials {
					where = "credentials"
				}
				text := fmt.Sprintf("%s:%d %s", where, p.Line, p.Msg)
				if i >= len(tt.want) || !strings.HasPrefix(text, tt.want[i]) {
					t.Errorf("not expected: %s", text)
				}
				if strings.Contains(p.Msg, "AKIA") {
					t.Errorf("a secret in %q", p.Msg)
				}
			}
			if len(got) < len(tt.want) {
				t.Errorf("missing: %q", tt.want[len(got):])
			}
		})
	}
}
