package settings

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// Policy is what an organisation allows on this machine. It overrules everything a person sets. It is no wall:
// whoever can run another program can sign in with that. NoPolicy is the policy of a machine without one; the zero
// Policy forbids device codes.
type Policy struct {
	AllowDeviceCode bool           // allow_device_code; true when the file does not say
	AllowedFlows    []session.Flow // allowed_flows, of PKCE and Device; nil is all
	File            string         // where it is from; "" when there is none

	device, flows int // the lines that say so
}

// NoPolicy returns the policy that allows everything.
func NoPolicy() Policy { return Policy{AllowDeviceCode: true} }

// Allows reports whether a sign-in may use flow, which is PKCE or Device.
func (p Policy) Allows(flow session.Flow) bool {
	if flow == session.Device && !p.AllowDeviceCode {
		return false
	}
	return p.AllowedFlows == nil || slices.Contains(p.AllowedFlows, flow)
}

// Forbids returns what forbids flow, as a message quotes it: "allow_device_code = false in
// /etc/homing/policy.toml:2". It is "" when flow is allowed.
func (p Policy) Forbids(flow session.Flow) string {
	switch {
	case p.Allows(flow):
		return ""
	case flow == session.Device && !p.AllowDeviceCode:
		return strings.TrimSuffix("allow_device_code = false in "+at(p.File, p.device), " in ")
	}
	quoted := make([]string, len(p.AllowedFlows))
	for i, f := range p.AllowedFlows {
		quoted[i] = fmt.Sprintf("%q", f)
	}
	return strings.TrimSuffix("allowed_flows = ["+strings.Join(quoted, ", ")+"] in "+at(p.File, p.flows), " in ")
}

// loadPolicy reads policy.toml. One that is there and not understood is an error, never a permission.
func loadPolicy(file string) (Policy, error) {
	p := NoPolicy()
	t, err := open(file)
	if t == nil || err != nil {
		return p, policyFault(err)
	}
	p.File = file
	if err := t.check([]string{"allow_device_code", "allowed_flows"}); err != nil {
		return p, policyFault(err)
	}
	device, err := decode(t, "allow_device_code", "true or false", func(bool) bool { return true })
	if err != nil {
		return p, policyFault(err)
	}
	flows, err := decode(
		t,
		"allowed_flows",
		`a list of "pkce" and "device", one of them at least`,
		func(list []session.Flow) bool {
			for _, f := range list {
				if f != session.PKCE && f != session.Device {
					return false
				}
			}
			return len(list) > 0
		},
	)
	if err != nil {
		return p, policyFault(err)
	}
	if device.IsSet() {
		p.AllowDeviceCode, p.device = device.Value, device.Line
	}
	if flows.IsSet() {
		p.AllowedFlows, p.flows = flows.Value, flows.Line
	}
	return p, nil
}

// policyFault turns the remedy of err to whoever can act on it: the file is not the person's own.
func policyFault(err error) error {
	if err == nil {
		return nil
	}
	var found *fault.Error
	if !errors.As(err, &found) {
		return err
	}
	f := *found
	const ask = "ask who administers this machine: a policy that cannot be read allows no sign-in"
	if _, correct := f.Remedy.(fault.Correct); correct {
		f.Remedy = fault.Advice(ask)
	} else {
		f.Remedy = fault.Preface{Words: ask + ";", Then: f.Remedy}
	}
	return &f
}

// PolicyFile returns the path of policy.toml: /etc/homing, or homing in the ProgramData folder on Windows, which that
// system names itself (%ProgramData% only where it does not). "" when that is unknown.
func PolicyFile(getenv func(string) string, goos string) string {
	if goos != "windows" {
		return "/etc/homing/policy.toml"
	}
	dir := programData()
	if dir == "" {
		dir = getenv("ProgramData")
	}
	if dir == "" {
		return ""
	}
	return windowsPath(dir, "homing", "policy.toml")
}
