package openvidu

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// wrongValue is JSON that does not suit a field.
func wrongValue(f RESTField) string {
	switch {
	case len(f.Enum) > 0:
		return `"none of them"`
	case f.Type == "string":
		return `true`
	case f.Type == "array":
		return `"x"`
	case f.Type == "":
		return `7`
	default:
		return `"yes"`
	}
}

// TestRESTFieldsAreRead: a field of the tables that holds what does not suit it is refused under its name, and null is the
// same as absent.
func TestRESTFieldsAreRead(t *testing.T) {
	for _, body := range []struct {
		RESTBody
		given string
		parse func([]byte) error
	}{
		{RESTSessionBody, ``, func(b []byte) error { _, err := ParseRESTSession(b); return err }},
		{RESTConnectionBody, ``, func(b []byte) error { _, err := ParseRESTConnection(b); return err }},
		{RESTConnectionUpdateBody, ``, func(b []byte) error { _, err := ParseRESTConnectionUpdate(b); return err }},
		{RESTTokenBody, `"session":"s"`, func(b []byte) error { _, err := ParseRESTToken(b); return err }},
		{RESTSignalBody, `"session":"s"`, func(b []byte) error { _, err := ParseRESTSignal(b); return err }},
	} {
		var try func(fields []RESTField, path, before, after string)
		try = func(fields []RESTField, path, before, after string) {
			for _, f := range fields {
				name := path + f.Name
				given := before
				switch {
				case strings.Contains("rtspUri adaptativeBitrate onlyPlayWithSubscribers networkCache", f.Name):
					given += `"type":"IPCAM",`
					if f.Name != "rtspUri" {
						given += `"rtspUri":"rtsp://a",`
					}
				case f.Name == "ignoreFailedStreams":
					given += `"outputMode":"INDIVIDUAL",`
				case path == "customIceServers[0]." && f.Name != "url":
					given += `"url":"turn:a",`
				case f.Name == "session" || body.given == "" || strings.HasSuffix(given, ","):
				default:
					given += body.given + ","
				}
				text := fmt.Sprintf("%s%q:%s%s", given, f.Name, wrongValue(f), after)
				wrong, ok := errors.AsType[*RESTFieldError](body.parse([]byte(text)))
				if !ok || wrong.Field != name {
					t.Errorf("%s %s: %v", body.Name, text, wrong)
				}
				if f.Default != "" && (path == "" || strings.HasPrefix(path, "defaultRec")) && !strings.HasPrefix(f.Name, "rtsp") {
					if err := body.parse(fmt.Appendf(nil, "%s%q:null%s", given, f.Name, after)); err != nil {
						t.Errorf("%s %s=null: %v", body.Name, name, err)
					}
				}
				if f.Type == "object" {
					try(f.Fields, name+".", fmt.Sprintf("%s%q:{", given, f.Name), "}"+after)
				} else if f.Fields != nil {
					try(f.Fields, name+"[0].", fmt.Sprintf("%s%q:[{", given, f.Name), "}]"+after)
				}
			}
		}
		try(body.Fields, "", "{", "}")
	}
}

// TestRESTEnums: every value of a table is read.
func TestRESTEnums(t *testing.T) {
	for _, f := range append(RESTSessionBody.Fields, restRecordingFields...) {
		for _, value := range f.Enum {
			body := fmt.Sprintf("{%q:%q}", f.Name, value)
			if f.Name == "outputMode" || f.Name == "recordingLayout" {
				body = `{"defaultRecordingProperties":` + body + `}`
			}
			if _, err := ParseRESTSession([]byte(body)); err != nil {
				t.Errorf("%s: %v", body, err)
			}
		}
	}
}

