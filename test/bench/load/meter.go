//go:build linux

package load

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Processes returns pid and all its descendants.
func Processes(pid int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	for _, name := range stats {
		f := statOf(name)
		if f == nil {
			continue
		}
		self, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		parent, _ := strconv.Atoi(f[1])
		children[parent] = append(children[parent], self)
	}
	var all []int
	for todo := []int{pid}; len(todo) > 0; {
		p := todo[0]
		todo = append(todo[1:], children[p]...)
		all = append(all, p)
	}
	return all
}

// statOf returns the fields of /proc/pid/stat from the state on; nil if it is gone.
func statOf(name string) []string {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	return strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
}

// Processor is user and system time in seconds. Linux counts in hundredths.
func Processor(pids []int) (sec float64) {
	for _, p := range pids {
		f := statOf(fmt.Sprintf("/proc/%d/stat", p))
		if f == nil {
			continue
		}
		user, _ := strconv.ParseFloat(f[11], 64)
		system, _ := strconv.ParseFloat(f[12], 64)
		sec += (user + system) / 100
	}
	return sec
}

// Memory sums a field of /proc/pid/status (VmRSS, RssAnon, VmHWM) in MiB.
func Memory(pids []int, field string) (mib float64) {
	for _, p := range pids {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			if rest, ok := strings.CutPrefix(line, field+":"); ok {
				kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
				mib += kib / 1024
			}
		}
	}
	return mib
}

// Machine is busy seconds of the whole machine since it started.
func Machine() (busy float64) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(b), "\n")
	for i, v := range strings.Fields(first)[1:] {
		x, _ := strconv.ParseFloat(v, 64)
		switch i {
		case 3, 4, 7, 8, 9: // idle, iowait, steal, guest, guest_nice
		default:
			busy += x / 100
		}
	}
	return busy
}

// Self is the processor time of this process in seconds.
func Self() float64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
}

// meter brackets one measured interval.
type meter struct {
	pids                 []int
	server, self, before float64
}

func startMeter(pid int) *meter {
	m := &meter{pids: Processes(pid)}
	for _, p := range m.pids { // the peak of memory begins anew; what ended meanwhile needs none
		_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p), []byte("5"), 0)
	}
	m.server, m.self, m.before = Processor(m.pids), Self(), Machine()
	return m
}

// usage is processor seconds of the server, of the load, and of everybody else.
type usage struct{ server, self, other, peakMiB float64 }

func (m *meter) stop() usage {
	all := Machine() - m.before
	u := usage{server: Processor(m.pids) - m.server, self: Self() - m.self, peakMiB: Memory(m.pids, "VmHWM")}
	u.other = max(0, all-u.server-u.self)
	return u
}

// OwnsPort reports whether one of the processes listens on addr. Nothing is sent to a
// port that a process of ours does not hold.
func OwnsPort(pids []int, addr string) bool {
	sockets := map[string]bool{}
	port, _ := strconv.Atoi(addr[strings.LastIndexByte(addr, ':')+1:])
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			const listening = "0A"
			f := strings.Fields(line)
			if len(f) > 9 && f[3] == listening && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
				sockets["socket:["+f[9]+"]"] = true
			}
		}
	}
	for _, p := range pids {
		open, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p)) // the pattern is well formed
		for _, fd := range open {
			if link, err := os.Readlink(fd); err == nil && sockets[link] {
				return true
			}
		}
	}
	return false
}
