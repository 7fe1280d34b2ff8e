package openvidu

import (
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"reflect"
	"strconv"
)

// FieldError says which parameter of a request is wrong.
type FieldError struct {
	Field string
	Value string // as received, shortened; "" if it is absent
	Want  string
}

func (e *FieldError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("parameter %s is missing: %s", e.Field, e.Want)
	}
	return fmt.Sprintf("parameter %s is %s, not %s", e.Field, e.Value, e.Want)
}

// Field is one parameter of a request, as its struct tags describe it.
type Field struct {
	Name  string
	Type  string // "string", "boolean", "integer" or "any"
	Since string // "" as long as its method
	Must  bool
	Max   int // bytes of text
	Doc   string
}

// maxText bounds a parameter's text, in bytes, where no tag "max" says otherwise.
const maxText = 4096

func maxOf(tag reflect.StructTag) int {
	if n, err := strconv.Atoi(tag.Get("max")); err == nil {
		return n
	}
	return maxText
}

// Fields yields the parameters of a request, given as a pointer to its struct.
func Fields(params any) iter.Seq[Field] {
	return func(yield func(Field) bool) {
		if params == nil {
			return
		}
		t := reflect.TypeOf(params).Elem()
		for f := range t.Fields() {
			if !yield(Field{
				Name: f.Tag.Get("json"), Type: typeName(f.Type), Since: f.Tag.Get("since"),
				Must: f.Tag.Get("must") != "", Max: maxOf(f.Tag), Doc: f.Tag.Get("doc"),
			}) {
				return
			}
		}
	}
}

// Decode fills a parameter struct from the params of a request: unknown members are ignored, null is absent, booleans
// and integers may come as strings (the Android client sends nothing else), texts have a limit. The error is a
// *[FieldError].
func Decode(raw json.RawMessage, params any) error {
	var members map[string]json.RawMessage
	if len(raw) > 0 && json.Unmarshal(raw, &members) != nil {
		return &FieldError{Field: "params", Value: shortText(string(raw)), Want: "an object"}
	}
	v := reflect.ValueOf(params).Elem()
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		name := tag.Get("json")
		value, ok := members[name]
		if !ok || string(value) == "null" {
			if tag.Get("must") != "" {
				return &FieldError{Field: name, Want: tag.Get("doc")}
			}
			continue
		}
		field := v.Field(i)
		if !set(field, value) {
			return &FieldError{Field: name, Value: shortText(string(value)), Want: article(typeName(field.Type()))}
		}
		if n, most := textLen(field), maxOf(tag); n > most {
			return &FieldError{Field: name, Value: fmt.Sprintf("%d bytes long", n), Want: fmt.Sprintf("up to %d", most)}
		}
	}
	return nil
}

// textLen is the length of a text, or of JSON that is kept as text; 0 of all else.
func textLen(field reflect.Value) int {
	if k := field.Kind(); k == reflect.String || k == reflect.Slice {
		return field.Len()
	}
	return 0
}

var rawType = reflect.TypeFor[json.RawMessage]()

func typeName(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == rawType:
		return "any"
	case t.Kind() == reflect.Bool:
		return "boolean"
	case t.Kind() == reflect.Int:
		return "integer"
	}
	return "string"
}

func article(kind string) string {
	if kind == "integer" {
		return "an integer"
	}
	return "a " + kind
}

// set reports whether value suits the field's type.
func set(field reflect.Value, value json.RawMessage) bool {
	if field.Kind() == reflect.Pointer {
		inner := reflect.New(field.Type().Elem())
		field.Set(inner)
		field = inner.Elem()
	}
	if field.Type() == rawType {
		field.SetBytes(value)
		return true
	}
	switch field.Kind() {
	case reflect.Bool:
		b, ok := parseBool(value)
		field.SetBool(b)
		return ok
	case reflect.Int:
		n, ok := parseInt(value)
		field.SetInt(n)
		return ok
	}
	var s string
	err := json.Unmarshal(value, &s)
	field.SetString(s)
	return err == nil
}

func parseBool(value json.RawMessage) (b, ok bool) {
	switch string(value) {
	case `true`, `"true"`:
		return true, true
	case `false`, `"false"`:
		return false, true
	}
	return false, false
}

// parseInt cuts fractions off, as the original does: browsers report frame rates like 29.97.
func parseInt(value json.RawMessage) (n int64, ok bool) {
	text := string(value)
	if len(text) > 1 && text[0] == '"' {
		text = text[1 : len(text)-1]
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(f) > math.MaxInt32 || f != f {
		return 0, false
	}
	return int64(f), true
}