// TestRESTOldSessions: what back ends up to 2.17 ask for.
func TestRESTOldSessions(t *testing.T) {
	for name, c := range map[string]struct {
		body          string
		old           bool
		mode          string
		output        string
		layout, asked string
	}{
		"1.7":             {`{"archiveLayout":"BEST_FIT","archiveMode":"ALWAYS","mediaMode":"ROUTED"}`, true, "ALWAYS", "COMPOSED", "BEST_FIT", ""},
		"1.9":             {`{"recordingLayout":"BEST_FIT","recordingMode":"MANUAL","mediaMode":"ROUTED"}`, true, "MANUAL", "COMPOSED", "BEST_FIT", ""},
		"2.4":             {`{"mediaMode":"ROUTED","recordingMode":"MANUAL","defaultRecordingLayout":"CUSTOM","defaultCustomLayout":"mine","customSessionId":""}`, false, "MANUAL", "COMPOSED", "CUSTOM", "mine"},
		"2.17":            {`{"defaultOutputMode":"INDIVIDUAL","defaultRecordingLayout":"BEST_FIT","customSessionId":"a"}`, false, "MANUAL", "INDIVIDUAL", "", ""},
		"2.18 wins":       {`{"defaultOutputMode":"INDIVIDUAL","defaultRecordingProperties":{}}`, false, "MANUAL", "COMPOSED", "BEST_FIT", ""},
		"nothing":         {``, false, "MANUAL", "COMPOSED", "BEST_FIT", ""},
		"neither of them": {`{"recordingLayout":"BEST_FIT","customSessionId":"x"}`, false, "MANUAL", "COMPOSED", "BEST_FIT", ""},
	} {
		r, err := ParseRESTSession([]byte(c.body))
		old := r.Recording.Old()
		if err != nil || r.Old != c.old || r.RecordingMode != c.mode || old.OutputMode != c.output || old.Layout != c.layout || old.CustomLayout != c.asked {
			t.Errorf("%s: %+v %+v, %v", name, r, old, err)
		}
	}
	if token, err := ParseRESTToken([]byte(`{"session":"wss://call.example:4443/ses_A"}`)); err != nil || token.Session != "ses_A" {
		t.Errorf("token of a session's URL: %+v, %v", token, err)
	}
}

// TestRESTMediaNodes: a media node is named by {id}, in recording properties by a string as well.
func TestRESTMediaNodes(t *testing.T) {
	for body, want := range map[string]string{
		`{"mediaNode":{"id":"media_A"},"defaultRecordingProperties":{"mediaNode":"media_B"}}`: "media_A media_B",
		`{"defaultRecordingProperties":{"mediaNode":{"id":"media_B"}}}`:                       " media_B",
	} {
		r, err := ParseRESTSession([]byte(body))
		if got := r.MediaNode + " " + r.Recording.MediaNode; err != nil || got != want {
			t.Errorf("%s: %q, %v", body, got, err)
		}
	}
	for body, field := range map[string]string{
		`{"defaultRecordingProperties":{"mediaNode":{}}}`: "defaultRecordingProperties.mediaNode.id",
		`{"defaultRecordingProperties":{"mediaNode":7}}`:  "defaultRecordingProperties.mediaNode",
	} {
		_, err := ParseRESTSession([]byte(body))
		if wrong, ok := errors.AsType[*RESTFieldError](err); !ok || wrong.Field != field {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestRESTSettings(t *testing.T) {
	got, err := ParseRESTSettings([]byte(`{"A":"x","B":1234567,"C":true,"D":null,"E":["a","b"]}`))
	if text := fmt.Sprintf("%v %T", got, got["B"]); err != nil || text != "map[A:x B:1234567 C:true E:[a b]] json.Number" {
		t.Errorf("%s, %v", text, err)
	}
	if got, err := ParseRESTSettings(nil); err != nil || len(got) != 0 {
		t.Errorf("without body: %v, %v", got, err)
	}
	if _, err := ParseRESTSettings([]byte(`[]`)); err == nil {
		t.Error("an array was taken")
	}
}

// TestRESTCameras: an IP camera needs a URL, whose password is not told back.
func TestRESTCameras(t *testing.T) {
	for body, ok := range map[string]bool{
		`{"type":"IPCAM","rtspUri":"rtsp://u:secret@h/a"}`:     true,
		`{"type":"IPCAM","rtspUri":"file:///a"}`:               true,
		`{"type":"IPCAM"}`:                                     false,
		`{"type":"IPCAM","rtspUri":"ftp://u:secret@h/a"}`:      false,
		`{"type":"IPCAM","rtspUri":"rtsp:"}`:                   false,
		`{"type":"IPCAM","rtspUri":"h264","networkCache":"1"}`: false,
	} {
		_, err := ParseRESTConnection([]byte(body))
		if (err == nil) != ok || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", body, err)
		}
	}
}
