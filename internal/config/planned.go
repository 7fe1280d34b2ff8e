package config

import (
	"slices"
	"strings"
)

// idle are names of OpenVidu that change nothing here, by what is to be said of them. One that ends in … opens others.
type idle struct {
	reason string
	names  []string
}

func names(text string) []string { return strings.Fields(text) }

// planned are waiting for a part that is not built yet, the reason: a .env with them starts, with a warning for each. A
// name moves from here to the settings when its part is built.
var planned = []idle{
	{"recording", names(`
		OPENVIDU_RECORDING OPENVIDU_RECORDING_PATH OPENVIDU_RECORDING_PUBLIC_ACCESS OPENVIDU_RECORDING_NOTIFICATION
		OPENVIDU_RECORDING_CUSTOM_LAYOUT OPENVIDU_RECORDING_AUTOSTOP_TIMEOUT OPENVIDU_RECORDING_DEBUG
		OPENVIDU_RECORDING_COMPOSED_URL OPENVIDU_RECORDING_COMPOSED_BASICAUTH OPENVIDU_RECORDING_ENABLE_GPU
		OPENVIDU_PRO_RECORDING_STORAGE OPENVIDU_PRO_AWS_S3_BUCKET OPENVIDU_PRO_AWS_S3_HEADERS
		OPENVIDU_PRO_AWS_S3_SERVICE_ENDPOINT OPENVIDU_PRO_AWS_S3_WITH_PATH_STYLE_ACCESS OPENVIDU_PRO_AWS_ACCESS_KEY
		OPENVIDU_PRO_AWS_SECRET_KEY OPENVIDU_PRO_AWS_REGION
	`)},
	{"speech to text", names(`
		OPENVIDU_PRO_SPEECH_TO_TEXT OPENVIDU_PRO_SPEECH_TO_TEXT_AZURE_KEY OPENVIDU_PRO_SPEECH_TO_TEXT_AZURE_REGION
		OPENVIDU_PRO_SPEECH_TO_TEXT_VOSK_MODEL_LOAD_STRATEGY
	`)},
	{"simulcast", names(`OPENVIDU_WEBRTC_SIMULCAST`)},
	{"a cluster of several nodes", names(`
		OPENVIDU_PRO_CLUSTER OPENVIDU_PRO_CLUSTER_MODE OPENVIDU_PRO_CLUSTER_ENVIRONMENT OPENVIDU_PRO_CLUSTER_MEDIA_NODES
		OPENVIDU_PRO_CLUSTER_RECONNECTION_TIMEOUT OPENVIDU_PRO_CLUSTER_LOAD_STRATEGY OPENVIDU_PRO_CLUSTER_LOAD_INTERVAL
		OPENVIDU_PRO_CLUSTER_PATH OPENVIDU_PRO_CLUSTER_TEST OPENVIDU_PRO_PRIVATE_IP
		OPENVIDU_PRO_MEDIA_NODE_PUBLIC_IP_AUTODISCOVER MEDIA_NODES_PUBLIC_IPS OPENVIDU_ENTERPRISE_HA_NODE_PRIVATE_IP
		OPENVIDU_ENTERPRISE_HA_NODE_IPS
	`)},
	{"autoscaling", names(`
		OPENVIDU_PRO_CLUSTER_AUTOSCALING OPENVIDU_PRO_CLUSTER_AUTOSCALING_INTERVAL OPENVIDU_PRO_CLUSTER_AUTOSCALING_MAX_NODES
		OPENVIDU_PRO_CLUSTER_AUTOSCALING_MIN_NODES OPENVIDU_PRO_CLUSTER_AUTOSCALING_MAX_LOAD
		OPENVIDU_PRO_CLUSTER_AUTOSCALING_MIN_LOAD RM_SQS_QUEUE RM_CLOUDFORMATION_ARN RM_MEDIA_NODES_AUTOSCALING_GROUP_NAME
		RM_MASTER_NODES_AUTOSCALING_GROUP_NAME
	`)},
}

