package config

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// every is each name of OpenVidu 2.32's configuration: spec §2 to §5, and what the shipped .env files add.
var every = strings.Fields(`
	DOMAIN_OR_PUBLIC_IP OPENVIDU_SECRET CERTIFICATE_TYPE HTTPS_PORT OPENVIDU_CDR OPENVIDU_CDR_PATH OPENVIDU_RECORDING
	OPENVIDU_RECORDING_PATH OPENVIDU_RECORDING_PUBLIC_ACCESS OPENVIDU_RECORDING_NOTIFICATION
	OPENVIDU_RECORDING_CUSTOM_LAYOUT OPENVIDU_RECORDING_AUTOSTOP_TIMEOUT OPENVIDU_RECORDING_VERSION OPENVIDU_RECORDING_IMAGE
	OPENVIDU_RECORDING_DEBUG OPENVIDU_RECORDING_COMPOSED_URL OPENVIDU_RECORDING_COMPOSED_BASICAUTH
	OPENVIDU_RECORDING_ENABLE_GPU OPENVIDU_WEBHOOK OPENVIDU_WEBHOOK_ENDPOINT OPENVIDU_WEBHOOK_HEADERS
	OPENVIDU_WEBHOOK_EVENTS OPENVIDU_STREAMS_VIDEO_MAX_RECV_BANDWIDTH OPENVIDU_STREAMS_VIDEO_MIN_RECV_BANDWIDTH
	OPENVIDU_STREAMS_VIDEO_MAX_SEND_BANDWIDTH OPENVIDU_STREAMS_VIDEO_MIN_SEND_BANDWIDTH OPENVIDU_STREAMS_FORCED_VIDEO_CODEC
	OPENVIDU_STREAMS_ALLOW_TRANSCODING OPENVIDU_SESSIONS_GARBAGE_INTERVAL OPENVIDU_SESSIONS_GARBAGE_THRESHOLD
	OPENVIDU_WEBRTC_ICE_SERVERS COTURN_IP COTURN_PORT COTURN_SHARED_SECRET_KEY COTURN_INTERNAL_RELAY MEDIA_NODES_PUBLIC_IPS
	KMS_URIS OPENVIDU_DEV FORCE_PLAIN_HTTP SUPPORT_DEPRECATED_API SERVER_PORT SERVER_SSL_ENABLED OV_CE_DEBUG_LEVEL
	JAVA_OPTIONS DOCKER_LOGS_MAX_SIZE HTTP_PORT LETSENCRYPT_EMAIL HTTPS_PROTOCOLS HTTPS_CIPHERS HTTPS_HSTS
	ALLOWED_ACCESS_TO_DASHBOARD ALLOWED_ACCESS_TO_RESTAPI REDIRECT_WWW WORKER_CONNECTIONS CLIENT_MAX_BODY_SIZE
	XFRAME_SAMEORIGIN WITH_APP PROXY_MODE KMS_IMAGE COTURN_MIN_PORT COTURN_MAX_PORT OPENVIDU_PRO_LICENSE
	OPENVIDU_PRO_LICENSE_HTTP_PROXY OPENVIDU_EDITION OPENVIDU_PRO_CLUSTER_ID OPENVIDU_PRO_CLUSTER_MODE
	OPENVIDU_PRO_CLUSTER_ENVIRONMENT OPENVIDU_PRO_CLUSTER_MEDIA_NODES OPENVIDU_PRO_CLUSTER_RECONNECTION_TIMEOUT
	OPENVIDU_PRO_CLUSTER_AUTOSCALING OPENVIDU_PRO_CLUSTER_AUTOSCALING_INTERVAL OPENVIDU_PRO_CLUSTER_AUTOSCALING_MAX_NODES
	OPENVIDU_PRO_CLUSTER_AUTOSCALING_MIN_NODES OPENVIDU_PRO_CLUSTER_AUTOSCALING_MAX_LOAD
	OPENVIDU_PRO_CLUSTER_AUTOSCALING_MIN_LOAD OPENVIDU_PRO_CLUSTER_LOAD_STRATEGY OPENVIDU_PRO_CLUSTER_LOAD_INTERVAL
	OPENVIDU_PRO_CLUSTER_PATH OPENVIDU_PRO_CLUSTER_TEST OPENVIDU_PRO_ELASTICSEARCH OPENVIDU_PRO_ELASTICSEARCH_HOST
	OPENVIDU_PRO_KIBANA_HOST ELASTICSEARCH_USERNAME ELASTICSEARCH_PASSWORD OPENVIDU_PRO_ELASTICSEARCH_MAX_DAYS_DELETE
	OPENVIDU_PRO_STATS_SESSION_INTERVAL OPENVIDU_PRO_STATS_SERVER_INTERVAL OPENVIDU_PRO_STATS_MONITORING_INTERVAL
	OPENVIDU_PRO_STATS_WEBRTC_INTERVAL OPENVIDU_PRO_NETWORK_QUALITY OPENVIDU_PRO_NETWORK_QUALITY_INTERVAL
	OPENVIDU_PRO_SPEECH_TO_TEXT OPENVIDU_PRO_SPEECH_TO_TEXT_AZURE_KEY OPENVIDU_PRO_SPEECH_TO_TEXT_AZURE_REGION
	OPENVIDU_PRO_SPEECH_TO_TEXT_VOSK_MODEL_LOAD_STRATEGY OPENVIDU_PRO_SPEECH_TO_TEXT_IMAGE OPENVIDU_PRO_DOCKER_REGISTRIES
	OPENVIDU_BROWSER_LOGS OPENVIDU_PRO_RECORDING_STORAGE OPENVIDU_PRO_AWS_S3_BUCKET OPENVIDU_PRO_AWS_S3_HEADERS
	OPENVIDU_PRO_AWS_S3_SERVICE_ENDPOINT OPENVIDU_PRO_AWS_S3_WITH_PATH_STYLE_ACCESS OPENVIDU_PRO_AWS_ACCESS_KEY
	OPENVIDU_PRO_AWS_SECRET_KEY OPENVIDU_PRO_AWS_REGION OPENVIDU_PRO_PRIVATE_IP OPENVIDU_PRO_COTURN_IN_MEDIA_NODES
	OPENVIDU_PRO_MEDIA_NODE_PUBLIC_IP_AUTODISCOVER OPENVIDU_PRO_COTURN_PORT_MEDIA_NODES MEDIASOUP_IMAGE AWS_DEFAULT_REGION
	AWS_IMAGE_ID AWS_INSTANCE_TYPE AWS_INSTANCE_ID AWS_KEY_NAME AWS_SUBNET_ID AWS_SECURITY_GROUP AWS_STACK_ID AWS_STACK_NAME
	AWS_CLI_DOCKER_TAG AWS_VOLUME_SIZE OPENVIDU_PRO_CLUSTER DOTENV_PATH WAIT_KIBANA_URL ES_JAVA_OPTS
	OPENVIDU_ENTERPRISE_MEDIA_SERVER OPENVIDU_ENTERPRISE_S3_CONFIG_AUTORESTART OPENVIDU_WEBRTC_SIMULCAST
	OPENVIDU_ENTERPRISE_HA_NODE_PRIVATE_IP OPENVIDU_ENTERPRISE_HA_REDIS_HOST OPENVIDU_ENTERPRISE_HA_REDIS_PORT
	OPENVIDU_ENTERPRISE_HA_REDIS_PASSWORD OPENVIDU_ENTERPRISE_HA_REDIS_DATABASE OPENVIDU_ENTERPRISE_HA_REDIS_TIMEOUT
	OPENVIDU_ENTERPRISE_HA_S3_CONFIG_SERVICE_ENDPOINT OPENVIDU_ENTERPRISE_HA_S3_CONFIG_BUCKET
	OPENVIDU_ENTERPRISE_HA_S3_CONFIG_ACCESS_KEY OPENVIDU_ENTERPRISE_HA_S3_CONFIG_SECRET_KEY
	OPENVIDU_ENTERPRISE_HA_S3_CONFIG_REGION OPENVIDU_ENTERPRISE_HA_S3_CONFIG_PATH_STYLE_ACCESS
	OPENVIDU_ENTERPRISE_HA_S3_CONFIG_HEADERS OPENVIDU_ENTERPRISE_HA_NODE_IPS INITIAL_CONFIG_SYNC RM_REDIS_IP RM_REDIS_PORT
	RM_SQS_QUEUE RM_CLOUDFORMATION_ARN RM_S3_CONFIGURATION_BUCKET RM_S3_CONFIGURATION_BUCKET_REGION
	RM_MEDIA_NODES_AUTOSCALING_GROUP_NAME RM_MASTER_NODES_AUTOSCALING_GROUP_NAME MULTI_MASTER_NODE_ID
	MULTI_MASTER_REPLICATION_MANAGER_WEBHOOK KMS_DOCKER_ENV_GST_DEBUG KMS_DOCKER_ENV_KURENTO_LOG_FILE_SIZE
	KMS_DOCKER_ENV_KMS_MIN_PORT TURN_DOMAIN_NAME TURN_STATIC_AUTH_SECRET
`)

