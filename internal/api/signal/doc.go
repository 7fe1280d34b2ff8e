// Package signal is the websocket that OpenVidu clients speak to: releases 1.7 to 2.32 of openvidu-browser, and the
// Android client.
//
// One socket has one reader, which answers ping and connect at once; one worker, which carries out all other requests in
// order; and, once joined, one pump, which takes answers and notices from the connection's outbox and writes them in
// order. All rules are the session's: this package turns requests into its commands (dispatch.go) and its notices
// into what the client understands (dialect.go, encode.go, release.go). A socket that goes away is not a client that
// leaves: the outbox keeps what was not yet received (receipt.go), and a new socket takes up from there (join.go).
//
// It may import session, wire/openvidu, wire/mediactl, api/jsonrpc and fault; nothing of media. Start at server.go, then socket.go.
package signal
