// Package tree knows what of a folder tree the server has already, so that a tree
// that is sent again costs one listing for each of its folders and not its bytes.
//
// The command line uses it; it knows client and api/wire and nothing else of this
// module.
//
//	k := tree.New(cl)
//	if k.Has(ctx, uri, tree.File{Size: st.Size(), Modified: st.ModTime()}) {
//		return // nothing to do
//	}
package tree
