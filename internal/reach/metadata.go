package reach

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	metadataAt     = "http://169.254.169.254"
	metadataWithin = time.Second
	metadataMost   = 256 // bytes of an answer
)

// cloud is what a metadata service says; name is "" if none answered, public zero if it gave us no public address.
type cloud struct {
	name   string
	public netip.Addr
}

// provider is how one cloud is asked; its answer is an address and nothing else.
type provider struct {
	name, path string
	header     [2]string
	token      [2]string // AWS: a path to PUT for a token first, and the header it goes into
	sign       [2]string // a header that only this cloud's answer has
	mute       bool      // an answer without an address still is one: we have none
}

// The services are those of the clouds' own documentation: EC2 IMDSv2, GCE metadata, Azure IMDS, DigitalOcean metadata v1,
// Hetzner Cloud server metadata.
var providers = []provider{
	{name: "AWS", path: "/latest/meta-data/public-ipv4", token: [2]string{"/latest/api/token", "X-aws-ec2-metadata-token"}, mute: true},
	{name: "GCP", path: "/computeMetadata/v1/instance/network-interfaces/0/access-configs/0/external-ip", header: [2]string{"Metadata-Flavor", "Google"}, sign: [2]string{"Metadata-Flavor", "Google"}, mute: true},
	{name: "Azure", path: "/metadata/instance/network/interface/0/ipv4/ipAddress/0/publicIpAddress?api-version=2021-02-01&format=text", header: [2]string{"Metadata", "true"}},
	{name: "DigitalOcean", path: "/metadata/v1/interfaces/public/0/ipv4/address"},
	{name: "Hetzner", path: "/hetzner/v1/metadata/public-ipv4"},
}

// askClouds asks all at once, for a second at most. Where there is no cloud nobody answers, and that is no error. Of
// several answers the first provider's with an address counts.
func askClouds(ctx context.Context, base string) cloud {
	// No proxy: it would be asked about itself.
	return askCloudsBy(ctx, base, &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{}).DialContext, MaxResponseHeaderBytes: 4 << 10})
}

func askCloudsBy(ctx context.Context, base string, transport http.RoundTripper) cloud {
	ctx, cancel := context.WithTimeout(ctx, metadataWithin)
	defer cancel()
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the service has none
	}
	answers := make([]cloud, len(providers))
	var asking sync.WaitGroup
	for i := range providers {
		asking.Go(func() { answers[i] = providers[i].ask(ctx, client, base) })
	}
	asking.Wait()
	var mute cloud
	for _, a := range answers {
		if a.public.IsValid() {
			return a
		}
		if mute.name == "" {
			mute = a
		}
	}
	return mute
}

func (p *provider) ask(ctx context.Context, client *http.Client, base string) cloud {
	header := http.Header{}
	if p.header[0] != "" {
		header.Set(p.header[0], p.header[1])
	}
	known := p.sign[0] != ""
	if p.token[0] != "" {
		status, _, token := fetch(ctx, client, http.MethodPut, base+p.token[0], http.Header{"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": {"60"}})
		if status != http.StatusOK || token == "" || strings.ContainsAny(token, " \r\n<") {
			return cloud{}
		}
		header.Set(p.token[1], token)
		known = true
	}
	status, answered, body := fetch(ctx, client, http.MethodGet, base+p.path, header)
	if p.sign[0] != "" && answered.Get(p.sign[0]) != p.sign[1] {
		return cloud{}
	}
	address, err := netip.ParseAddr(body)
	switch {
	case status == http.StatusOK && err == nil && IsPublic(address):
		return cloud{p.name, address.Unmap()}
	case p.mute && known && (status == http.StatusNotFound || status == http.StatusOK && body == ""):
		return cloud{name: p.name}
	}
	return cloud{}
}

// fetch returns status 0 if nobody answered.
func fetch(ctx context.Context, client *http.Client, method, url string, header http.Header) (status int, answered http.Header, body string) {
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return 0, nil, ""
	}
	request.Header = header
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, metadataMost+1))
	if err != nil || len(text) > metadataMost {
		return 0, nil, ""
	}
	return response.StatusCode, response.Header, strings.TrimSpace(string(text))
}
