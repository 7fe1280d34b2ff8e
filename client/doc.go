// Package client speaks the REST API of Tertulia, and of OpenVidu 2: sessions, connections, signals and events, for the
// server side of an application in Go.
//
//	ov, err := client.New("https://calls.example.com", os.Getenv("OPENVIDU_SECRET"))
//	session, err := ov.CreateSession(ctx, client.SessionOptions{CustomSessionID: "lesson-7"})
//	connection, err := ov.CreateConnection(ctx, session.ID, client.ConnectionOptions{Role: client.Publisher})
//	// connection.Token goes to the browser: session.connect(token)
//
// Every call takes a context and asks the server; nothing is cached, so what is returned is what the server says now.
// An answer that is no success is an [*Error]; [ErrNotFound] and its like tell the common ones apart with errors.Is.
// What happens in sessions is read by [Client.Events] and [Client.Follow], or pushed to a [Webhook].
//
// It imports nothing of this module, so that it can be taken out alone. Start reading in client.go.
package client
