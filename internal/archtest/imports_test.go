package archtest

import (
	"slices"
	"strings"
	"testing"
)

type floor struct {
	pkg   string
	may   []string
	never []string // taken from may
}

type home struct {
	prefix string
	pkgs   []string
}

func TestImportsFollowTheFloors(t *testing.T) { report(t, "floors", strayImports(ours(t))) }

func strayImports(files []*source) []finding {
	var found []finding
	for _, f := range code(files) {
		i := slices.IndexFunc(floors, func(r floor) bool { return matches(r.pkg, f.pkg) })
		if i < 0 {
			found = append(found, finding{f.path, "package " + f.pkg + " has no row in floors_test.go; give it one"})
			continue
		}
		for _, imported := range f.imports() {
			to, own := strings.CutPrefix(imported, module+"/")
			if to = short(to); !own || to == f.pkg {
				continue
			}
			row := floors[i]
			if !matchesAny(row.may, to) || matchesAny(row.never, to) {
				found = append(found, finding{f.pkg + " → " + to,
					f.path + " may import of ours only " + strings.Join(row.may, ", ") + " (design §3)"})
			}
		}
	}
	return found
}

func TestThirdPartiesHaveOneHome(t *testing.T) { report(t, "homes", strayParties(ours(t))) }

func strayParties(files []*source) []finding {
	var found []finding
	for _, f := range code(files) {
		for _, imported := range f.imports() {
			if host, _, _ := strings.Cut(imported, "/"); !strings.Contains(host, ".") {
				continue // the standard library, or ours
			}
			best := home{}
			for _, h := range homes {
				if strings.HasPrefix(imported, h.prefix) && len(h.prefix) > len(best.prefix) {
					best = h
				}
			}
			switch {
			case best.prefix == "":
				found = append(found, finding{f.pkg + " → " + imported, "no home in floors_test.go; give it one"})
			case !matchesAny(best.pkgs, f.pkg):
				found = append(found, finding{f.pkg + " → " + imported,
					best.prefix + " lives in " + strings.Join(best.pkgs, ", ") + " only"})
			}
		}
	}
	return found
}

func matchesAny(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, pkg) })
}

// matches reports whether a pattern of the tables names a package.
func matches(pattern, pkg string) bool {
	if pattern == everything || pattern == pkg {
		return true
	}
	stem, star := strings.CutSuffix(pattern, "/*")
	rest, below := strings.CutPrefix(pkg, stem+"/")
	return star && below && !strings.Contains(rest, "/")
}
