package client_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"tertulia/client"
)

// A handler of an application's own server: the page asks it for a token, and joins with that.
func Example() {
	ov, err := client.New("https://calls.example.com", os.Getenv("OPENVIDU_SECRET"))
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		session, err := ov.CreateSession(r.Context(), client.SessionOptions{CustomSessionID: r.FormValue("room")})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		connection, err := ov.CreateConnection(r.Context(), session.ID, client.ConnectionOptions{Data: r.FormValue("name")})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, connection.Token)
	})
}

// A server with a certificate of its own is trusted by that certificate.
func ExampleHTTP() {
	roots := x509.NewCertPool()
	if pem, err := os.ReadFile("certificate.pem"); err == nil {
		roots.AppendCertsFromPEM(pem)
	}
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	ov, err := client.New("https://203.0.113.5:4443", os.Getenv("OPENVIDU_SECRET"), client.HTTP(trusting))
	fmt.Println(ov != nil, err)
	// Output: true <nil>
}

func ExampleClient_UpdateConnection() {
	ov, err := client.New("https://calls.example.com", os.Getenv("OPENVIDU_SECRET"))
	if err != nil {
		log.Fatal(err)
	}
	moderator := client.Moderator
	_, err = ov.UpdateConnection(context.Background(), "lesson-7", "con_Ab12345678", client.Update{Role: &moderator})
	if errors.Is(err, client.ErrNotFound) {
		log.Print("the teacher has left")
	}
}

func ExampleClient_Signal() {
	ov, err := client.New("https://calls.example.com", os.Getenv("OPENVIDU_SECRET"))
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := ov.Signal(ctx, "lesson-7", client.Signal{Type: "bell", Data: "break"}); err != nil {
		log.Print(err)
	}
}

// What an application has done with an event it writes down with the event's number, and goes on from there.
func ExampleClient_Follow() {
	ov, err := client.New("https://calls.example.com", os.Getenv("OPENVIDU_SECRET"))
	if err != nil {
		log.Fatal(err)
	}
	var done uint64 // in the application's database
	for event, err := range ov.Follow(context.Background(), done) {
		if err != nil {
			log.Print(err)
			break
		}
		if event.Name == "participantJoined" {
			log.Print(event.Connection, " is in ", event.Session)
		}
		done = event.Number
		log.Print("done with all up to ", done)
	}
}

func ExampleWebhook() {
	http.Handle("/openvidu-events", client.Webhook(func(_ context.Context, e client.Event) error {
		log.Print(e.Number, e.Name, e.Session)
		return nil
	}))
}
