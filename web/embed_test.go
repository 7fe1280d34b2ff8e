package web

import (
	"io/fs"
	"testing"
)

// The folder is embedded whether or not the page was built: a clean clone must compile.
func TestAssetsWithoutABuild(t *testing.T) {
	if _, err := fs.Stat(Assets(), ".keep"); err != nil {
		t.Fatal(err)
	}
}
