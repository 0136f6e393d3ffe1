package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// askMain asks the endpoint of its environment once for every line it reads, and prints the answer: status, key id
// and what is left of it, or status and what is wrong.
func askMain() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(
			askEndpoint(context.Background(), os.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
				os.Getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")),
		)
	}
	os.Exit(0)
}

func askEndpoint(ctx context.Context, url, token string) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err.Error()
	}
	req.Header.Set("Authorization", token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		AccessKeyID         string `json:"AccessKeyId"`
		Expiration, Message string
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(
		fmt.Sprint(resp.StatusCode, " ", answer.AccessKeyID, " ", answer.Expiration, answer.Message),
	)
}
