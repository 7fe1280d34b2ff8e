package doctor

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestSecretsGo(t *testing.T) {
	r := newRedactor([]string{"Sesame_open-9", "abc", ""}, nil, false)
	basic := base64.StdEncoding.EncodeToString([]byte("OPENVIDUAPP:Sesame_open-9"))
	for text, secret := range map[string]string{
		`level=info secret Sesame_open-9 used`:                                     "Sesame_open-9",
		`https://OPENVIDUAPP:Sesame_open-9@host/`:                                  "Sesame_open-9",
		`the short one abc, and not abcd`:                                          " abc,",
		`header ` + basic:                                                          basic,
		`Authorization: Basic dXNlcjpwYXNz`:                                        "dXNlcjpwYXNz",
		`authorization: Bearer eyJh.bGci.x_y`:                                      "eyJh",
		`wss://host?sessionId=S&token=tok_AbCd1234&role=PUBLISHER`:                 "tok_AbCd",
		`"text":"joined with tok_AbCd1234"`:                                        "tok_AbCd",
		`{"token":"xyz1","credential":"pq rs","a":1}`:                              "pq rs",
		`{"token":"x\"yz1"}`:                                                       "yz1",
		`{"text":"{\"token\":\"a\\\"pqrs9\"}"}`:                                    "pqrs9",
		`{"text":"{\"turnCredential\":\"pqrs\"}"}`:                                 "pqrs",
		`a=ice-ufrag:Uf12` + "\r\n" + `a=ice-pwd:Pw1234567890`:                     "Pw1234567890",
		`{"sdp":"a=ice-pwd:Pw12345\r\na=setup:active"}`:                            "Pw12345",
		`candidate:1 1 udp 1 10.0.0.1 5 typ host ufrag Uf12 generation 0`:          "Uf12",
		`username 1795252213:4f3a9c01 of the relay`:                                "1795252213:4f3a9c01",
		`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abcDEF123+/==`:                  "abcDEF123",
		"x\n-----BEGIN PRIVATE KEY-----\nMIGH\nAg==\n-----END PRIVATE KEY-----\ny": "MIGH",
		"-----BEGIN EC PRIVATE KEY-----\nMIGH":                                     "MIGH",
		`password=hunter2 next=1`:                                                  "hunter2",
		`COTURN_SHARED_SECRET_KEY=with space`:                                      "=with",
		`Cookie: id=7`:                                                             "id=7",
	} {
		got := string(r.clean([]byte(text)))
		if strings.Contains(got, secret) || !strings.Contains(got, removed) {
			t.Errorf("%s\nbecame %s", text, got)
		}
		if json.Valid([]byte(text)) && !json.Valid([]byte(got)) {
			t.Errorf("%s\nis no JSON any more: %s", text, got)
		}
	}
}

func TestWhatHelpsStays(t *testing.T) {
	r := newRedactor([]string{"Sesame_open-9", "abc"}, []string{"a.example"}, false)
	for _, text := range []string{
		`{"code":"TURN_SECRET_WRONG","sessionId":"S","token":null,"hasToken":true}`, `abcd a.example 198.51.100.7:4443 [2001:db8::1]:443`,
		`time=2026-11-21T08:12:12.433Z level=INFO msg=joined connection=con_PVt9doAsTo`, `OPENVIDU_SECRET=(hidden)`, `go_goroutines 45`,
		`tertulia_turn_refused_total{reason="unauthorized"} 3`, `DTLS fingerprint AA:BB:CC:DD`,
	} {
		if got := string(r.clean([]byte(text))); got != text {
			t.Errorf("%s\nbecame %s", text, got)
		}
	}
}

func TestAddressesAreShortened(t *testing.T) {
	r := newRedactor(nil, []string{"call.example.com", "box7", ""}, true)
	for text, want := range map[string]string{
		"198.51.100.7:4443":                                     "198.51.x.x:4443",
		"from 2001:db8:1:2::7 to":                               "from 2001:db8:x to",
		"[2001:db8::1]:443":                                     "[2001:db8:x]:443",
		"dial 2001:db8::1: refused":                             "dial 2001:db8:x: refused",
		"2001:0db8:0000:0000:0000:0000:0000:0001":               "2001:db8:x",
		"fe80::1%eth0":                                          "fe80:x%eth0",
		"https://call.example.com/ on box7, box77":              "https://(host)/ on (host), box77",
		"c6d2f4aa-1b2c-4d5e-8f90-123456789abc.local 5 typ host": "(host).local 5 typ host",
		"at 08:12:12.433":                                       "at 08:12:12.433", "listens on [::]:4443": "listens on [::]:4443", "AA:BB:CC:DD:EE:FF": "AA:BB:CC:DD:EE:FF",
	} {
		if got := string(r.clean([]byte(text))); got != want {
			t.Errorf("%s became %s, want %s", text, got, want)
		}
	}
	if got := string(r.clean([]byte("::ffff:198.51.100.7"))); strings.Contains(got, "100.7") {
		t.Errorf("a mapped address became %s", got)
	}
}

// FuzzClean: what is taken out is gone, whatever stands around it.
func FuzzClean(f *testing.F) {
	f.Add("", "")
	f.Add(`{"token":"`, `"}`)
	f.Add("2001:db8::", ":1")
	f.Fuzz(func(t *testing.T, before, after string) {
		if len(before)+len(after) > 1000 {
			return
		}
		r := newRedactor([]string{"Sesame_open-9"}, nil, true)
		got := r.clean([]byte(before + " Sesame_open-9 198.51.100.7 " + after))
		if bytes.Contains(got, []byte("Sesame_open-9")) || bytes.Contains(got, []byte("198.51.100.7")) {
			t.Errorf("%q %q: %q", before, after, got)
		}
	})
}

// TestABundleStaysSmall however much there is, and says what did not fit.
func TestABundleStaysSmall(t *testing.T) {
	b := &bundle{redact: newRedactor(nil, nil, false), at: time.Now()}
	b.gzip = gzip.NewWriter(&b.packed)
	b.tar = tar.NewWriter(b.gzip)
	for range 8 {
		noise := make([]byte, maxPage+1)
		if _, err := rand.Read(noise); err != nil {
			t.Fatal(err)
		}
		b.add("noise", noise, nil)
	}
	b.add("small", []byte("it fits"), nil)
	if err := b.tar.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.gzip.Close(); err != nil {
		t.Fatal(err)
	}
	if b.packed.Len() > maxBundle || b.packed.Len() < maxBundle/2 || len(b.leftOut) != 4 || !strings.Contains(b.leftOut[0], "noise: the archive") {
		t.Errorf("%d bytes, left out %q", b.packed.Len(), b.leftOut)
	}
}
