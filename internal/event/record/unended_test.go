package record

import (
	"testing"

	"tertulia/internal/event"
)

// TestLOSS_19__EachBeginHasItsEnd: what a killed process told is read back, and the ends it could not tell are told, like
// those of any subscription. What does not begin with that has none.
func TestLOSS_19__EachBeginHasItsEnd(t *testing.T) {
	camera := event.Media{HasAudio: true, HasVideo: true, TypeOfVideo: "CAMERA", FrameRate: 30, Dimensions: `{"width":640,"height":480}`}
	tell := func(u *Unended, at int64, connection string, body event.Body) {
		t.Helper()
		r, ok := Of(event.Event{At: at, Session: "a_1", Began: 7, Connection: connection, Body: body})
		if !ok {
			t.Fatalf("%+v is not told", body)
		}
		u.Read(r.Text)
	}
	subscribed := func(stream string, m event.Media) event.Subscribed {
		return event.Subscribed{Stream: stream, Publisher: "con_A", Endpoint: "con_B_" + stream, Media: m}
	}
	var u Unended
	if got := u.Ends(1); len(got) != 0 {
		t.Errorf("of nothing: %+v", got)
	}
	tell(&u, 10, "con_A", event.Published{Stream: "str_1", Media: camera})
	tell(&u, 12, "con_C", subscribed("str_1", camera))
	tell(&u, 11, "con_B", subscribed("str_1", camera))
	tell(&u, 13, "con_B", subscribed("str_2", event.Media{HasAudio: true, FrameRate: -1}))
	tell(&u, 14, "con_B", subscribed("str_3", event.Media{HasVideo: true, FrameRate: -1}))
	tell(&u, 15, "con_B", event.Unsubscribed{Stream: "str_3", Publisher: "con_A", Reason: "unsubscribe", Since: 14})
	tell(&u, 16, "con_B", event.Left{Reason: "disconnect"})
	u.Read([]byte("no JSON"))

	want := []event.Event{
		{At: 2000, Session: "a_1", Began: 7, Connection: "con_B", Body: event.Unsubscribed{Stream: "str_1", Publisher: "con_A", Endpoint: "con_B_str_1", Reason: "mediaServerReconnect", Media: camera, Since: 11}},
		{At: 2000, Session: "a_1", Began: 7, Connection: "con_C", Body: event.Unsubscribed{Stream: "str_1", Publisher: "con_A", Endpoint: "con_C_str_1", Reason: "mediaServerReconnect", Media: camera, Since: 12}},
		{At: 2000, Session: "a_1", Began: 7, Connection: "con_B", Body: event.Unsubscribed{Stream: "str_2", Publisher: "con_A", Endpoint: "con_B_str_2", Reason: "mediaServerReconnect", Media: event.Media{HasAudio: true, FrameRate: -1}, Since: 13}},
	}
	got := u.Ends(2000)
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got  %+v\nwant %+v", got[i], want[i])
		}
	}
	for _, e := range got {
		r, _ := Of(e)
		u.Read(r.Text)
	}
	if left := u.Ends(3000); len(left) != 0 {
		t.Errorf("told, and still there: %+v", left)
	}
}
