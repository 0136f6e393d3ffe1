package emulator_test

import (
	"errors"

	"github.com/aws/smithy-go"
)

// errorCode is the name of the exception an SDK parsed, "" for none, or the error's text when it is something else.
func errorCode(err error) string {
	if err == nil {
		return ""
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return err.Error()
}
