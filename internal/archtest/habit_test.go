package archtest

import (
	"go/ast"
	"go/token"
	"iter"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEveryPackageIsDocumentedOnce(t *testing.T) { report(t, "package doc", strayDocs(ours(t))) }

// strayDocs wants one package comment, in doc.go; a command may have it in main.go, web in embed.go.
func strayDocs(files []*source) []finding {
	docs := map[string][]string{}
	for _, f := range code(files) {
		if docs[f.pkg] == nil {
			docs[f.pkg] = []string{}
		}
		if f.syntax.Doc.Text() != "" {
			docs[f.pkg] = append(docs[f.pkg], f.name())
		}
	}
	var found []finding
	for pkg, names := range docs {
		right := len(names) == 1 && (names[0] == "doc.go" ||
			names[0] == "main.go" && strings.HasPrefix(pkg, "cmd/") || names[0] == "embed.go" && pkg == "web")
		if !right {
			found = append(found, finding{pkg, "package comment wanted in doc.go and nowhere else; found in: " + strings.Join(names, ", ")})
		}
	}
	return found
}

var emptyNames = []string{"Manager", "Handler", "Service", "Helper", "Util", "Utils", "Impl", "Base", "Info", "Data", "Params"}

func TestTypeNamesSaySomething(t *testing.T) { report(t, "names", emptyTypeNames(ours(t))) }

func emptyTypeNames(files []*source) []finding {
	var found []finding
	for _, f := range files {
		for spec := range types(f) {
			name := spec.Name.Name
			for _, end := range emptyNames {
				if strings.HasSuffix(name, end) || name == strings.ToLower(end) {
					found = append(found, finding{f.pkg + "." + name, "a type does not end in " + end + "; say what it is"})
				}
			}
		}
	}
	return found
}

func TestTestsDoNotSleep(t *testing.T) { report(t, "sleep", sleepers(ours(t))) }

// sleepers finds time.Sleep in tests, except where it is fake time: in files that import testing/synctest, and in what
// is given to a function of the package that opens a bubble.
func sleepers(files []*source) []finding {
	opens := bubbleOpeners(files)
	var found []finding
	for _, f := range files {
		clock := f.importName("time")
		if !f.test || clock == "" || f.importName("testing/synctest") != "" {
			continue
		}
		inspect(f.syntax, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if id, ok := call.Fun.(*ast.Ident); ok && opens[f.pkg+"."+id.Name] {
					return false
				}
			}
			if calls(n, clock, "Sleep") {
				found = append(found, finding{f.at(n), "a test waits for an event, or runs in a synctest bubble; it does not sleep"})
			}
			return true
		})
	}
	return found
}

// bubbleOpeners are the test helpers ("package.name") that call synctest.Test.
func bubbleOpeners(files []*source) map[string]bool {
	opens := map[string]bool{}
	for _, f := range files {
		bubbles := f.importName("testing/synctest")
		if !f.test || bubbles == "" {
			continue
		}
		for _, d := range f.syntax.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil {
				continue
			}
			inspect(fn, func(n ast.Node) bool {
				if calls(n, bubbles, "Test") {
					opens[f.pkg+"."+fn.Name.Name] = true
				}
				return true
			})
		}
	}
	return opens
}

func TestTestsAreNotSkipped(t *testing.T) { report(t, "skip", skippers(ours(t))) }

func skippers(files []*source) []finding {
	var found []finding
	for _, f := range files {
		if !f.test {
			continue
		}
		inspect(f.syntax, func(n ast.Node) bool {
			for _, method := range []string{"Skip", "Skipf", "SkipNow"} {
				for _, subject := range []string{"t", "b", "f"} {
					if calls(n, subject, method) {
						found = append(found, finding{f.at(n), "a skipped test is an absent test"})
					}
				}
			}
			return true
		})
	}
	return found
}

func TestGoroutinesAreWaitedFor(t *testing.T) { report(t, "goroutines", orphans(code(ours(t)))) }

// orphans finds files with a go statement and no wait: no WaitGroup or errgroup, no call of Wait, no receive from a
// channel that says it is done. A heuristic; it makes the reader of a go statement find its end in the same file.
func orphans(files []*source) []finding {
	var found []finding
	for _, f := range files {
		var starts []string
		waits := false
		inspect(f.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				starts = append(starts, f.at(n))
			case *ast.Ident:
				waits = waits || slices.Contains([]string{"WaitGroup", "errgroup", "Wait"}, n.Name)
			case *ast.UnaryExpr:
				waits = waits || n.Op == token.ARROW && saysDone(n.X)
			}
			return true
		})
		if len(starts) > 0 && !waits {
			found = append(found, finding{f.path, "starts goroutines (" + strings.Join(starts, ", ") + ") and waits for none"})
		}
	}
	return found
}

var doneNames = regexp.MustCompile(`(?i)(done|stopped|ended|exited|finished|closed|errs?|result)$`)

// saysDone reports whether a channel expression is named like the end of something; ctx.Done() is not.
func saysDone(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return doneNames.MatchString(e.Name)
	case *ast.SelectorExpr:
		return doneNames.MatchString(e.Sel.Name)
	}
	return false
}

// types yields the type declarations of a file, those inside functions too.
func types(f *source) iter.Seq[*ast.TypeSpec] {
	return func(yield func(*ast.TypeSpec) bool) {
		more := true
		inspect(f.syntax, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && more {
				more = yield(spec)
			}
			return more
		})
	}
}

// inspect walks a tree; f is not called with nil.
func inspect(n ast.Node, f func(ast.Node) bool) {
	ast.Inspect(n, func(n ast.Node) bool { return n != nil && f(n) })
}

// calls reports whether a node is a call of name on the identifier x.
func calls(n ast.Node, x, name string) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && id.Name == x
}
