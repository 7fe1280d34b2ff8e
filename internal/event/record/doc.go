// Package record says what OpenVidu tells of what happened: a typed event becomes an event of webhooks, CDR files and
// GET /events, or nothing.
//
// It owns the translation alone and remembers nothing; the shapes are wire/openvidu's, sending is the sinks'. What was told
// it can read back, to find what has no end because a process was killed ([Unended]). It imports event and wire/openvidu.
// Start at [Of].
package record
