package answer

import (
	"testing"

	"github.com/homing-cli/homing/internal/configedit"
	"github.com/homing-cli/homing/internal/session"
)

func TestSessionName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		url   string
		taken []string
		want  string
	}{
		{"https://d-1234567890.awsapps.com/start", nil, "d-1234567890"},
		{"https://My-Company.awsapps.com/start/#/", nil, "my-company"},
		{"https://my-company.awsapps.com/start", []string{"my-company"}, "my-company-eu-west-1"},
		{"https://my-company.awsapps.com/start", []string{"my-company", "my-company-eu-west-1"}, "my-company-2"},
		{"https://ssoins-1234.portal.eu-west-1.app.aws", nil, "ssoins-1234"},
		{"https://start.us-gov-home.awsapps.com/directory/d-98765/", nil, "d-98765"},
		{"https://start.home.awsapps.cn/directory/acme", nil, "acme"},
		{"https://start.home.awsapps.cn/directory/a%20b", nil, "a-b"},
		{"https://start.home.awsapps.cn/", nil, "start.home.awsapps.cn"},
		{"https://sso.example.com/start", nil, "sso.example.com"},
		{"https://identity-center.example.com", nil, "identity-center"},
		{"http://127.0.0.1:8080/start", nil, "sso"},
		{"http://[::1]:8080/start", []string{"sso"}, "sso-eu-west-1"},
		{"http://localhost:8080/start", nil, "sso"},
		{"://", nil, "sso"},
	} {
		got := SessionName(session.Session{StartURL: tt.url, Region: "eu-west-1"}, tt.taken)
		if err := configedit.ValidName(got); got != tt.want || err != nil {
			t.Errorf("%s: %q, want %q (%v)", tt.url, got, tt.want, err)
		}
	}
}
