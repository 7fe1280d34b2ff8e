// Package app is the composition root: a [config.Config] goes in, a running node comes out.
//
// It owns the order of start and stop and the adapters that join packages which must not know each other. Only app
// and cmd import config. Start at [Run].
package app
