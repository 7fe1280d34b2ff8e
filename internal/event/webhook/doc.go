// Package webhook sends events to the application's server, one POST each, as openvidu-server 2.32.1 does
// (HttpWebhookSender.java), and patiently where that gives up.
//
// It owns the request, what an answer means and how often to try again; which event is next, and that none is lost over
// a restart, is the affair of whoever calls [Sender.Take] (cluster/stream). It imports wire/openvidu and fault.
// Start at [Sender.Take].
package webhook
