// Command movedhoming is homing on a machine whose clock a test moves (see interop/clock).
package main

import (
	"context"
	"os"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/cli"
	"github.com/homing-cli/homing/interop/clock"
)

func main() {
	env := app.OSEnv()
	env.Now = clock.Now
	os.Exit(cli.Main(context.Background(), env))
}
