// Command tertulia is the whole server: REST, signalling, media, TURN and call page on one port.
//
// main.go picks a command, each command is one file. What a node is made of stands in internal/app.
package main
