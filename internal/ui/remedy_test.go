package ui

import (
	"fmt"
	"testing"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/quote"
)

func TestInWords(t *testing.T) {
	for _, tt := range []struct {
		remedy fault.Remedy
		want   string
	}{
		{nil, ""},
		{fault.Advice("check the network"), "check the network"},
		{fault.Login{}, "run: homing login"},
		{fault.Login{Session: "my dev"}, "run: homing login --sso-session 'my dev'"},
		{fault.Login{Session: "dev", Profile: "p"}, "run: homing login --sso-session dev"},
		{
			fault.Login{Profile: "p", Flow: "device", Force: true, KeepFresh: true},
			"run: homing login --profile p --use-device-code --force --keep-fresh",
		},
		{fault.Login{Flow: "pkce"}, "run: homing login --flow pkce"},
		{fault.ConfigureSSO{}, "run: homing configure sso"},
		{fault.ConfigureSSO{Profile: "a&b"}, "run: homing configure sso --profile 'a&b'"},
		{fault.ConfigureSession{}, "run: homing configure sso-session"},
		{fault.ConfigureSession{Session: "a\x1b[31mb"}, `run: homing configure sso-session --sso-session "$(printf 'a\033[31mb')"`},
		{fault.Upgrade{}, "run: homing configure sso --upgrade"},
		{fault.Upgrade{"a b", "c"}, "run: homing configure sso --upgrade 'a b' c"},
		{fault.ListProfiles{Session: "dev"}, "run: homing profiles list --sso-session dev"},
		{fault.HandOver{}, "run: homing callback"},
		{fault.Edit{File: "/a b", Line: 3}, "run: ${EDITOR:-vi} +3 '/a b'"},
		{fault.Correct{File: "/a b", Line: 3}, "correct line 3 of /a b"},
		{fault.Correct{File: "/a b"}, "correct or remove the file /a b"},
		{fault.Setenv{Name: "HOMING_FLOW", Value: "auto"}, "run: export HOMING_FLOW=auto"},
		{fault.Setenv{Name: "HOMING_FLOW"}, "run: unset HOMING_FLOW"},
		{fault.Run{"ls", "-ld", "/a b"}, "run: ls -ld '/a b'"},
		{fault.Preface{Words: "to try again,", Then: fault.Login{}}, "to try again, run: homing login"},
		{fault.Preface{Words: "see whose it is:", Then: fault.Run{"ls", "-ld", "/a"}}, "see whose it is: ls -ld /a"},
		{fault.Preface{Words: "ask them;", Then: fault.Advice("known keys: a")}, "ask them; known keys: a"},
		{fault.Preface{Words: "a;", Then: fault.Preface{Words: "or see:", Then: fault.Run{"ls"}}}, "a; or see: ls"},
	} {
		t.Run(fmt.Sprintf("%T %v", tt.remedy, tt.remedy), func(t *testing.T) {
			if got := InWords(tt.remedy, quote.Sh); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			words, command := Parts(tt.remedy, quote.Sh)
			if command != Command(tt.remedy, quote.Sh) ||
				(command != "") != (words != "" && words[len(words)-1] == ':') {
				t.Errorf("words %q, command %q", words, command)
			}
		})
	}
}

func TestShells(t *testing.T) {
	for _, tt := range []struct {
		remedy          fault.Remedy
		powerShell, cmd string
	}{
		{fault.Login{Session: "it's"}, "homing login --sso-session 'it''s'", `homing login --sso-session "it's"`},
		{fault.Edit{File: `C:\a b`, Line: 3}, `notepad 'C:\a b' (line 3)`, `notepad "C:\a b" (line 3)`},
		{fault.Setenv{Name: "A", Value: "it's"}, "$env:A = 'it''s'", `set "A=it's"`},
		{fault.Setenv{Name: "A"}, "Remove-Item Env:A", `set "A="`},
		{fault.Unset{"A", "B"}, "Remove-Item Env:A, Env:B", `set "A=" & set "B="`},
	} {
		if got := Command(tt.remedy, quote.PowerShell); got != tt.powerShell {
			t.Errorf("PowerShell: got %s, want %s", got, tt.powerShell)
		}
		if got := Command(tt.remedy, quote.Cmd); got != tt.cmd {
			t.Errorf("cmd: got %s, want %s", got, tt.cmd)
		}
	}
}

func TestHint(t *testing.T) {
	err := fmt.Errorf("read: %w", fault.Suggest(fault.Denied, fault.Login{Session: "dev"}, "no"))
	if got := Hint(err, quote.Sh); got != "run: homing login --sso-session dev" {
		t.Errorf("got %q", got)
	}
}
