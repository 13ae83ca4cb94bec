// Package fail has the failures of calls and transfers, and the questions one asks of
// them. The client's public names for them are the same; its parts come in too.
//
//	if fail.HasCode(err, wire.CodeLockConflict) { … }
package fail
