package openvidu

import (
	"regexp"
	"strings"
)

// RESTRecordingProperties say how a session is recorded, in requests and answers.
type RESTRecordingProperties struct {
	Name       string `json:"name"`
	HasAudio   bool   `json:"hasAudio"`
	HasVideo   bool   `json:"hasVideo"`
	OutputMode string `json:"outputMode"`
	*RESTComposition
	IgnoreFailedStreams *bool  `json:"ignoreFailedStreams,omitempty"` // INDIVIDUAL only
	MediaNode           string `json:"mediaNode,omitempty"`           // id
}

// RESTComposition is there for composed recordings with video.
type RESTComposition struct {
	RecordingLayout string `json:"recordingLayout"`
	CustomLayout    string `json:"customLayout,omitempty"` // with layout CUSTOM
	Resolution      string `json:"resolution"`             // "1280x720"
	FrameRate       int    `json:"frameRate"`
	ShmSize         int64  `json:"shmSize"` // bytes
}

var (
	restRecordingName = regexp.MustCompile(`^[a-zA-Z0-9_~-]{1,256}$`)
	restResolution    = regexp.MustCompile(`^([1-9]\d\d|1\d\d\d)x([1-9]\d\d|1\d\d\d)$`)
)

// parseRESTRecordingProperties reads them; o is nil where they are absent, and all defaults apply.
func parseRESTRecordingProperties(o *restObject) RESTRecordingProperties {
	if o == nil {
		o, _ = parseRESTBody(nil)
	}
	p := RESTRecordingProperties{
		Name:       o.text("name", ""),
		HasAudio:   o.flag("hasAudio", true),
		HasVideo:   o.flag("hasVideo", true),
		OutputMode: o.oneOf("outputMode", "COMPOSED", restOutputModes),
	}
	if p.Name != "" && !restRecordingName.MatchString(p.Name) {
		o.fail("name", o.fields["name"], "up to 256 letters, digits, _, - and ~")
	}
	if !p.HasAudio && !p.HasVideo {
		o.fail("hasVideo", o.fields["hasVideo"], "audio or video, or both, to be recorded")
	}
	p.MediaNode = o.node("mediaNode")
	if !strings.HasPrefix(p.OutputMode, "COMPOSED") {
		ignore := o.flag("ignoreFailedStreams", false)
		p.IgnoreFailedStreams = &ignore
		return p
	}
	if composition := parseRESTComposition(o); p.HasVideo {
		p.RESTComposition = composition
	}
	return p
}

// parseRESTComposition is checked for audio-only recordings too, as in the original.
func parseRESTComposition(o *restObject) *RESTComposition {
	c := &RESTComposition{
		RecordingLayout: o.oneOf("recordingLayout", "BEST_FIT", restLayouts),
		Resolution:      o.text("resolution", "1280x720"),
		FrameRate:       int(o.number("frameRate", 25, 1, 120)),
		ShmSize:         o.number("shmSize", 512<<20, 128<<20, 1<<40),
	}
	if custom := o.text("customLayout", ""); c.RecordingLayout == "CUSTOM" {
		c.CustomLayout = custom
	}
	if !restResolution.MatchString(c.Resolution) {
		o.fail("resolution", o.fields["resolution"], `WIDTHxHEIGHT, each from 100 to 1999, such as "1280x720"`)
	}
	return c
}

// DefaultRESTRecordingProperties are those of a session that was created without any.
func DefaultRESTRecordingProperties() RESTRecordingProperties {
	return parseRESTRecordingProperties(nil)
}

// node reads the name of a media node, which is {id} or a string; "" if it is absent.
func (o *restObject) node(field string) string {
	raw, given := o.raw(field)
	if !given {
		return ""
	}
	if raw[0] == '"' {
		return o.text(field, "")
	}
	if node := o.object(field); node != nil {
		return node.nodeID()
	}
	return ""
}
