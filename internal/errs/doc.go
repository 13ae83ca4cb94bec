// Package errs is the one error type of the house.
//
// An error carries a Kind, which tells programs what to do, a Reason, which
// tells clients why, the Op where it was named, a Note for the person, and the
// cause. Rooms create errors with [New] or [Newf] and pass foreign ones on with
// [Wrap], once per room. Doors translate Reason into their own numbers.
//
// Everyone may import errs; errs imports the standard library only.
//
//	const op = "upload.Write"
//	if at.To > s.Size {
//		return errs.New(errs.Invalid, errs.ChunkIndex).At(op)
//	}
//	if err := e.store.AddPart(ctx, id, p); err != nil {
//		return errs.Wrap(op, err)
//	}
package errs
