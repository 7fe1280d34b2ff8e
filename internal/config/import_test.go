package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pro is made like a Pro deployment's file: the names, not the text, are OpenVidu's.
const pro = `# Settings of a deployment
DOMAIN_OR_PUBLIC_IP=call.example.com
OPENVIDU_PRO_LICENSE=licence-0123
OPENVIDU_SECRET=s3cret_s3cret_s3cret

# Certificates
CERTIFICATE_TYPE=selfsigned
LETSENCRYPT_EMAIL=user@example.com
# HTTPS_PORT=443

OPENVIDU_PRO_CLUSTER_MODE=manual
OPENVIDU_PRO_ELASTICSEARCH=true
ELASTICSEARCH_USERNAME=elasticadmin
ELASTICSEARCH_PASSWORD=s3cret-e
OPENVIDU_PRO_AWS_SECRET_KEY=s3cret-aws
OPENVIDU_RECORDING=false
OPENVIDU_CDR=false
OPENVIDU_CDR_PATH=/opt/openvidu/cdr
OPENVIDU_WEBHOOK=false
OPENVIDU_WEBHOOK_EVENTS=[sessionCreated,sessionDestroyed,recordingStatusChanged]
OPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH=1000
KMS_URIS=[]
// our own
MY_OWN=s3cret-own
OPENVIDU_SECERT=s3cret-slip
`

// TestENT_19__ImportListsEveryKey, also those nobody knows, and shows no secret.
func TestENT_19__ImportListsEveryKey(t *testing.T) {
	in, err := Import("openvidu/.env", []byte(pro))
	if err != nil {
		t.Fatal(err)
	}
	fates := map[string]Fate{}
	for _, row := range in.Rows {
		fates[row.Name] = row.Fate
		if strings.Contains(row.Value+row.Note, "s3cret") {
			t.Errorf("a secret is shown: %+v", row)
		}
		if (row.Fate == Idle || row.Fate == NotBuilt) && row.Note == "" {
			t.Errorf("%s has no reason", row.Name)
		}
	}
	for name, want := range map[string]Fate{
		"DOMAIN_OR_PUBLIC_IP": Taken, "OPENVIDU_SECRET": Taken, "CERTIFICATE_TYPE": Default, "OPENVIDU_PRO_LICENSE": Idle, "OPENVIDU_PRO_CLUSTER_MODE": NotBuilt,
		"OPENVIDU_RECORDING": NotBuilt, "OPENVIDU_CDR_PATH": Taken, "KMS_URIS": Idle, "MY_OWN": Unknown, "OPENVIDU_SECERT": Unknown,
		"HTTPS_PORT": Added, "HTTP_PORT": Added, "OPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH": Default,
	} {
		if fates[name] != want {
			t.Errorf("%s is %q, want %q", name, fates[name], want)
		}
	}
	if n := strings.Count(pro, "=") - 1; len(in.Rows) != n+2 { // one is in a comment
		t.Errorf("%d rows of %d variables and two defaults", len(in.Rows), n)
	}
	want := strings.NewReplacer("MY_OWN=", "# unknown here: MY_OWN=", "OPENVIDU_SECERT=", "# unknown here: OPENVIDU_SECERT=").Replace(pro) +
		"\n# OpenVidu's default\nHTTPS_PORT=443\n\n# OpenVidu's default\nHTTP_PORT=80\n"
	if string(in.Text) != want {
		t.Errorf("written\n%s\nwant\n%s", in.Text, want)
	}

	dir := filepath.Join(t.TempDir(), "new")
	if err := in.Write(dir, "cli me", false); err != nil {
		t.Fatal(err)
	}
	c, err := Load([]string{"--data", dir}, nil)
	if err != nil || c.HTTPSPort != 443 || c.HTTPPort != "80" || c.Domain != "call.example.com" || c.Elastic.Username != "elasticadmin" {
		t.Errorf("a start reads %+v, %v", c, err)
	}
	if Latest(dir).Author != "cli me" {
		t.Errorf("the history says %+v", Latest(dir))
	}
}

func TestImportReplacesOnlyByForce(t *testing.T) {
	dir := folder(t, "LOG_LEVEL=debug\n")
	in, err := Import("x", []byte("HTTPS_PORT=443\nHTTP_PORT=80"))
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Write(dir, "cli", false); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("it was replaced: %v", err)
	}
	if err := in.Write(dir, "cli", true); err != nil {
		t.Fatal(err)
	}
	if _, err := Undo(dir, "cli"); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, ".env")); string(text) != "LOG_LEVEL=debug\n" {
		t.Errorf("what was replaced cannot be had back: %q", text)
	}
	wrong, err := Import("x", []byte("HTTPS_PORT=high\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := wrong.Write(dir, "cli", true); err == nil || !strings.Contains(err.Error(), "HTTPS_PORT=high") {
		t.Errorf("a file no start can use was written: %v", err)
	}
	if _, err := Import("x", []byte("nonsense\n")); err == nil || !strings.Contains(err.Error(), "x:1: there is no =") {
		t.Errorf("nonsense: %v", err)
	}
}
