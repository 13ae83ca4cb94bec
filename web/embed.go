// Package web carries the built page inside the binary. `npm run build` in
// this folder fills dist; a checkout that never built the page still compiles
// and then serves no page (see internal/app).
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Dist returns the built page, rooted at its index.html.
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // dist is embedded above: this is a build defect
	}
	return sub
}
