// Package catalog is the room of names: folders, files, their versions, who may
// see them, which policy their bytes follow and how much room an account has.
//
// It holds the rules; internal/store keeps the rows behind the contracts of
// store.go, and blob.Bucket keeps the bytes. Doors and the upload engine come
// in; catalog itself imports blob, core and errs.
//
//	c := catalog.New(catalog.Options{Store: st.Catalog(), Buckets: buckets, Clock: time.Now})
//	n, err := c.Create(ctx, who, catalog.At(path), catalog.NewNode{Kind: catalog.Folder})
package catalog
