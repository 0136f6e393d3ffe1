package idc

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/homing-cli/homing/internal/plain"
	"github.com/homing-cli/homing/internal/session"
)

// maxName bounds the client name that is shown: longer ones are not of a program anybody knows.
const maxName = 80

// ClientName returns the name that a client was registered under, which its consent page shows, fit for a terminal; ""
// when its secret does not tell. The service's client secrets are JWTs that hold the whole registration (samples of
// 2019 to 2026). The signature is not checked, so the name is good for telling a person and decides nothing.
func ClientName(secret session.Secret) string {
	parts := strings.Split(secret.Reveal(), ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var outer struct {
		Serialized string `json:"serialized"`
	}
	var registration struct {
		ClientName string `json:"clientName"`
	}
	if json.Unmarshal(payload, &outer) != nil || json.Unmarshal([]byte(outer.Serialized), &registration) != nil {
		return ""
	}
	return plain.Line(registration.ClientName, maxName)
}
