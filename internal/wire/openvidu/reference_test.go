package openvidu

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestReferencePageIsCurrent compares docs/reference/signalling.md with the tables.
func TestReferencePageIsCurrent(t *testing.T) {
	page := filepath.Join("..", "..", "..", "docs", "reference", "signalling.md")
	now := referenceHead + referenceMethods() + referenceNotifications() + referenceCodes()
	if *update {
		if err := os.WriteFile(page, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(page)
	if err != nil || string(committed) != now {
		t.Errorf("docs/reference/signalling.md is stale (%v): go test ./internal/wire/openvidu -run Reference -update", err)
	}
}

const referenceHead = `# Signalling

<!-- Generated from internal/wire/openvidu by: go test ./internal/wire/openvidu -run Reference -update -->

What travels over the websocket ` + "`wss://HOST:PORT/openvidu`" + ` between an OpenVidu 2 client and the server: JSON-RPC 2.0, one message per
text frame. Releases 1.7 to 2.32 of ` + "`openvidu-browser`" + ` and the Android client speak it; "since" names the first that does.

    → {"jsonrpc":"2.0","method":"joinRoom","params":{"token":"wss://…","session":"ses_A"},"id":1}
    ← {"id":1,"result":{"id":"con_A","value":[],"sessionId":"4aktv8…"},"jsonrpc":"2.0"}
    ← {"method":"participantJoined","params":{"id":"con_B","createdAt":1700000000000,"metadata":""},"jsonrpc":"2.0"}

- Requests of one client are carried out in order; ` + "`ping` and `connect`" + ` are answered at once.
- Parameters that are not needed may be absent or null; booleans and integers may come as text; unknown ones are ignored. A text
  has at most 4 KiB where nothing else is said.
- Results of a joined client also hold ` + "`sessionId`" + `, the RPC session id; ` + "`ping`" + `'s does not. A client that loses its socket opens
  another within 10 s (30 s after a restart of the server) and says ` + "`connect`" + ` with that id: it gets the notices it missed, in
  order, and nobody else notices. Answers it missed are not repeated, nor notices across a restart.
- A client that comes too late is answered error 40007. From 2.20 on it then asks ` + "`sessionStatus`" + ` and compares ` + "`life`" + ` with what ` + "`joinRoom`" + `
  told it: the same means that it was away too long (its application hears ` + "`networkDisconnect`" + `), another that the server has lost
  its store (` + "`nodeCrashed`" + `).
- A client that knows OPENVIDU_SECRET joins without a token, and makes the session if there is none (1.x without a back end):
  PUBLISHER up to 2.15, SUBSCRIBER since. With JOIN_BY_SECRET=false it is refused with 401, whether or not the secret is right.
- The handshake sets the cookie OVJSESSIONID for 30 minutes; sockets that bring it back have the same ` + "`finalUserId`" + `.
- Up to 2.4 a client does not close its socket when it is evicted: the server does. All others have 10 s to do it themselves.
- Signals of clients up to 2.8 have types without ` + "`signal:`" + `; each client gets them in its own form. Numbers and booleans as data
  become text.
- A socket without pings for three of their intervals, or silent for 60 s, is closed; it may come back as above.
- The server sends one request, ` + "`pull`" + `, with a negative id; the client's library answers ` + "`\"push\"`" + ` and so proves what it got.
- Limits: 1 MiB for a frame; 200 messages a second, 1,000 at once, above which the socket is read more slowly.

`

func referenceMethods() string {
	var b strings.Builder
	b.WriteString("## Requests\n\n")
	for _, m := range Methods {
		fmt.Fprintf(&b, "### `%s`\n\n%s Since %s.", m.Name, m.Doc, m.Since)
		if m.Unjoined {
			b.WriteString(" Needs no `joinRoom`.")
		}
		b.WriteString("\n\n")
		if m.Params != nil {
			b.WriteString("| parameter | type | |\n|---|---|---|\n")
			for f := range Fields(m.Params()) {
				fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Name, fieldType(f), fieldNotes(f))
			}
			b.WriteString("\n")
		}
		if result := shapeOf(reflect.TypeOf(m.Result)); result != "{}" {
			fmt.Fprintf(&b, "Result: `%s`\n\n", result)
		}
	}
	return b.String()
}

func fieldType(f Field) string {
	if (f.Type == "string" || f.Type == "any") && f.Max != maxText {
		return fmt.Sprintf("%s, up to %d KiB", f.Type, f.Max>>10)
	}
	return f.Type
}

func fieldNotes(f Field) string {
	notes := f.Doc
	if f.Must {
		notes += "; **needed**"
	}
	if f.Since != "" {
		notes += "; since " + f.Since
	}
	return notes
}

func referenceNotifications() string {
	var b strings.Builder
	b.WriteString("## Notifications\n\nFor one client they keep the order of what happened, and none comes before the answer to `joinRoom`.\n\n" +
		"| notification | since | | parameters |\n|---|---|---|---|\n")
	for _, n := range Notifications {
		fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` |\n", n.Name, n.Since, n.Doc, shapeOf(reflect.TypeOf(n.Shape)))
	}
	return b.String() + "\n"
}

func referenceCodes() string {
	var b strings.Builder
	b.WriteString("## Errors\n\nAn error is `{code, message}`; the message ends in `. Code: N`, but for 40007, which is `reconnection error` alone.\n\n" +
		"| code | name in OpenVidu | sent when |\n|---|---|---|\n")
	for _, c := range Codes {
		fmt.Fprintf(&b, "| %d | `%s` | %s |\n", c.Code, c.Name, c.Doc)
	}
	return b.String()
}

// shapeOf writes a type as clients see it: {id: string, streams?: [{…}]}; sessionId, which every result has, is left out.
func shapeOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return shapeOf(t.Elem())
	case reflect.Slice:
		return "[" + shapeOf(t.Elem()) + "]"
	case reflect.Struct:
		var fields []string
		for f := range t.Fields() {
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "sessionId" {
				continue
			}
			if options == "omitempty" {
				name += "?"
			}
			fields = append(fields, name+": "+shapeOf(f.Type))
		}
		return "{" + strings.Join(fields, ", ") + "}"
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64:
		return "integer"
	}
	return "string"
}

func TestShapeOf(t *testing.T) {
	for want, v := range map[string]any{
		"{}": Done{}, "{value: string}": Value{}, "{life: integer}": Life{},
		"{id: string, createdAt: integer, metadata: string}":      ParticipantJoined{},
		"{type?: string, data?: string, from?: string}":           SignalMessage{},
		"[{url: string, username?: string, credential?: string}]": []ICEServer{},
	} {
		if got := shapeOf(reflect.TypeOf(v)); got != want {
			t.Errorf("%T: %s, want %s", v, got, want)
		}
	}
}
