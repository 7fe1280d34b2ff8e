package session

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"regexp"
	"strings"
)

// Connection ids that are names (spec §8.1, §8.2).
const (
	recorderID     = "RECORDER"
	speechToTextID = "SPEECH_TO_TEXT"
)

const (
	letters      = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	alphanumeric = letters + "abcdefghijklmnopqrstuvwxyz0123456789"
)

// RandomID returns prefix, an upper-case letter and n-1 letters or digits (spec §1.1), drawn without bias.
func RandomID(prefix string, n int) string {
	id := []byte(prefix)
	var draw [1]byte
	for set := letters; n > 0; {
		rand.Read(draw[:]) // never fails
		if limit := 256 / len(set) * len(set); int(draw[0]) < limit {
			id = append(id, set[int(draw[0])%len(set)])
			n--
			set = alphanumeric
		}
	}
	return string(id)
}

var rpcEncoding = base32.HexEncoding.WithPadding(base32.NoPadding)

// NewRPC returns an RPC session id: 26 lower-case base-32 characters, the node's key first (6 at most, so that at
// least 100 bits are random).
func NewRPC(node string) string {
	var random [16]byte
	rand.Read(random[:]) // never fails
	id := node[:min(len(node), 6)] + strings.ToLower(rpcEncoding.EncodeToString(random[:]))
	return id[:26]
}

var notInID = regexp.MustCompile(`[^A-Za-z0-9_]`)

// connectionID returns the id the server data asks for (rest §2), or a new one.
func (t *turn) connectionID(serverData string) string {
	if id := customConnectionID(serverData); id != "" && t.find(id) == nil {
		return id
	}
	for {
		if id := t.env.NewID("con_", 10); t.find(id) == nil {
			return id
		}
	}
}

const maxCustomID = 128

// customConnectionID returns "con_" and the value of openviduCustomConnectionId in JSON server data, "" if absent.
func customConnectionID(serverData string) string {
	const key = "openviduCustomConnectionId"
	var object map[string]json.RawMessage
	if !strings.Contains(serverData, key) || json.Unmarshal([]byte(serverData), &object) != nil {
		return ""
	}
	var value string
	if json.Unmarshal(object[key], &value) != nil {
		return ""
	}
	value = notInID.ReplaceAllString(value, "")
	for strings.Contains(value, "con_") { // once is not enough for cocon_n_, and endpoint names are told apart by it
		value = strings.ReplaceAll(value, "con_", "")
	}
	if value == "" || len(value) > maxCustomID {
		return ""
	}
	return "con_" + value
}

// streamID names a new stream of a connection: str_, the kind of video, four random characters, the connection.
func (t *turn) streamID(owner string, m StreamMedia) string {
	kind := "CAM"
	switch {
	case !m.HasVideo:
		kind = "MIC"
	case m.TypeOfVideo == "SCREEN", m.TypeOfVideo == "CUSTOM":
		kind = m.TypeOfVideo[:3]
	}
	return t.env.NewID("str_"+kind+"_", 4) + "_" + owner
}
