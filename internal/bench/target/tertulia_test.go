package target

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var tertuliaBinary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		folder, err := os.MkdirTemp("", "tertulia-target-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(folder)
		tertuliaBinary = filepath.Join(folder, "tertulia")
		if out, err := exec.Command("go", "build", "-o", tertuliaBinary, "tertulia/cmd/tertulia").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

func TestTertuliaCall(t *testing.T) { callThrough(t, Tertulia(TertuliaConfig{Binary: tertuliaBinary})) }
