package openvidu

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// RESTFieldError says which field of a request body cannot be used, what it holds and what belongs there.
type RESTFieldError struct {
	Field string // "customIceServers[0].url"; "body" for the whole
	Value string // JSON text, shortened; "" if absent or secret
	Want  string
}

func (e *RESTFieldError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("%q: want %s", e.Field, e.Want)
	}
	return fmt.Sprintf("%q is %s: want %s", e.Field, e.Value, e.Want)
}

// restObject reads the fields of one JSON object. Its methods return the fallback for an absent field or null, and
// note the first field that is wrong; the caller asks for that once, at the end.
type restObject struct {
	prefix string // "defaultRecordingProperties."
	fields map[string]json.RawMessage
	first  **RESTFieldError // shared with nested objects
}

// parseRESTBody opens a request body. Without a body, or with null, absent is true and every field is absent.
func parseRESTBody(body []byte) (o *restObject, absent bool) {
	o = &restObject{first: new(*RESTFieldError)}
	body = bytes.TrimSpace(body)
	if len(body) == 0 || string(body) == "null" {
		return o, true
	}
	if err := json.Unmarshal(body, &o.fields); err != nil {
		want := "a JSON object"
		if body[0] == '{' {
			want = fmt.Sprintf("valid JSON (%v)", err)
		}
		*o.first = &RESTFieldError{"body", shorten(body), want}
	}
	return o, false
}

func (o *restObject) err() error {
	if *o.first == nil {
		return nil
	}
	return *o.first
}

func (o *restObject) fail(field string, raw json.RawMessage, format string, args ...any) {
	if *o.first == nil {
		*o.first = &RESTFieldError{o.prefix + field, shorten(raw), fmt.Sprintf(format, args...)}
	}
}

func shorten(raw []byte) string {
	const most = 60
	if len(raw) > most {
		raw = append(slices.Clone(raw[:most]), "…"...)
	}
	return strings.ToValidUTF8(string(raw), "?")
}

func (o *restObject) raw(field string) (json.RawMessage, bool) {
	raw, ok := o.fields[field]
	return raw, ok && string(raw) != "null"
}

// restAny is any JSON value, numbers as they stand.
type restAny struct{ value any }

// UnmarshalJSON implements json.Unmarshaler.
func (a *restAny) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(&a.value)
}

func restField[T any](o *restObject, field, want string) *T {
	raw, ok := o.raw(field)
	if !ok {
		return nil
	}
	value := new(T)
	if json.Unmarshal(raw, value) != nil {
		o.fail(field, raw, "%s", want)
		return nil
	}
	return value
}

func (o *restObject) textOrNil(field string) *string { return restField[string](o, field, "a string") }

func (o *restObject) flagOrNil(field string) *bool {
	return restField[bool](o, field, "true or false, without quotes")
}

func (o *restObject) text(field, fallback string) string {
	if s := o.textOrNil(field); s != nil {
		return *s
	}
	return fallback
}

// secret is text whose value stays out of the error.
func (o *restObject) secret(field string) string {
	raw, ok := o.raw(field)
	var s string
	if ok && json.Unmarshal(raw, &s) != nil {
		o.fail(field, nil, "a string")
	}
	return s
}

func (o *restObject) flag(field string, fallback bool) bool {
	if b := o.flagOrNil(field); b != nil {
		return *b
	}
	return fallback
}

func (o *restObject) oneOfOrNil(field string, values []string) *string {
	s := o.textOrNil(field)
	if s != nil && !slices.Contains(values, *s) {
		o.fail(field, o.fields[field], "one of %s", strings.Join(values, ", "))
		return nil
	}
	return s
}

func (o *restObject) oneOf(field, fallback string, values []string) string {
	if s := o.oneOfOrNil(field, values); s != nil {
		return *s
	}
	return fallback
}

// number reads a JSON number and drops its fraction, as the original does.
func (o *restObject) number(field string, fallback, low, high int64) int64 {
	f := restField[float64](o, field, "a number")
	if f == nil {
		return fallback
	}
	if *f < float64(low) || *f >= float64(high)+1 {
		o.fail(field, o.fields[field], "a number from %d to %d", low, high)
		return fallback
	}
	return int64(*f)
}

// kbpsOrNil reads a limit as Gson's getAsInt does: a number without its fraction, or a whole number as text.
func (o *restObject) kbpsOrNil(field string) *int {
	raw, ok := o.raw(field)
	if !ok {
		return nil
	}
	var n float64
	var text string
	err := json.Unmarshal(raw, &n)
	if json.Unmarshal(raw, &text) == nil {
		var whole int
		whole, err = strconv.Atoi(text)
		n = float64(whole)
	}
	if err != nil || n < 0 || n >= restMaxKbps+1 {
		o.fail(field, raw, "a whole number from 0 to %d", restMaxKbps)
		return nil
	}
	whole := int(n)
	return &whole
}

// texts reads an array of at most most strings; a null in it is read as "".
func (o *restObject) texts(field string, most int) []string {
	list := restField[[]string](o, field, "an array of strings")
	if list == nil {
		return nil
	}
	if len(*list) > most {
		o.fail(field, nil, "at most %d elements", most)
		return nil
	}
	return *list
}

// object opens a nested object; nil if it is absent.
func (o *restObject) object(field string) *restObject {
	fields := restField[map[string]json.RawMessage](o, field, "an object")
	if fields == nil {
		return nil
	}
	return &restObject{o.prefix + field + ".", *fields, o.first}
}

// objects opens an array of objects.
func (o *restObject) objects(field string, most int) []*restObject {
	list := restField[[]map[string]json.RawMessage](o, field, "an array of objects")
	if list == nil {
		return nil
	}
	if len(*list) > most {
		o.fail(field, nil, "at most %d elements", most)
		return nil
	}
	opened := make([]*restObject, len(*list))
	for i, fields := range *list {
		opened[i] = &restObject{fmt.Sprintf("%s%s[%d].", o.prefix, field, i), fields, o.first}
	}
	return opened
}
