// Package organise is the door for what people do with files they have: move,
// copy, delete to the trash and for good, restore, label and pin.
//
// Most operations take many files at once. What fails is named in the answer,
// under the URI it was asked for with; all else is done.
//
//	d := organise.New(organise.Options{Desk: desk, Keeper: keeper})
//	desk.Mount(d.Routes())
package organise
