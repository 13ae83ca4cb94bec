//go:build linux

package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// machine says where the figures come from.
type machine struct {
	CPU        string `json:"cpu"`
	Cores      int    `json:"cores"`
	MemoryGiB  int    `json:"memory_gib"`
	Kernel     string `json:"kernel"`
	FileSystem string `json:"file_system"`
	When       string `json:"when"`
}

func (m machine) String() string {
	return fmt.Sprintf("%s, %d cores, %d GiB, Linux %s, data on %s, loopback, no TLS", m.CPU, m.Cores, m.MemoryGiB, m.Kernel, m.FileSystem)
}

func readMachine(o options) machine {
	m := machine{
		CPU: field("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(),
		Kernel: said("", "uname", "-r"), FileSystem: said("", "stat", "-f", "-c", "%T", o.work),
		When: time.Now().UTC().Format(time.DateOnly),
	}
	kib, _ := strconv.Atoi(strings.TrimSuffix(field("/proc/meminfo", "MemTotal"), " kB"))
	m.MemoryGiB = kib >> 20
	return m
}

func field(file, name string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}

// said is the part of what a command says that the pattern finds.
func said(pattern, name string, args ...string) string {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return "unknown"
	}
	text := strings.TrimSpace(string(out))
	if found := regexp.MustCompile(pattern).FindStringSubmatch(text); pattern != "" && len(found) == 2 {
		return found[1]
	}
	return text
}

func readVersions(o options) map[string]string {
	v := map[string]string{
		"go":    runtime.Version(),
		"wharf": said("", "git", "rev-parse", "--short", "HEAD"),
		"nginx": said(`nginx/(\S+)`, o.nginx, "-v"),
		gateway: "unknown",
	}
	if b, err := buildinfo.ReadFile(o.bin + "/versitygw"); err == nil {
		v[gateway] = b.Main.Version
	}
	if said("", "git", "status", "--porcelain", "--untracked-files=no", "--", "cmd", "internal", "api", "web", "go.mod") != "" {
		v["wharf"] += " with changes"
	}
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, d := range b.Deps {
			if d.Path == "modernc.org/sqlite" {
				v["sqlite of wharf and the floors"] = d.Version
			}
		}
	}
	return v
}
