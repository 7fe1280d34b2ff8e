package signal

import (
	"io"
	"net/http"
)

// acceptCertificate is the page that clients up to 2.7 open when their socket fails before the join: the browser asks
// there whether to trust a self-signed certificate (spec §2.3).
func acceptCertificate(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_, _ = io.WriteString(w, certificatePage) // a page that does not arrive is asked for again
}

const certificatePage = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Certificate accepted</title><style>body{font:16px/1.5 system-ui,sans-serif;margin:4rem auto;max-width:30rem;padding:0 1rem}</style></head>
<body><h1>Certificate accepted</h1><p>Your browser now trusts this server. Go back to the application and reload it.</p></body></html>
`
