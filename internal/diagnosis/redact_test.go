package diagnosis

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSecretsDoNotGetIn(t *testing.T) {
	const secret = "S3cretS3cretS3cret"
	for name, line := range map[string]string{
		"token":                "joining with tok_" + secret,
		"token in a URL":       "wss://h?sessionId=s&token=" + secret + "&role=X",
		"secret in a URL":      "wss://h/s?secret=" + secret,
		"ICE password":         "v=0\r\na=ice-ufrag:abcd\r\na=ice-pwd:" + secret + "\r\na=mid:0",
		"ICE password in JSON": `{"0":"Local description set","1":"v=0\r\na=ice-pwd:` + secret + `\r\na=mid:0"}`,
		"the SDK's TURN line":  "TURN credentials [user:" + secret + "]",
		"TURN credential":      `{"urls":"turn:h","username":"1700:u","credential":"` + secret + `"}`,
		"escaped credential":   `{\"credential\":\"` + secret + `\"}`,
		"TURN username":        `turnUsername: ` + secret,
		"Basic":                "Authorization: Basic " + secret,
		"Bearer":               "Authorization: Bearer " + secret,
		"SDES":                 "a=crypto:1 AES inline:" + secret,
		"password":             "password=" + secret,
		"in capitals":          "SECRET: " + secret,
	} {
		got := clean(line, 1000)
		if strings.Contains(got, "S3cret") || !strings.Contains(got, "…") {
			t.Errorf("%s: %q", name, got)
		}
	}
	// What stands beside a secret stays.
	if got := clean("a=ice-ufrag:abcd\r\na=ice-pwd:xyz\r\na=mid:0", 1000); got != "a=ice-ufrag:abcd\r\na=ice-pwd:…\r\na=mid:0" {
		t.Errorf("%q", got)
	}
	if line := "IceConnectionState of RTCPeerConnection 1 change to connected"; clean(line, 1000) != line {
		t.Errorf("%q was changed", clean(line, 1000))
	}
}

func TestNothingInvisibleGetsIn(t *testing.T) {
	if got, want := clean("a\x1b[2Jb\x00\u202ec\u0085d\te\r\n", 1000), "a?[2Jb??c?d\te\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSecretFieldsOfStatistics(t *testing.T) {
	got := bounded(map[string]any{"ice": map[string]any{"turnCredential": "S3cret", "icePwd": "S3cret", "kind": "relay", "tokens": 3.0}})
	ice, _ := got["ice"].(map[string]any)
	if ice["turnCredential"] != "…" || ice["icePwd"] != "…" || ice["kind"] != "relay" || ice["tokens"] != 3.0 {
		t.Errorf("kept %v", got)
	}
}

// A secret is not kept because the cut goes through it.
func TestALongLineIsCutAfterItIsCleaned(t *testing.T) {
	line := strings.Repeat("x", 980) + " tok_" + strings.Repeat("A", 400)
	if got := clean(line, 1000); strings.Contains(got, "tok_A") || len(got) > 1000 {
		t.Errorf("%q", got[970:])
	}
}

func FuzzClean(f *testing.F) {
	f.Add("tok_abc \xff…", 20)
	f.Add(strings.Repeat("é", 50), 7)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = 4 + abs64(limit)%2000
		got := clean(text, limit)
		if len(got) > limit || !utf8.ValidString(got) {
			t.Errorf("clean(%q, %d) is %q", text, limit, got)
		}
	})
}

func abs64(n int) int {
	if n < 0 {
		return -(n + 1)
	}
	return n
}
