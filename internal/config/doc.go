// Package config turns flags, DIR/.env and the environment into one [Config].
//
// Every setting is one row of the table in settings.go: name, type, default, doc, live or restart, secret. Loading,
// validation, flags and the reference page docs/reference/configuration.md all read that table; a new setting is a row
// and a field. Names are OpenVidu's where OpenVidu has one.
//
// What OpenVidu calls by a name that changes nothing here stands in planned.go, with the reason. change.go takes new values
// into .env and says what can be in force at once; history.go keeps each version of .env; import.go reads the .env of an
// OpenVidu 2 deployment.
//
// It imports fault only, and only app and cmd import it: other packages have a Config of their own, which app
// fills. Start at settings.go, then load.go.
package config
