package main

import (
	"path/filepath"
	"slices"
	"testing"

	"tertulia/internal/config"
)

func TestENT_21a__DemoIsARoute(t *testing.T) {
	dir := t.TempDir()
	route := `--extra-routes=["/=` + dir + `"]`
	for _, args := range [][]string{{"--demo", dir}, {"--demo=" + dir}, {"-demo", dir}} {
		got, err := withDemo(append([]string{"--https-port=1"}, append(args, "--data=x")...))
		if want := []string{"--https-port=1", route, "--data=x"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%q is %q, %v", args, got, err)
		}
	}
	for _, args := range [][]string{{"--demo"}, {"--demo="}, {"--demo", filepath.Join(dir, "none")}} {
		if _, err := withDemo(args); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
	got, err := withDemo([]string{"--data=" + t.TempDir(), "--demo", dir})
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(got, nil)
	if want := []config.Route{{Path: "/", Target: dir}}; err != nil || !slices.Equal(c.Edge.Routes, want) {
		t.Errorf("the setting is %v, %v", c.Edge.Routes, err)
	}
}
