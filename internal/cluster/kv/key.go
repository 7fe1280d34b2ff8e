package kv

import (
	"encoding/hex"
	"strings"

	"tertulia/internal/fault"
)

// maxID is the longest id in bytes; NATS wants a subject, escapes included, well below its 4 KiB control line.
const maxID = 512

// keyOf checks what is to be written and returns its key.
func keyOf(id string, record []byte) (string, error) {
	switch {
	case id == "" || len(id) > maxID:
		return "", fault.New(fault.Invalid, "id %.40q has %d bytes; use 1 to %d", id, len(id), maxID)
	case len(record) > MaxRecord:
		return "", fault.New(fault.TooLarge, "the record of %q has %d bytes; the limit is %d", id, len(record), MaxRecord)
	}
	return encode(id), nil
}

// encode makes a key of an id: letters, digits, "_" and "-" stand for themselves, any other byte becomes "=" and two
// hex digits. "=" is allowed in keys and not in ids, so no two ids share a key.
func encode(id string) string {
	var key strings.Builder
	for i := range len(id) {
		if c := id[i]; plain(c) {
			key.WriteByte(c)
		} else {
			key.WriteByte('=')
			key.WriteString(hex.EncodeToString([]byte{c}))
		}
	}
	return key.String()
}

// decode undoes encode; ok is false for what encode never returns.
func decode(key string) (id string, ok bool) {
	var out []byte
	for i := 0; i < len(key); i++ {
		c := key[i]
		if c == '=' {
			if i+3 > len(key) {
				return "", false
			}
			raw, err := hex.DecodeString(key[i+1 : i+3])
			if err != nil {
				return "", false
			}
			c, i = raw[0], i+2
		}
		out = append(out, c)
	}
	id = string(out)
	return id, encode(id) == key
}

func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}
