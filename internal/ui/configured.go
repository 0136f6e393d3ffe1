package ui

// Configured is the last event of both wizards under --json.
type Configured struct {
	Event      string `json:"event"`
	Profile    string `json:"profile,omitempty"`
	SSOSession string `json:"sso_session,omitempty"`
	StartURL   string `json:"start_url,omitempty"`
	AccountID  string `json:"account_id,omitempty"`
	RoleName   string `json:"role_name,omitempty"`
	Region     string `json:"region,omitempty"`
}
