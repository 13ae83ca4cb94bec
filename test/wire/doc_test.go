// Package wire_test holds the golden cases of the HTTP API and their runner.
//
// testdata/*.txtar are the cases, one file a theme, one member a case. They are
// the truth about the wire: the same files run against a server in this process
// (plain `go test ./test/wire`) and against any other:
//
//	go test ./test/wire -target http://host:5212 -admin-email … -admin-password …
//
// A case is a list of exchanges:
//
//	> PUT /file/upload as bob          method, path below /api/v4, who (admin if not said)
//	X-Expected-Entity-Length: 5        request headers
//	{"uri":"${dir}/a","size":5}        request body
//	< 200                              status
//	Cache-Control: private, no-cache   response headers, ${absent} for none
//	{"code":0,"data":{…},"msg":""}     response body
//
// Words after the path with a "=" are query parameters and are encoded; `as
// anonymous` sends no token, `as ${token}` sends that one; `chunked` sends no
// Content-Length. Instead of a status an answer may be
//
//	< done                   {"code":0,"msg":""} and nothing else
//	< fail 40016 "text"      that code, with a correlation id
//	< reject 40001 "text"    that code, without a correlation id
//	< refuse 40001 "text"    that code, with or without
//
// where the text may be left out. Bodies are JSON, or
//
//	@bytes 5242880 seed1            generated, the same for the same seed
//	@bytes 100 seed1 10 20          its bytes [10,20)
//	@hex 00ff   @text hello   @empty
//
// JSON is compared without regard to the order of keys, and exactly: a key too
// many or too few is a failure, unless the expected key ends in "?" (may be
// missing) or is "..." (others may follow). A list that begins with "..." must
// contain the rest, whatever else there is. An answer of a value a line
// (application/x-ndjson) is compared as the list of them.
//
// ${kind} stands for any value of a kind (any, string, text, int, bool, list,
// object, uuid, time, id, digest); ${name:kind} keeps it as ${name};
// ${=2*chunk+1} calculates. ${dir} is a fresh folder of the case, ${chunk} the
// chunk size of the server.
//
// Lines between exchanges: `# …` is a comment; `# answers: ROW` says that the next
// exchange is the row of answers.txt, `# answers: ROW CODE: why` that it answers
// another code, and why that is better; `# reference: …` says where we
// leave the reference server on purpose, and makes -strict=false skip the case;
// `! folders 1001 ${dir}/a` makes a folder of so many; `! restart` and `! clock 25h` need a server in this process, `! local` only
// says that the case needs one; `= name 2*chunk` sets a number, `= name
// repeat 255 a` a text and `= name totp secret` the code that an app shows now for
// the secret ${secret}. The comment of a file may hold a line `server:
// chunk=65536 …` with the settings that it needs (see process_test.go).
package wire_test
