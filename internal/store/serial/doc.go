// Package serial runs transactions on SQLite, which has one writer: one behind the
// other, many to a flush, each on a connection whose statements are prepared once.
//
// Only store may come in.
//
//	w := serial.New(serial.Options{DB: db, Conn: conn, …})
//	err := w.Do(ctx, func(f *serial.Floor) error { _, err := f.ExecContext(ctx, text); return err })
package serial
