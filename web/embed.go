// Package web holds the call page and the check: TypeScript sources and, once `make build` has run, the assets made of them.
//
// The sources stand in src/ (start at src/ui/App.svelte, src/lib/call.ts and src/lib/room.ts; the check at
// src/check/CheckPage.svelte, src/check/echo.ts and src/check/verdict.ts); `npm run build` writes
// dist/, which is not committed. It imports nothing of ours; api/dashboard serves what it holds.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Assets returns the built pages: index.html, check.html and assets/. A program compiled without them gets only a .keep file.
func Assets() fs.FS {
	built, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path: fs.Sub has no other error
	}
	return built
}
