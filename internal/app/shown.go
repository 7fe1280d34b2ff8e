package app

import (
	"net/url"
	"strings"

	"tertulia/internal/config"
	"tertulia/internal/wire/openvidu"
)

// completed adds to what GET /config shows the keys that depend on others, and those of OpenVidu Pro.
func completed(c config.Config, shown openvidu.RESTConfig) openvidu.RESTConfig {
	if c.CDR.Path != "" {
		shown.CDR, shown.CDRPath = true, strings.TrimSuffix(c.CDR.Path, "/")+"/"
	}
	if c.Webhook.Endpoint != "" {
		shown.Webhook = true
		shown.RESTWebhookConfig = &openvidu.RESTWebhookConfig{
			Endpoint: c.Webhook.Endpoint, Headers: append([]string{}, c.Webhook.Headers...), Events: append([]string{}, c.Webhook.Events...),
		}
	}
	shown.RESTProConfig = &openvidu.RESTProConfig{
		Edition: "pro", ClusterID: c.Elastic.ClusterID,
		SessionInterval: c.Elastic.SessionInterval, ServerInterval: c.Elastic.ServerInterval, WebRTCInterval: c.StatsInterval,
		Elasticsearch: c.Elastic.URL != "", ElasticsearchHost: withoutCredentials(c.Elastic.URL),
		Kibana: c.Elastic.Kibana != "", KibanaHost: withoutCredentials(c.Elastic.Kibana),
		NetworkQuality: c.NetworkQuality > 0, NetworkQualityInterval: c.NetworkQuality,
		SpeechToText: "disabled", MediaServer: c.MediaServer,
	}
	return shown
}

// withoutCredentials takes user and password out of a URL; what is no URL is not shown.
func withoutCredentials(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	u.User = nil
	return u.String()
}