// TestLOSS_02__EveryVariableIsHonouredOrHasAReason: none is unknown, and none is two things at once.
func TestLOSS_02__EveryVariableIsHonouredOrHasAReason(t *testing.T) {
	var file strings.Builder
	honoured := 0
	for _, name := range every {
		ways := []bool{isSetting(name), Planned(name) != "", Without(name) != ""}
		if n := len(slices.DeleteFunc(ways, func(is bool) bool { return !is })); n != 1 {
			t.Errorf("%s is known in %d ways, want one", name, n)
		}
		if isSetting(name) {
			honoured++
		} else {
			file.WriteString(name + "=something\n")
		}
	}
	c, err := load(t, file.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if told := len(c.Warnings) + len(c.Without); told != len(every)-honoured {
		t.Errorf("%d names have no effect and %d are told of", len(every)-honoured, told)
	}
	page := Reference()
	for _, name := range every {
		if name, _, _ := strings.Cut(name, "ENV_"); !strings.Contains(page, "`"+name) {
			t.Errorf("%s is not on the reference page", name)
		}
	}
	t.Logf("%d names: %d honoured, %d planned, %d without effect", len(every), honoured, len(c.Warnings), len(c.Without))
}

// TestENT_05a__NoDomainNoIDNoLicence: it starts, and the id it made stays the same.
func TestENT_05a__NoDomainNoIDNoLicence(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	first, err := Load([]string{"--data", dir}, nil)
	if err != nil || len(first.Elastic.ClusterID) < 16 || first.Domain != "" {
		t.Fatalf("id %q, domain %q, %v", first.Elastic.ClusterID, first.Domain, err)
	}
	again, err := Load([]string{"--data", dir}, []string{"OPENVIDU_PRO_LICENSE=xxx"})
	if err != nil || again.Elastic.ClusterID != first.Elastic.ClusterID || len(again.Warnings) > 0 || !slices.Equal(again.Without, []string{"OPENVIDU_PRO_LICENSE"}) {
		t.Errorf("id %q then %q; %v, warnings %q, without effect %q", first.Elastic.ClusterID, again.Elastic.ClusterID, err, again.Warnings, again.Without)
	}
	set, err := Load([]string{"--data", dir, "--openvidu-pro-cluster-id=tea"}, nil)
	if err != nil || set.Elastic.ClusterID != "tea" {
		t.Errorf("an id that is set: %q, %v", set.Elastic.ClusterID, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cluster-id"), []byte("a b"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load([]string{"--data", dir}, nil); err == nil || !strings.Contains(err.Error(), "cluster-id:1: ") {
		t.Errorf("a spoilt id: %v", err)
	}
}

// TestENT_05b__AnySecret: each place carries any printable text as it stands.
func TestENT_05b__AnySecret(t *testing.T) {
	printable := []rune("?+ äß漢🍵")
	for r := '!'; r <= '~'; r++ {
		printable = append(printable, r)
	}
	random := make([]byte, 62)
	for range 50 {
		rand.Read(random)
		secret := ":"
		for _, b := range random {
			secret += string(printable[int(b)%len(printable)])
		}
		secret += "\\"
		for place, c := range map[string]Config{
			"flag":        must(load(t, "", nil, "--openvidu-secret="+secret)),
			".env":        must(load(t, "OPENVIDU_SECRET="+secret+"\r\n", nil)),
			"environment": must(load(t, "", []string{"OPENVIDU_SECRET=" + secret})),
		} {
			if c.Secret != secret || len(c.Warnings) > 0 {
				t.Errorf("%q by %s is %q, warnings %q", secret, place, c.Secret, c.Warnings)
			}
		}
	}
	c, err := load(t, "OPENVIDU_SECRET=MY_SECRET\n", nil)
	if err != nil || len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "/.env:1: OPENVIDU_SECRET is short") || strings.Contains(c.Warnings[0], "MY_") {
		t.Errorf("a short secret: %v, %q", err, c.Warnings)
	}
	if _, err = load(t, "OPENVIDU_SECRET=MY_SECRET\nSTRICT=true\n", nil); err == nil || !strings.Contains(err.Error(), "OPENVIDU_SECRET=(hidden): shorter than 16 characters") {
		t.Errorf("a short secret where it is refused: %v", err)
	}
}

// TestENT_06__AddressesOfElasticsearch: with and without port, path, slash and credentials.
func TestENT_06__AddressesOfElasticsearch(t *testing.T) {
	for given, want := range map[string]Elastic{
		"https://e.example":                  {URL: "https://e.example"},
		"https://e.example/":                 {URL: "https://e.example"},
		"https://e.example:443":              {URL: "https://e.example:443"},
		"http://[::1]:9200/es/":              {URL: "http://[::1]:9200/es"},
		"https://u:p%40:s@e.example:9243/es": {URL: "https://e.example:9243/es", Username: "u", Password: "p@:s"},
	} {
		c, err := load(t, "OPENVIDU_PRO_ELASTICSEARCH=true\nOPENVIDU_PRO_ELASTICSEARCH_HOST="+given+"\nOPENVIDU_PRO_KIBANA_HOST="+given+"\n", nil)
		got := Elastic{URL: c.Elastic.URL, Username: c.Elastic.Username, Password: c.Elastic.Password}
		if err != nil || got != want || c.Elastic.Kibana != want.URL {
			t.Errorf("%s is %+v, Kibana %s, %v", given, got, c.Elastic.Kibana, err)
		}
		if shown := c.Value(setting(t, "OPENVIDU_PRO_ELASTICSEARCH_HOST")); strings.Contains(shown, "p%40") {
			t.Errorf("shown as %s", shown)
		}
		if want.Password != "" && !slices.Contains(c.Secrets(), "p%40:s") {
			t.Error("the password in the URL is no secret")
		}
	}
}
