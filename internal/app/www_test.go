package app_test

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
)

// A browser that comes by https://www.DOMAIN is shown a certificate for that name before it is sent on, from the moment
// that REDIRECT_WWW is set.
func TestTheCertificateIsForTheNameThatIsSentOn(t *testing.T) {
	node := serve(t, t.TempDir(), "OPENVIDU_SECRET=MY_SECRET\nDOMAIN_OR_PUBLIC_IP=localhost\n")
	address := "127.0.0.1" + node.url[strings.LastIndex(node.url, ":"):]
	named := func(name string) error {
		conn, err := tls.Dial("tcp", address, &tls.Config{ServerName: name, InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].VerifyHostname(name)
	}
	if named("www.localhost") == nil || named("localhost") != nil {
		t.Error("the name is in the certificate already, or the domain is not")
	}
	if status, text := node.restart(map[string]any{"REDIRECT_WWW": true}); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	for _, name := range []string{"localhost", "www.localhost"} {
		if err := named(name); err != nil {
			t.Error(err)
		}
	}
	browser := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{ServerName: "www.localhost", InsecureSkipVerify: true}, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+"/call/tea", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "www.localhost"
	answer, err := browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if to := answer.Header.Get("Location"); !strings.HasPrefix(to, "https://localhost:") || !strings.HasSuffix(to, "/call/tea") {
		t.Errorf("%s, sent to %q", answer.Status, to)
	}
}
