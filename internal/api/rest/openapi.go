package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"tertulia/internal/wire/openvidu"
)

func getOpenAPI(_ context.Context, r *request) (response, error) { return ok(r.document), nil }

// object is a JSON object of the document.
type object map[string]any

// openAPI describes rows as an OpenAPI 3.0 document: answers by reflection over their types, bodies by the tables of
// wire/openvidu, refusals by the tables of faults. Paths before 2.16 are left out.
func openAPI(rows []route) object {
	shapes := schemas{}
	paths := object{}
	for i := range rows {
		row := &rows[i]
		if row.old {
			continue
		}
		path, _ := paths[row.pattern].(object)
		if path == nil {
			path = object{}
			if named := pathParameters(row.pattern); named != nil {
				path["parameters"] = named
			}
			paths[row.pattern] = path
		}
		path[strings.ToLower(row.method)] = shapes.operation(row)
	}
	return object{
		"openapi": "3.0.3",
		"info": object{
			"title": "OpenVidu 2", "version": openvidu.RESTVersion,
			"description": "The REST API of OpenVidu 2, as Tertulia serves it. In bodies, null is the same as absent, and unknown fields are ignored.",
		},
		"servers":    []object{{"url": prefix}},
		"security":   []object{{"basic": []string{}}},
		"paths":      paths,
		"components": object{"schemas": shapes, "securitySchemes": object{"basic": object{"type": "http", "scheme": "basic", "description": "User OPENVIDUAPP, password OPENVIDU_SECRET or a key of API_KEYS. To a key of the scope read every token is null, and every other credential hidden."}}},
	}
}

func pathParameters(pattern string) []object {
	var list []object
	for part := range strings.SplitSeq(pattern, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			list = append(list, object{"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true, "schema": object{"type": "string"}})
		}
	}
	return list
}

// schemas are the named shapes of the document.
type schemas map[string]any

func (s schemas) operation(row *route) object {
	o := object{"operationId": operationID(row), "summary": row.doc, "responses": s.responses(row)}
	if row.public {
		o["security"] = []object{}
	}
	var query []object
	for _, f := range row.flags {
		kind := "boolean"
		if f.number {
			kind = "integer"
		}
		query = append(query, object{"name": f.name, "in": "query", "description": f.doc, "schema": object{"type": kind}})
	}
	if query != nil {
		o["parameters"] = query
	}
	if row.takes != nil {
		o["requestBody"] = object{"required": needsBody(row.takes), "content": object{"application/json": object{"schema": s.body(row.takes)}}}
	}
	return o
}

// operationID is "getSessionsSession" for GET /sessions/{session}.
func operationID(row *route) string {
	id := strings.ToLower(row.method)
	for part := range strings.FieldsFuncSeq(row.pattern, func(c rune) bool { return strings.ContainsRune("/{}-.", c) }) {
		id += strings.ToUpper(part[:1]) + part[1:]
	}
	return id
}

func (s schemas) responses(row *route) object {
	list := object{"default": s.refusal("the server failed", true)}
	for _, o := range append(row.common(), row.refusals()...) {
		list[strconv.Itoa(o.status)] = s.refusal(strings.Join(o.why, ", "), o.body)
	}
	for _, status := range append([]int{row.success()}, row.also...) {
		answer := object{"description": http.StatusText(status)}
		if row.gives != nil {
			media := "application/json"
			if _, ok := row.gives.(string); ok {
				media = "text/plain"
			}
			answer["content"] = object{media: object{"schema": s.of(reflect.TypeOf(row.gives))}}
		}
		list[strconv.Itoa(status)] = answer
	}
	return list
}

func (s schemas) refusal(why string, body bool) object {
	answer := object{"description": why}
	if body {
		answer["content"] = object{"application/json": object{"schema": s.of(reflect.TypeFor[openvidu.RESTError]())}}
	}
	return answer
}

func needsBody(body *openvidu.RESTBody) bool {
	for _, f := range body.Fields {
		if f.Default == "" {
			return true
		}
	}
	return false
}

// body is the schema of a request body.
func (s schemas) body(body *openvidu.RESTBody) object {
	shape := object{"type": "object"}
	if !body.Free {
		shape = fieldsSchema(body.Fields)
	}
	s[body.Name] = shape
	return reference(body.Name)
}

func fieldsSchema(fields []openvidu.RESTField) object {
	properties, needed := object{}, []string{}
	for _, f := range fields {
		shape := object{"type": f.Type}
		switch {
		case f.Type == "":
			shape = object{}
		case f.Type == "object":
			shape = fieldsSchema(f.Fields)
		case f.Type == "array" && f.Fields != nil:
			shape["items"] = fieldsSchema(f.Fields)
		case f.Type == "array":
			shape["items"] = object{"type": "string"}
		}
		if f.Enum != nil {
			shape["enum"] = append(anyOf(f.Enum), nil)
		}
		text := f.Doc
		if f.Default == "" {
			needed = append(needed, f.Name)
		} else {
			shape["nullable"] = true
			text = strings.TrimPrefix(text+"; default: "+f.Default, "; ")
		}
		if text != "" {
			shape["description"] = text
		}
		properties[f.Name] = shape
	}
	shape := object{"type": "object", "properties": properties}
	if len(needed) > 0 {
		shape["required"] = needed
	}
	return shape
}

func anyOf(values []string) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}

func reference(name string) object { return object{"$ref": "#/components/schemas/" + name} }

var rawJSON = reflect.TypeFor[json.RawMessage]()

// of is the schema of a type as encoding/json writes it.
func (s schemas) of(t reflect.Type) object {
	switch t.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Slice:
		if t == rawJSON {
			return object{"type": "object"}
		}
		return object{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object"}
	case reflect.Struct:
		if t.Name() == "" {
			return object{"type": "object"}
		}
		name := shapeName(t)
		if s[name] == nil {
			s[name] = object{} // it may hold itself
			s[name] = s.structure(t)
		}
		return reference(name)
	case reflect.Interface:
		return object{}
	default:
		return object{"type": "integer"}
	}
}

// shapeName is "Session" for RESTSession, "SessionList" for RESTList[RESTSession].
func shapeName(t reflect.Type) string {
	name, element, generic := strings.Cut(t.Name(), "[")
	if generic {
		element = strings.TrimSuffix(element[strings.LastIndexByte(element, '.')+1:], "]")
		name = strings.TrimPrefix(element, "REST") + strings.TrimPrefix(name, "REST")
	}
	return strings.TrimPrefix(name, "REST")
}

func (s schemas) structure(t reflect.Type) object {
	properties, always := object{}, []string{}
	var add func(t reflect.Type, optional bool)
	add = func(t reflect.Type, optional bool) {
		for f := range t.Fields() {
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case name == "-" || !f.IsExported():
				continue
			case f.Anonymous && name == "" && f.Type.Kind() == reflect.Pointer:
				add(f.Type.Elem(), true)
				continue
			case f.Anonymous && name == "":
				add(f.Type, optional)
				continue
			}
			shape := s.of(f.Type)
			if kind := f.Type.Kind(); kind == reflect.Pointer || kind == reflect.Slice {
				if shape["$ref"] != nil {
					shape = object{"allOf": []object{shape}}
				}
				shape["nullable"] = true
			}
			properties[name] = shape
			if !optional && !strings.Contains(options, "omitempty") {
				always = append(always, name)
			}
		}
	}
	add(t, false)
	shape := object{"type": "object", "properties": properties}
	if len(always) > 0 {
		shape["required"] = always
	}
	return shape
}
