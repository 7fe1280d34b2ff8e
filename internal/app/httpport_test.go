package app

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"tertulia/internal/wire/openvidu"
)

// TestHTTPPortAnswersTheChallenge: the authority's question is answered there, everybody else is sent on.
func TestHTTPPortAnswersTheChallenge(t *testing.T) {
	running, _ := newParts(t.Context())
	told := make(lines, 10)
	challenge := func(next http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/", next)
		mux.HandleFunc("/.well-known/acme-challenge/x", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the key") })
		return mux
	}
	redirectHTTP("0", 4443, challenge, newFiles(1000, func() int { return 0 }), running, slog.New(slog.NewJSONHandler(told, nil)))
	var line struct{ Port int }
	if err := json.Unmarshal([]byte(<-told), &line); err != nil || line.Port == 0 {
		t.Fatalf("the port is not told: %+v, %v", line, err)
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for path, want := range map[string]string{
		"/.well-known/acme-challenge/x": "200 the key",
		"/a?b":                          "301 https://127.0.0.1:4443/a?b",
	} {
		answer, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d%s", line.Port, path))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if where := answer.Header.Get("Location"); where != "" {
			text = []byte(where)
		}
		if got := fmt.Sprintf("%d %s", answer.StatusCode, text); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if err := running.stop(); err != nil {
		t.Error(err)
	}
}

// TestWhatTheStoreKnowsHidesNothing: of an expired certificate the store says more than the live check, which is red.
func TestWhatTheStoreKnowsHidesNothing(t *testing.T) {
	own := openvidu.RESTCheck{Name: "certificate", OK: true, Code: "CERTIFICATE_EXPIRED", Text: "it has expired"}
	for _, live := range []openvidu.RESTCheck{
		{Name: "certificate", OK: true, Text: "good until"},
		{Name: "certificate", Code: "CERTIFICATE_INVALID", Text: "expired", Fix: "Renew it.", Bearable: true},
	} {
		list := explained([]openvidu.RESTCheck{{Name: "udp", OK: true}, live}, own)
		want := live
		want.Code, want.Text = own.Code, own.Text
		if len(list) != 2 || list[1] != want || list[0] != (openvidu.RESTCheck{Name: "udp", OK: true}) {
			t.Errorf("%+v, want %+v", list, want)
		}
	}
	if list := explained([]openvidu.RESTCheck{{Name: "certificate", OK: true, Text: "good until"}}, openvidu.RESTCheck{Name: "certificate", OK: true}); list[0].Text != "good until" {
		t.Errorf("with nothing to say: %+v", list)
	}
}
