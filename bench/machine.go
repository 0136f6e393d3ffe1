//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// Machine is what numbers depend on. Two that differ in anything are two machines.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"` // that this process may use
	OS     string `json:"os"`    // and architecture
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
}

// thisMachine looks around. What it cannot find out is "unknown".
func thisMachine(ctx context.Context) Machine {
	m := Machine{CPU: cpuModel(readFile("/proc/cpuinfo")), Cores: runtime.NumCPU(), OS: runtime.GOOS + "/" +
		runtime.GOARCH, Kernel: said(ctx, "uname", "-r"), Go: runtime.Version()}
	if m.CPU == "" && runtime.GOOS == "darwin" {
		m.CPU = said(ctx, "sysctl", "-n", "machdep.cpu.brand_string")
	}
	if m.CPU == "" {
		m.CPU = "unknown"
	}
	if m.Kernel == "" {
		m.Kernel = "unknown"
	}
	return m
}

func (m Machine) String() string {
	return fmt.Sprintf("%s, %d cores, %s, kernel %s, %s", m.CPU, m.Cores, m.OS, m.Kernel, m.Go)
}

// cpuModel finds the model in the text of /proc/cpuinfo. Not every architecture names one; then it is a number of
// parts.
func cpuModel(cpuinfo string) string {
	parts := map[string]string{}
	for line := range strings.Lines(cpuinfo) {
		key, value, _ := strings.Cut(line, ":")
		parts[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	if parts["model name"] != "" {
		name := strings.Join(strings.Fields(parts["model name"]), " ")
		if parts["cpu family"] != "" { // virtual machines cut the name short
			name += " (family " + parts["cpu family"] + ", model " + parts["model"] + ")"
		}
		return name
	}
	if parts["CPU part"] != "" {
		return "CPU implementer " + parts["CPU implementer"] + ", part " + parts["CPU part"]
	}
	return ""
}

// load returns the load of the last minute, "unknown" where the system does not tell.
func load(ctx context.Context) string {
	text := readFile("/proc/loadavg")
	if text == "" {
		text = strings.Trim(said(ctx, "sysctl", "-n", "vm.loadavg"), "{ ")
	}
	if first := strings.Fields(text); len(first) > 0 {
		return first[0]
	}
	return "unknown"
}

func readFile(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(text)
}

// said returns what a command prints, "" when it fails.
func said(ctx context.Context, name string, args ...string) string {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
