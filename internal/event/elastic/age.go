package elastic

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"tertulia/internal/wire/openvidu"
)

// clean deletes what is older than MaxDays: indices of a day by our names, and of the index openvidu the documents of this
// cluster. It reports false if Elasticsearch could not be asked; an index that cannot be deleted is tried the next day.
func (s *sender) clean(ctx context.Context, now time.Time) bool {
	t := s.target.Load()
	if t == nil || t.MaxDays <= 0 {
		return true
	}
	oldest := now.UTC().AddDate(0, 0, -t.MaxDays)
	status, answer, err := s.ask(ctx, t, http.MethodGet, "/_cat/indices/"+strings.Join(openvidu.ElasticDated, "*,")+"*?format=json&h=index", "", nil)
	var list []struct{ Index string }
	if err != nil || status != http.StatusOK || json.Unmarshal(answer, &list) != nil {
		s.options.Log.Debug("old documents in Elasticsearch cannot be looked for", "status", status, "error", err)
		return false
	}
	for _, i := range list {
		if !tooOld(i.Index, oldest) {
			continue
		}
		status, _, err := s.ask(ctx, t, http.MethodDelete, "/"+i.Index, "", nil)
		s.options.Log.Info("an old index in Elasticsearch was deleted", "index", i.Index, "status", status, "error", err)
	}
	query := fmt.Sprintf(`{"query":{"bool":{"filter":[{"range":{"timestamp":{"lt":%d}}},{"match_phrase":{"cluster_id":%q}}]}}}`, oldest.UnixMilli(), t.ClusterID)
	status, _, err = s.ask(ctx, t, http.MethodPost, "/"+openvidu.ElasticEvents+"/_delete_by_query?conflicts=proceed&wait_for_completion=false", "application/json", []byte(query))
	s.options.Log.Debug("old documents in Elasticsearch are deleted", "status", status, "error", err)
	return err == nil
}

// tooOld: an index of ours whose day is over by then. Any other name is left alone.
func tooOld(index string, oldest time.Time) bool {
	for _, name := range openvidu.ElasticDated {
		if day, ok := strings.CutPrefix(index, name); ok {
			at, err := time.Parse("2006.01.02", day)
			return err == nil && at.AddDate(0, 0, 1).Before(oldest)
		}
	}
	return false
}
