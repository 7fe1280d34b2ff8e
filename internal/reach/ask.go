package reach

import (
	"context"
	"net/netip"
)

// AskCloud asks the metadata services of clouds, once and for a second at most, by which address this machine is
// reached: for the doctor. name is "" where there is no cloud, public is zero where it gave us no address.
func AskCloud(ctx context.Context) (name string, public netip.Addr) {
	c := askClouds(ctx, metadataAt)
	return c.name, c.public
}
