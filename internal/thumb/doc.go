// Package thumb makes small pictures of files that are pictures.
//
// They are made when they are asked for and kept in memory, never on disk: what was
// encrypted does not come to lie there in clear, and nothing is left of a file that was
// deleted. What a file may cost is bounded before any of it is decoded, by its size and
// by the memory that its header announces; the whole of a file is read and its checksum
// compared, so that nothing is shown of bytes that have changed.
//
//	m := thumb.New(thumb.Options{Open: catalog.OpenVersion})
//	p, err := m.Of(ctx, version)
//
// JPEG, PNG, GIF (its first picture), WebP and BMP are taken; SVG and whatever else can
// hold a program is not.
package thumb
