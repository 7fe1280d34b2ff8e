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

// armored finds PEM blocks. It bears what editors, mail and copying do to them: other text around, indentation, lost or
// doubled line ends, and line ends written as the two characters \n, which pem.Decode does not.
var armored = regexp.MustCompile(`-----BEGIN ([A-Z0-9 ]+)-----([^-]*(?:-[^-]+)*)-----END ([A-Z0-9 ]+)-----`)

// headerLine is one of RFC 1421, such as "DEK-Info: AES-256-CBC,…".
var headerLine = regexp.MustCompile(`^([A-Za-z0-9-]+):\s*(.*)$`)

// blocksOf returns the PEM blocks of a text, and how many were found that are no base64.
func blocksOf(raw []byte) (blocks []*pem.Block, broken int) {
	text := strings.ReplaceAll(plainText(raw), `\n`, "\n")
	for _, found := range armored.FindAllStringSubmatch(text, -1) {
		block := &pem.Block{Type: found[1], Headers: map[string]string{}}
		var body strings.Builder
		for line := range strings.FieldsFuncSeq(found[2], func(r rune) bool { return r == '\n' || r == '\r' }) {
			line = strings.TrimSpace(line)
			if header := headerLine.FindStringSubmatch(line); header != nil {
				block.Headers[header[1]] = header[2]
				continue
			}
			body.WriteString(strings.Join(strings.Fields(line), ""))
		}
		var err error
		block.Bytes, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(body.String(), "="))
		if err != nil || found[1] != found[3] {
			broken++
			continue
		}
		blocks = append(blocks, block)
	}
	return blocks, broken
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
