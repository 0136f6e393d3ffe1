package idc

import (
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/homing-cli/homing/internal/session"
)

// jwt builds a client secret around a registration, as the service does.
func jwt(t *testing.T, serialized string) string {
	t.Helper()
	payload, err := json.Marshal(map[string]string{"serialized": serialized})
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"kid":"key-1564028099","alg":"HS384"}`)) + "." + enc(payload) + "." + enc([]byte("signature"))
}

func TestClientName(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ secret, want string }{
		"ours":            {jwt(t, `{"clientId":{"value":"x"},"clientName":"homing-dev","clientType":"PUBLIC"}`), "homing-dev"},
		"the AWS CLI's":   {jwt(t, `{"clientName":"botocore-client-dev"}`), "botocore-client-dev"},
		"escape sequence": {jwt(t, `{"clientName":"a\u001b[2Jb\nc"}`), "ab c"},
		"without a name":  {jwt(t, `{}`), ""},
		"another type":    {jwt(t, `{"clientName":7}`), ""},
		"no registration": {jwt(t, `nonsense`), ""},
		"opaque":          {"0123456789abcdef", ""},
		"two parts":       {"a.b", ""},
		"no base64":       {"a.§.c", ""},
		"none":            {"", ""},
	} {
		if got := ClientName(session.NewSecret(row.secret)); got != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}
