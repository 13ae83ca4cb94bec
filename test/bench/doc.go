// Package bench measures the whole server in one process, with its real
// database and disk, for profiles. Nothing imports it.
//
//	go test -run xxx -bench . -cpuprofile cpu.out ./test/bench
package bench
