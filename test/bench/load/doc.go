// Package load drives upload servers over loopback and measures them: the bytes, the
// time, and the processor and memory of the server's processes. It refuses any other
// address.
//
// The client shares the machine with the server, so it must cost little: bodies go out
// as large writes straight from one random buffer over plain sockets. What was stored
// is read back and compared before a figure counts; a run that does not compare is an
// error, not a number.
//
// Only test/bench/run comes in.
//
//	t, err := load.New(load.V4, "127.0.0.1:5212")
//	r := load.Run{Target: t, Addr: "127.0.0.1:5212", PID: pid, Dir: "run1", Round: 1}
//	fmt.Println(r.Big(4, 128<<20).DurableMiBps)
package load
