package openvidu

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseLog(t *testing.T) {
	got, err := ParseLog([]byte(`{"r":"","lg":[
		{"l":3000,"m":"{\"0\":\"Subscribed correctly to\",\"1\":\"con_1\",\"2\":{\"a\":[1]}}","n":"","t":1700000000000,"u":1},
		{"l":4000,"m":"{\"0\":\"cut off...","n":"","t":1700000000001},
		{"l":5000,"m":"plain","t":1.7e12},
		{"l":6000,"m":{"error":"an object"},"t":-1},
		{"l":1000,"m":null},
		{"m":"{\"name\":\"no arguments\"}","t":1e300}]}`))
	want := []LogLine{
		{1700000000000, "INFO", `Subscribed correctly to con_1 {"a":[1]}`},
		{1700000000001, "WARN", `{"0":"cut off...`},
		{1700000000000, "ERROR", "plain"},
		{0, "FATAL", `{"error":"an object"}`},
		{0, "TRACE", ""},
		{0, "TRACE", `{"name":"no arguments"}`},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v\nwant %+v", got, err, want)
	}
}

func TestLogLimits(t *testing.T) {
	lines := strings.Repeat(`{"l":3000,"m":"old","t":1},`, 50) + strings.Repeat(`{"l":3000,"m":"new","t":2},`, MaxLogLines)
	got, err := ParseLog([]byte(`{"lg":[` + strings.TrimSuffix(lines, ",") + `]}`))
	if err != nil || len(got) != MaxLogLines || got[0].Text != "new" {
		t.Errorf("%d lines, the first %+v, %v", len(got), got[0], err)
	}
	got, err = ParseLog([]byte(`{"lg":[{"l":3000,"m":"x` + strings.Repeat("é", MaxLogText) + `"}]}`))
	if err != nil || len(got[0].Text) != MaxLogText-1 || !utf8.ValidString(got[0].Text) {
		t.Errorf("a text of %d bytes, %v", len(got[0].Text), err)
	}
	for _, bad := range []string{"", "[]", `{"lg":{}}`, `{"lg":[1]}`, "wss"} {
		if lines, err := ParseLog([]byte(bad)); err == nil {
			t.Errorf("%q is read as %+v", bad, lines)
		}
	}
}

func FuzzParseLog(f *testing.F) {
	f.Add([]byte(`{"lg":[{"l":3000,"m":"{\"0\":\"a\"}","t":1}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		lines, _ := ParseLog(body)
		for _, l := range lines {
			if len(l.Text) > MaxLogText || !utf8.ValidString(l.Text) || l.At < 0 {
				t.Fatalf("%+v", l)
			}
		}
	})
}
