package archtest

import (
	"bytes"
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "tertulia"

// source is one Go file of ours.
type source struct {
	path   string // relative to the module, with slashes
	pkg    string // its directory, without "internal/": "media/peer"
	test   bool   // ends in _test.go
	lines  int
	syntax *ast.File
	fset   *token.FileSet
}

func (s *source) name() string { return path.Base(s.path) }

// at is a place in the file, as findings print it.
func (s *source) at(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.fset.Position(n.Pos()).Line)
}

// span is how many lines a node takes.
func (s *source) span(n ast.Node) int {
	return s.fset.Position(n.End()).Line - s.fset.Position(n.Pos()).Line + 1
}

func (s *source) imports() []string {
	var all []string
	for _, spec := range s.syntax.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		all = append(all, p)
	}
	return all
}

// importName is the name by which the file knows an imported package, "" if it does not import it.
func (s *source) importName(pkg string) string {
	for _, spec := range s.syntax.Imports {
		if p, _ := strconv.Unquote(spec.Path.Value); p == pkg {
			if spec.Name != nil {
				return spec.Name.Name
			}
			return path.Base(pkg)
		}
	}
	return ""
}

// tree reads the module's sources once for all tests.
var tree = sync.OnceValues(func() ([]*source, error) { return readTree(os.DirFS(filepath.Join("..", ".."))) })

func ours(t *testing.T) []*source {
	t.Helper()
	files, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 10 {
		t.Fatalf("read %d files: this is not the module's root", len(files))
	}
	return files
}

func readTree(root fs.FS) ([]*source, error) {
	var files []*source
	err := fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if p != "." && skipped(d.Name()) {
				return fs.SkipDir
			}
		case strings.HasSuffix(p, ".go"):
			text, err := fs.ReadFile(root, p)
			if err != nil {
				return err
			}
			f, err := parse(p, text)
			if err != nil {
				return err
			}
			if !ast.IsGenerated(f.syntax) {
				files = append(files, f)
			}
		}
		return nil
	})
	slices.SortFunc(files, func(a, b *source) int { return cmp.Compare(a.path, b.path) })
	return files, err
}

// skipped names the directories that hold no sources of ours.
func skipped(dir string) bool {
	return strings.HasPrefix(dir, ".") || strings.HasPrefix(dir, "_") ||
		slices.Contains([]string{"node_modules", "testdata", "bin", "data", "dist", "out"}, dir)
}

func parse(p string, text []byte) (*source, error) {
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, p, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &source{
		path:   p,
		pkg:    short(path.Dir(p)),
		test:   strings.HasSuffix(p, "_test.go"),
		lines:  bytes.Count(text, []byte("\n")),
		syntax: syntax,
		fset:   fset,
	}, nil
}

// short is a package's path as the tables have it.
func short(p string) string {
	return strings.TrimPrefix(strings.TrimPrefix(p, module+"/"), "internal/")
}

// code are the files that are not tests.
func code(files []*source) []*source {
	return slices.DeleteFunc(slices.Clone(files), func(f *source) bool { return f.test })
}

// finding is one breach of a rule.
type finding struct {
	at   string // what an exception names: a file, a type, an import
	text string
}

// report fails the test for every finding that is not excepted, and for every exception without a finding.
func report(t *testing.T, rule string, found []finding) {
	t.Helper()
	for _, line := range judge(rule, found, exceptions) {
		t.Error(line)
	}
}

func judge(rule string, found []finding, except []exception) []string {
	var lines []string
	used := map[string]bool{}
	for _, f := range found {
		i := slices.IndexFunc(except, func(e exception) bool { return e.rule == rule && e.at == f.at })
		if i < 0 {
			lines = append(lines, f.at+": "+f.text)
			continue
		}
		used[f.at] = true
		if except[i].reason == "" {
			lines = append(lines, f.at+": its exception gives no reason")
		}
	}
	for _, e := range except {
		if e.rule == rule && !used[e.at] {
			lines = append(lines, e.at+": the exception from rule "+rule+" is no longer needed; remove it")
		}
	}
	return lines
}
