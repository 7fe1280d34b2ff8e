// Package jsonrpc speaks JSON-RPC 2.0 over a message connection, as the server; it knows no domain.
//
// [Parse] turns one frame into a [Message] within limits. A [Conn] reads frames in order, hands messages to one
// function, and writes through one goroutine behind a bounded queue, so that the order of calls is the order on the
// wire. What differs from the letter of the specification is what Kurento's library expects (its clients are the ones
// served): members are written in the order id, result, jsonrpc; there are no batches.
//
// It imports nothing of ours. Start at message.go, then conn.go.
package jsonrpc
