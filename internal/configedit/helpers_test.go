package configedit

import (
	"testing"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/configtest"
)

// write is configtest.Write.
func write(t testing.TB, config string, credentials ...string) awsconfig.Paths {
	t.Helper()
	configFile, credentialsFile := configtest.Write(t, config, credentials...)
	return awsconfig.Paths{Config: configFile, Credentials: credentialsFile}
}

const example = configtest.Example
