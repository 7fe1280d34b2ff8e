package certs

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"regexp"
	"strings"
	"unicode/utf16"
)

// headerLine is one of RFC 1421, such as "DEK-Info: AES-256-CBC,…".
var headerLine = regexp.MustCompile(`^([A-Za-z0-9-]+):\s*(.*)$`)

// blocksOf returns the PEM blocks of a text, and how many were found that are damaged. It bears what editors, mail and
// copying do to them, and pem.Decode does not: other text around, indentation, lost or doubled line ends, and line ends
// written as the two characters \n.
func blocksOf(raw []byte) (blocks []*pem.Block, broken int) {
	text := strings.ReplaceAll(plainText(raw), `\n`, "\n")
	for len(blocks)+broken < mostFound {
		_, rest, more := strings.Cut(text, "-----BEGIN ")
		if !more {
			break
		}
		kind, rest, _ := strings.Cut(rest, "-----")
		body, after, whole := strings.Cut(rest, "-----END "+kind+"-----")
		if !whole {
			broken++
			text = rest
			continue
		}
		block, err := unarmor(kind, body)
		if err != nil {
			broken++
			text = rest
			continue
		}
		blocks, text = append(blocks, block), after
	}
	return blocks, broken
}

func unarmor(kind, text string) (*pem.Block, error) {
	block := &pem.Block{Type: kind, Headers: map[string]string{}}
	var body strings.Builder
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		line = strings.TrimSpace(line)
		if header := headerLine.FindStringSubmatch(line); header != nil {
			block.Headers[header[1]] = header[2]
			continue
		}
		body.WriteString(strings.Join(strings.Fields(line), ""))
	}
	var err error
	block.Bytes, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(body.String(), "="))
	return block, err
}

// plainText takes away a byte order mark; UTF-16, as some Windows editors write it, becomes UTF-8.
func plainText(raw []byte) string {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(raw, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(raw, []byte("\xfe\xff")):
		order = binary.BigEndian
	default:
		return string(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")))
	}
	units := make([]uint16, 0, len(raw)/2)
	for rest := raw[2:]; len(rest) >= 2; rest = rest[2:] {
		units = append(units, order.Uint16(rest))
	}
	return string(utf16.Decode(units))
}
