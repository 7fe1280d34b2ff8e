package app

import (
	"testing"

	"tertulia/internal/certs"
)

func TestWhatHealthSaysOfTheCertificate(t *testing.T) {
	if got := certificateCheck(certs.Status{}); !got.OK || got.Code != "" || got.Text != "" {
		t.Errorf("a good one: %+v", got)
	}
	got := certificateCheck(certs.Status{Problems: []certs.Problem{
		{Code: certs.EndsSoon, Text: "it ends soon", Fix: "renew it"}, {Code: certs.WeakKey, Text: "it is weak", Fix: "replace it"},
	}})
	if !got.OK || got.Code != "CERTIFICATE_ENDS_SOON" || got.Text != "it ends soon → renew it; it is weak → replace it" {
		t.Errorf("a bad one: %+v", got)
	}
}
