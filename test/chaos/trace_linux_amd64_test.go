package chaos_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// tracePrefix is the first argument of a tracer: this test binary, which runs the
// server under ptrace(2) and breaks it at exactly one system call. strace(1) counts per
// thread, and a Go program has many; this counts what the process does.
const tracePrefix = "-chaos.trace="

// Exit codes of the tracer.
const (
	exitFired = 77 // the server was killed at the call that was asked for
	exitOther = 78
)

// calls are the system calls that change what is durable, and the writes that tell
// somebody so.
var calls = map[uint64]string{
	unix.SYS_WRITE: "write", unix.SYS_PWRITE64: "pwrite64", unix.SYS_WRITEV: "writev", unix.SYS_FSYNC: "fsync",
	unix.SYS_FDATASYNC: "fdatasync", unix.SYS_FTRUNCATE: "ftruncate", unix.SYS_RENAMEAT: "renameat",
	unix.SYS_RENAMEAT2: "renameat2", unix.SYS_UNLINKAT: "unlinkat", unix.SYS_UNLINK: "unlink", unix.SYS_MKDIRAT: "mkdirat",
	unix.SYS_FALLOCATE: "fallocate", unix.SYS_RENAME: "rename", unix.SYS_SENDFILE: "sendfile", unix.SYS_SPLICE: "splice",
	unix.SYS_COPY_FILE_RANGE: "copy_file_range", unix.SYS_LINKAT: "linkat",
}

// plan is what a tracer was told: kill or an errno, at which call, of which kinds, on
// what paths, how often.
//
//	mode,N,count,kinds,path,report   for example  kill,17,1,*,/data,/tmp/r  or  EIO,1,1,fsync+fdatasync,/staging/,/tmp/r
type plan struct {
	errno  syscall.Errno // 0: kill
	nth    int
	count  int // how many from the nth on; 0: all
	kinds  []string
	path   string // part of the name of the file
	report string // where to write what was hit
	start  bool   // count from the first call of the process
}

func parsePlan(text string) (plan, error) {
	f := strings.Split(text, ",")
	if len(f) != 6 {
		return plan{}, fmt.Errorf("a plan has 6 fields: %q", text)
	}
	p := plan{path: f[4], report: f[5]}
	switch f[0] {
	case "kill":
	case "killstart":
		p.start = true
	case "EIO":
		p.errno = unix.EIO
	case "ENOSPC":
		p.errno = unix.ENOSPC
	case "EDQUOT":
		p.errno = unix.EDQUOT
	default:
		return plan{}, fmt.Errorf("unknown mode %q", f[0])
	}
	var err error
	if p.nth, err = strconv.Atoi(f[1]); err != nil {
		return plan{}, err
	}
	if p.count, err = strconv.Atoi(f[2]); err != nil {
		return plan{}, err
	}
	if f[3] != "*" {
		p.kinds = strings.Split(f[3], "+")
	}
	return p, nil
}

// tracer follows all threads of one process.
type tracer struct {
	plan
	pid     int
	armed   atomic.Bool // counting; SIGUSR1 begins it, SIGUSR2 ends it
	seen    int
	exit    int // code of the process; -1: killed
	hits    []string
	within  map[int]bool // thread is inside a call
	failing map[int]bool // its call is to fail at its exit
	known   map[int]bool
}

func trace(text string, argv []string) int {
	runtime.LockOSThread() // ptrace belongs to a thread
	p, err := parsePlan(text)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitOther
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitOther
	}
	r := &tracer{plan: p, pid: cmd.Process.Pid, within: map[int]bool{}, failing: map[int]bool{}, known: map[int]bool{}}
	r.armed.Store(p.start)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2)
	go func() {
		for s := range signals {
			switch s {
			case syscall.SIGUSR1:
				r.armed.Store(true)
				_ = os.WriteFile(r.report+".armed", nil, 0o600)
			case syscall.SIGUSR2:
				r.armed.Store(false)
				_ = os.WriteFile(r.report+".disarmed", nil, 0o600)
			default:
				_ = syscall.Kill(r.pid, syscall.SIGKILL)
			}
		}
	}()
	code := r.follow()
	if err := os.WriteFile(r.report, []byte(fmt.Sprintf("%d %d %s\n", r.seen, r.exit, strings.Join(r.hits, " "))), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return code
}

