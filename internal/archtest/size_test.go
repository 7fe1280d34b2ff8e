package archtest

import (
	"fmt"
	"go/ast"
	"slices"
	"testing"
)

// The size budget (style exemplars, last paragraph).
const (
	fileMax    = 600
	fileP90    = 350
	fileMedian = 150

	functionP99    = 100
	functionMedian = 12

	methodsMax   = 20
	interfaceMax = 7
)

func TestFilesAreShort(t *testing.T) {
	report(t, "file size", longFiles(ours(t)))
	var lines []int
	for _, f := range code(ours(t)) {
		lines = append(lines, f.lines)
	}
	within(t, "file lines, median", percentile(lines, 50), fileMedian)
	within(t, "file lines, p90", percentile(lines, 90), fileP90)
}

func longFiles(files []*source) []finding {
	var found []finding
	for _, f := range files {
		if f.lines > fileMax {
			found = append(found, finding{f.path, fmt.Sprintf("%d lines, at most %d; split it by what a reader looks for", f.lines, fileMax)})
		}
	}
	return found
}

func TestFunctionsAreShort(t *testing.T) {
	lines := functionLines(code(ours(t)))
	within(t, "function lines, median", percentile(lines, 50), functionMedian)
	within(t, "function lines, p99", percentile(lines, 99), functionP99)
}

func functionLines(files []*source) []int {
	var lines []int
	for _, f := range files {
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				lines = append(lines, f.span(fn))
			}
		}
	}
	return lines
}

func TestTypesHaveFewMethods(t *testing.T) { report(t, "methods", crowdedTypes(code(ours(t)))) }

func crowdedTypes(files []*source) []finding {
	count := map[string]int{}
	for _, f := range files {
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil {
				count[f.pkg+"."+receiver(fn.Recv.List[0].Type)]++
			}
		}
	}
	var found []finding
	for name, n := range count {
		if n > methodsMax {
			found = append(found, finding{name, fmt.Sprintf("%d methods, at most %d", n, methodsMax)})
		}
	}
	return found
}

// receiver is the name of a receiver's type without pointer and type parameters.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return "?"
}

func TestInterfacesAreSmall(t *testing.T) { report(t, "interfaces", wideInterfaces(code(ours(t)))) }

func wideInterfaces(files []*source) []finding {
	var found []finding
	for _, f := range files {
		for spec := range types(f) {
			face, ok := spec.Type.(*ast.InterfaceType)
			if !ok {
				continue
			}
			methods, others := 0, 0
			for _, m := range face.Methods.List {
				if _, ok := m.Type.(*ast.FuncType); ok {
					methods += len(m.Names)
				} else {
					others++ // an embedded interface or a type set
				}
			}
			if methods > interfaceMax || methods+others == 0 {
				found = append(found, finding{f.pkg + "." + spec.Name.Name,
					fmt.Sprintf("an interface of %d methods; 1 to %d", methods, interfaceMax)})
			}
		}
	}
	return found
}

func TestTestsWeighAsMuchAsCode(t *testing.T) {
	var tests, others int
	for _, f := range ours(t) {
		if f.test {
			tests += f.lines
		} else {
			others += f.lines
		}
	}
	if tests < others {
		t.Errorf("%d lines of tests for %d lines of code: at least as many", tests, others)
	}
}

func within(t *testing.T, what string, got, most int) {
	t.Helper()
	if got > most {
		t.Errorf("%s: %d, at most %d", what, got, most)
	}
}

// percentile is the smallest value that p percent of all do not exceed; 0 of nothing.
func percentile(all []int, p int) int {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}
