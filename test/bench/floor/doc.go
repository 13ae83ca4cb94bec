//go:build linux

// Command floor is a measuring stick, not a server: the least that a Go process must do
// to take uploads over the same wire, so that servers have a bound to be compared with.
// It has no accounts, no quota, no folders and checks nothing. One kind for each process:
//
//	raw-discard | raw-write | raw-splice        eight bytes of length, data, answer, over TCP
//	raw-splice-fsync                            the same, with fsync(file) before the answer
//	http-copy                                   net/http, io.Copy, no database, no fsync
//	http-fsync                                  the same, with fsync of file and folder before a file's last answer
//	splice                                      own HTTP/1.1 loop, socket to pipe to file by splice(2)
//	splice-fsync                                the same, with fsync of file and folder
//	group                                       own loop, a file for each upload, rows in SQLite (WAL, FULL); every answer
//	                                            after one syncfs and one commit for all who wait
//	seg                                         own loop, bodies up to 64 KiB appended to one segment file; one fdatasync
//	                                            and one commit for all who wait
//
//	floor -kind seg -listen 127.0.0.1:24300 -dir DIR
package main
