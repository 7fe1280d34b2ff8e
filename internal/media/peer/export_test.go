package peer

import "context"

// Shard is the i-th.
func (s *Shards) Shard(i int) *Shard { return s.shards[i] }

// Crossed counts what crossings leave in a shard: routes of others' endpoints, and mirrors of others' tracks.
func (s *Shard) Crossed(ctx context.Context) (routes, mirrors int, err error) {
	err = s.Do(ctx, func() { routes, mirrors = len(s.routes.to), len(s.mirrors.of) })
	return routes, mirrors, err
}
