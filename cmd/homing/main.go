// Command homing signs a person in to AWS IAM Identity Center and leaves the files that the AWS CLI and the SDKs read.
package main

import (
	"os"

	"github.com/homing-cli/homing/internal/cli"
)

func main() { os.Exit(cli.Start()) }