func (r *tracer) follow() int {
	var ws syscall.WaitStatus
	if _, err := syscall.Wait4(r.pid, &ws, 0, nil); err != nil {
		return exitOther
	}
	const options = syscall.PTRACE_O_TRACESYSGOOD | syscall.PTRACE_O_TRACECLONE | 0x100000 // PTRACE_O_EXITKILL
	if err := syscall.PtraceSetOptions(r.pid, options); err != nil {
		return exitOther
	}
	r.known[r.pid] = true
	_ = syscall.PtraceSyscall(r.pid, 0)
	fired := false
	for {
		tid, err := syscall.Wait4(-1, &ws, syscall.WALL, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			break
		}
		if ws.Exited() || ws.Signaled() {
			if tid == r.pid {
				r.exit = ws.ExitStatus()
				break
			}
			continue
		}
		if !ws.Stopped() {
			continue
		}
		deliver := 0
		switch sig := ws.StopSignal(); {
		case sig == syscall.SIGTRAP|0x80:
			if r.call(tid) {
				fired = true
				_ = syscall.Kill(r.pid, syscall.SIGKILL)
				continue
			}
		case sig == syscall.SIGTRAP && ws.TrapCause() > 0: // a new thread
		case sig == syscall.SIGSTOP && !r.known[tid]:
			r.known[tid] = true
		default:
			deliver = int(sig)
		}
		_ = syscall.PtraceSyscall(tid, deliver)
	}
	if fired {
		return exitFired
	}
	return 0
}

// call looks at one stop at a system call. It reports whether it is the one to die at.
func (r *tracer) call(tid int) (die bool) {
	r.within[tid] = !r.within[tid]
	if !r.within[tid] {
		if r.failing[tid] {
			delete(r.failing, tid)
			var regs syscall.PtraceRegs
			if syscall.PtraceGetRegs(tid, &regs) == nil {
				regs.Rax = uint64(-int64(r.errno))
				_ = syscall.PtraceSetRegs(tid, &regs)
			}
		}
		return false
	}
	if !r.armed.Load() {
		return false
	}
	var regs syscall.PtraceRegs
	if syscall.PtraceGetRegs(tid, &regs) != nil {
		return false
	}
	name, ok := calls[regs.Orig_rax]
	if !ok || r.kinds != nil && !slices.Contains(r.kinds, name) {
		return false
	}
	path := r.target(name, regs)
	if path == "" || !strings.Contains(path, r.path) {
		return false
	}
	r.seen++
	if r.seen < r.nth || r.count > 0 && r.seen >= r.nth+r.count {
		return false
	}
	r.hits = append(r.hits, name+":"+path)
	if r.errno == 0 {
		return true
	}
	regs.Orig_rax = ^uint64(0) // no such call
	if syscall.PtraceSetRegs(tid, &regs) == nil {
		r.failing[tid] = true
	}
	return false
}

// target names what a call works on: a file, or "socket:" for an answer on its way; ""
// for what nobody sees, such as the log.
func (r *tracer) target(name string, regs syscall.PtraceRegs) string {
	fd := int32(regs.Rdi)
	switch name {
	case "rename", "unlink":
		return "path"
	case "splice", "copy_file_range":
		fd = int32(regs.Rdx)
	}
	link, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", r.pid, fd))
	switch {
	case err != nil || fd == 1 || fd == 2:
		return ""
	case strings.HasPrefix(link, "socket:"):
		return "socket:"
	case strings.HasPrefix(link, "/"):
		return link
	}
	return ""
}
