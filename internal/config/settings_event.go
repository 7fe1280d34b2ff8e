package config

// eventSettings are those of webhooks, CDR files, Elasticsearch and statistics.
var eventSettings = []Setting{
	{
		Name: "OPENVIDU_WEBHOOK", Default: "false", Live: true, kind: boolean(func(c *Config) *bool { return &c.on.webhook }),
		Doc: "Send events to `OPENVIDU_WEBHOOK_ENDPOINT`.",
	}, {
		Name: "OPENVIDU_WEBHOOK_ENDPOINT", Live: true, kind: address(func(c *Config) *string { return &c.Webhook.Endpoint }),
		Doc: "URL that events are posted to. `OPENVIDU_WEBHOOK=true` needs it. Any certificate of that server is accepted, as in OpenVidu. See [events](events.md).",
	}, {
		Name: "OPENVIDU_WEBHOOK_HEADERS", Secret: true, Live: true, kind: headers(func(c *Config) *[]string { return &c.Webhook.Headers }),
		Doc: "HTTP headers of every such request, as in `[\"Authorization: Bearer abc\",\"X-App: tea\"]`.",
	}, {
		Name: "OPENVIDU_WEBHOOK_EVENTS", Default: "[" + defaultEvents + "]", Live: true, kind: eventNames(func(c *Config) *[]string { return &c.Webhook.Events }),
		Doc: "The events that are sent. Beside OpenVidu's names there is `diagnosis`, a fault that was found in a call, which is sent only if it is named here.",
	}, {
		Name: "EVENTS_MAX", Default: "1000000", kind: between(1000, 1_000_000_000, func(c *Config) *int { return &c.EventsMax }),
		Doc: "How many events are kept for a webhook that is down and for `GET /openvidu/api/events`; the oldest go first.",
	}, {
		Name: "OPENVIDU_CDR", Default: "false", Live: true, kind: boolean(func(c *Config) *bool { return &c.on.cdr }),
		Doc: "Write every event into files in `OPENVIDU_CDR_PATH`.",
	}, {
		Name: "OPENVIDU_CDR_PATH", Default: "cdr", Live: true, kind: text(func(c *Config) *string { return &c.on.cdrPath }),
		Doc: "Folder of these files, made if it is missing. A relative one is inside the data folder. (OpenVidu's default is /opt/openvidu/cdr.)",
	}, {
		Name: "OPENVIDU_PRO_ELASTICSEARCH", Default: "false", Live: true, kind: boolean(func(c *Config) *bool { return &c.on.elastic }),
		Doc: "Export events and statistics to Elasticsearch. Nothing waits for it: what it does not take in time is dropped. (On by default in OpenVidu Pro.)",
	}, {
		Name: "OPENVIDU_PRO_ELASTICSEARCH_HOST", Default: "http://localhost:9200", Live: true, kind: login(func(c *Config) *string { return &c.Elastic.URL }),
		Doc: "URL of Elasticsearch: with or without port (80 or 443 then, by scheme), path and credentials.",
	}, {
		Name: "OPENVIDU_PRO_KIBANA_HOST", Default: "http://localhost:5601", Live: true, kind: login(func(c *Config) *string { return &c.Elastic.Kibana }),
		Doc: "URL of Kibana, in the same ways. It is shown to people and never asked.",
	}, {
		Name: "ELASTICSEARCH_USERNAME", Live: true, kind: text(func(c *Config) *string { return &c.Elastic.Username }),
		Doc: "User of Elasticsearch; stronger than one in its URL.",
	}, {
		Name: "ELASTICSEARCH_PASSWORD", Secret: true, Live: true, kind: text(func(c *Config) *string { return &c.Elastic.Password }),
		Doc: "Password of that user.",
	}, {
		Name: "OPENVIDU_PRO_ELASTICSEARCH_MAX_DAYS_DELETE", Default: "7", Live: true, kind: upTo(36500, func(c *Config) *int { return &c.Elastic.MaxDays }),
		Doc: "Days that documents are kept in Elasticsearch; 0 is for ever.",
	}, {
		Name: "OPENVIDU_PRO_CLUSTER_ID", Live: true, kind: pattern(`^[A-Za-z0-9_.-]{1,128}$`, "letters, digits, _ . and - only", func(c *Config) *string { return &c.Elastic.ClusterID }),
		Doc: "Name of this deployment in every document. Unset: one is generated and kept in the data folder (file `cluster-id`).",
	}, {
		Name: "OPENVIDU_PRO_STATS_SESSION_INTERVAL", Default: "5", Live: true, kind: upTo(86400, func(c *Config) *int { return &c.Elastic.SessionInterval }),
		Doc: "Seconds between two documents about each session; 0 is none.",
	}, {
		Name: "OPENVIDU_PRO_STATS_SERVER_INTERVAL", Default: "10", Live: true, kind: upTo(86400, func(c *Config) *int { return &c.Elastic.ServerInterval }),
		Doc: "Seconds between two documents about the server; 0 is none.",
	}, {
		Name: "OPENVIDU_PRO_STATS_WEBRTC_INTERVAL", Default: "30", Live: true, kind: upTo(86400, func(c *Config) *int { return &c.StatsInterval }),
		Doc: "Seconds between two statistics of every WebRTC endpoint on the timeline; 0 is none. A change is for those who join after it.",
	}, {
		Name: "OPENVIDU_PRO_NETWORK_QUALITY", Default: "false", Live: true, kind: boolean(func(c *Config) *bool { return &c.on.quality }),
		Doc: "Judge the network of every publisher and tell everybody in the session: 0 (broken) to 5 (excellent).",
	}, {
		Name: "OPENVIDU_PRO_NETWORK_QUALITY_INTERVAL", Default: "5", Live: true, kind: between(1, 3600, func(c *Config) *int { return &c.on.qualityEvery }),
		Doc: "Seconds between two such judgements.",
	}, {
		Name: "OPENVIDU_BROWSER_LOGS", Default: "disabled", Live: true, kind: oneOf(func(c *Config) *string { return &c.BrowserLogs }, "disabled", "debug", "debug_app"),
		Doc: "Whether browsers send the log of their SDK here, for the timeline of their session: `disabled`, `debug`, or `debug_app` for the application's own lines too. A change is for those who join after it.",
	},
}
