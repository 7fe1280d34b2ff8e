package rest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/getkin/kin-openapi/openapi3"

	"tertulia/internal/wire/openvidu"
)

// served loads the document as a program would.
func served(t *testing.T) *openapi3.T {
	h, _ := server(t, nil)
	w := do(h, "GET /openvidu/api/openapi.json", "")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	document, err := openapi3.NewLoader().LoadFromData(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return document
}

// TestOpenAPIHasEveryRoute: every row has its operation, with all of its statuses, and there are no more.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	document := served(t)
	rows := 0
	for i := range routes {
		row := &routes[i]
		if row.old {
			continue
		}
		rows++
		path := document.Paths.Value(row.pattern)
		if path == nil || path.GetOperation(row.method) == nil {
			t.Errorf("no %s %s", row.method, row.pattern)
			continue
		}
		operation := path.GetOperation(row.method)
		for _, status := range append([]int{row.success()}, row.also...) {
			if operation.Responses.Status(status) == nil {
				t.Errorf("%s %s: no %d", row.method, row.pattern, status)
			}
		}
		for _, o := range row.refusals() {
			if answer := operation.Responses.Status(o.status); answer == nil || (answer.Value.Content != nil) != o.body {
				t.Errorf("%s %s: %d is %+v", row.method, row.pattern, o.status, answer)
			}
		}
		if secured := operation.Security == nil; secured == row.public {
			t.Errorf("%s %s: public is %v", row.method, row.pattern, row.public)
		}
	}
	operations := 0
	for _, path := range document.Paths.Map() {
		operations += len(path.Operations())
	}
	if operations != rows {
		t.Errorf("%d operations of %d rows", operations, rows)
	}
}

// TestOpenAPIDescribesTheAnswers: what the server answers in the golden exchanges, its refusals too, is what the document
// says, and so are the requests that it takes.
func TestOpenAPIDescribesTheAnswers(t *testing.T) {
	document := served(t)
	checked := 0
	for _, e := range exchanges(t) {
		var status int
		var body []byte
		synctest.Test(t, func(t *testing.T) { status, body = e.ask(t) })
		method, target, _ := strings.Cut(e.target, " ")
		target, _, _ = strings.Cut(target, "?")
		target, _ = rewrite(target)
		row, _ := lookup(method, strings.TrimPrefix(target, prefix))
		if row == nil || row.old || status == http.StatusForbidden || strings.HasPrefix(e.want, "404 \n") || status == 404 && len(body) == 0 {
			continue
		}
		operation := document.Paths.Value(row.pattern).GetOperation(method)
		answer := operation.Responses.Status(status)
		if answer == nil {
			answer = operation.Responses.Default()
		}
		if media := answer.Value.Content.Get("application/json"); media != nil && len(body) > 0 {
			if err := visit(media.Schema.Value, body); err != nil {
				t.Errorf("%s, %s: %v", e.file, e.name, err)
			}
			checked++
		}
		if row.takes != nil && status == http.StatusOK && e.body != "" {
			if err := visit(operation.RequestBody.Value.Content.Get("application/json").Schema.Value, []byte(e.body)); err != nil {
				t.Errorf("the request of %s, %s: %v", e.file, e.name, err)
			}
		}
	}
	if checked < 60 {
		t.Errorf("only %d answers were compared", checked)
	}
	if err := visit(document.Components.Schemas["Session"].Value, []byte(`{"id":7}`)); err == nil {
		t.Error("the schema of a session takes anything")
	}
}

func visit(schema *openapi3.Schema, text []byte) error {
	var value any
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&value); err != nil {
		return err
	}
	return schema.VisitJSON(value)
}

// TestOpenAPIKnowsEveryField: the tables of request bodies stand in the document.
func TestOpenAPIKnowsEveryField(t *testing.T) {
	document := served(t)
	for _, body := range []openvidu.RESTBody{openvidu.RESTSessionBody, openvidu.RESTConnectionBody, openvidu.RESTTokenBody, openvidu.RESTSignalBody} {
		schema := document.Components.Schemas[body.Name]
		for _, f := range body.Fields {
			if schema == nil || schema.Value.Properties[f.Name] == nil {
				t.Errorf("%s has no %s", body.Name, f.Name)
			}
		}
	}
}