// without are names that will never have an effect, and why: the start tells of them in one line.
var without = []idle{
	{"the media server is inside: there is no other to reach or to start", names(`KMS_URIS KMS_IMAGE MEDIASOUP_IMAGE KMS_DOCKER_ENV_…`)},
	{"TURN relays in memory, without ports or addresses of its own", names(`
		COTURN_INTERNAL_RELAY COTURN_MIN_PORT COTURN_MAX_PORT OPENVIDU_PRO_COTURN_IN_MEDIA_NODES
		OPENVIDU_PRO_COTURN_PORT_MEDIA_NODES COTURN_REDIS_…
	`)},
	{"they are of the external TURN server: name it in OPENVIDU_WEBRTC_ICE_SERVERS", names(`TURN_DOMAIN_NAME TURN_STATIC_AUTH_SECRET`)},
	{"everything is in the one edition, and no licence is needed", names(`OPENVIDU_PRO_LICENSE OPENVIDU_PRO_LICENSE_HTTP_PROXY OPENVIDU_EDITION`)},
	{"HTTPS_PORT is the port that listens: there is no proxy in front", names(`SERVER_PORT SERVER_SSL_ENABLED PROXY_MODE PROXY_PUBLIC_IP WORKER_CONNECTIONS`)},
	{"EXTRA_ROUTES shows an application", names(`WITH_APP`)},
	{"LOG_LEVEL and LOG_FORMAT say what is logged", names(`OV_CE_DEBUG_LEVEL OPENVIDU_DEV`)},
	{"there is neither Java nor a container to configure", names(`
		JAVA_OPTIONS DOCKER_LOGS_MAX_SIZE OPENVIDU_PRO_DOCKER_REGISTRIES DOTENV_PATH WAIT_KIBANA_URL ES_JAVA_OPTS
		OPENVIDU_RECORDING_VERSION OPENVIDU_RECORDING_IMAGE OPENVIDU_PRO_SPEECH_TO_TEXT_IMAGE AWS_CLI_DOCKER_TAG
	`)},
	{"METRICS_PORT gives these numbers whenever they are asked for", names(`OPENVIDU_PRO_STATS_MONITORING_INTERVAL`)},
	{"the state is in the data folder: no Redis is needed", names(`
		OPENVIDU_ENTERPRISE_HA_REDIS_HOST OPENVIDU_ENTERPRISE_HA_REDIS_PORT OPENVIDU_ENTERPRISE_HA_REDIS_PASSWORD
		OPENVIDU_ENTERPRISE_HA_REDIS_DATABASE OPENVIDU_ENTERPRISE_HA_REDIS_TIMEOUT RM_REDIS_IP RM_REDIS_PORT
	`)},
	{"the configuration is in the data folder: no bucket is needed", names(`
		OPENVIDU_ENTERPRISE_S3_CONFIG_AUTORESTART OPENVIDU_ENTERPRISE_HA_S3_CONFIG_SERVICE_ENDPOINT
		OPENVIDU_ENTERPRISE_HA_S3_CONFIG_BUCKET OPENVIDU_ENTERPRISE_HA_S3_CONFIG_ACCESS_KEY
		OPENVIDU_ENTERPRISE_HA_S3_CONFIG_SECRET_KEY OPENVIDU_ENTERPRISE_HA_S3_CONFIG_REGION
		OPENVIDU_ENTERPRISE_HA_S3_CONFIG_PATH_STYLE_ACCESS OPENVIDU_ENTERPRISE_HA_S3_CONFIG_HEADERS RM_S3_CONFIGURATION_BUCKET
		RM_S3_CONFIGURATION_BUCKET_REGION INITIAL_CONFIG_SYNC
	`)},
	{"there is no replication manager", names(`MULTI_MASTER_NODE_ID MULTI_MASTER_REPLICATION_MANAGER_WEBHOOK`)},
	{"machines of AWS are not ours to start", names(`
		AWS_DEFAULT_REGION AWS_IMAGE_ID AWS_INSTANCE_TYPE AWS_INSTANCE_ID AWS_KEY_NAME AWS_SUBNET_ID AWS_SECURITY_GROUP
		AWS_STACK_ID AWS_STACK_NAME AWS_VOLUME_SIZE
	`)},
}

// shared are those of the names above that other programs own too: in the environment they say nothing.
var shared = []string{"JAVA_OPTIONS", "DOTENV_PATH", "WAIT_KIBANA_URL", "ES_JAVA_OPTS", "SERVER_PORT", "AWS_…", "TURN_…"}

// Planned says which part a name waits for; "" if it waits for none.
func Planned(name string) (part string) { return reasonOf(planned, name) }

// Without says why a name of OpenVidu has no effect here; "" if it has one, or is unknown.
func Without(name string) (reason string) { return reasonOf(without, name) }

// Known is whether a name is a setting, planned, or without effect for a reason.
func Known(name string) bool { return isSetting(name) || Planned(name) != "" || Without(name) != "" }

func reasonOf(table []idle, name string) string {
	for _, row := range table {
		if isAmong(row.names, name) {
			return row.reason
		}
	}
	return ""
}

func isAmong(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		prefix, open := strings.CutSuffix(n, "…")
		return n == name || open && strings.HasPrefix(name, prefix)
	})
}

// isOff is a value that switches nothing on: nobody needs to be warned that it has no effect.
func isOff(value string) bool {
	return slices.Contains([]string{"", "false", "[]", "{}", "disabled"}, strings.ToLower(strings.TrimSpace(value)))
}
