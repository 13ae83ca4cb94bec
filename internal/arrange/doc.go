// Package arrange is the room of what people do with files they have: move,
// copy, throw away, restore, and remove for good.
//
// It takes places in batches, does many of them in one transaction, and says of
// each that could not be done why. The rules of names and the rows are
// catalog's; bytes are never touched: a copy names those of its original.
//
//	k := arrange.New(arrange.Options{Store: st.Catalog(), Catalog: c, Clock: time.Now})
//	failed, err := k.Move(ctx, who, []catalog.Ref{catalog.At(from)}, catalog.At(folder))
package arrange
