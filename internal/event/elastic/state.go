package elastic

func (s *sender) wake() {
	select {
	case s.adopted <- struct{}{}:
	default:
	}
}

// Stats counts since the start.
type Stats struct {
	Sent, Dropped, Refused uint64 // documents: taken; that made way for newer ones; that Elasticsearch did not want
	Failed                 uint64 // requests nobody has answered, or with a failure
	Waiting                int    // documents
}

// Stats are the numbers of now.
func (s *sender) Stats() Stats {
	waiting, dropped := s.queue.state()
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Sent: s.sent, Dropped: dropped, Refused: s.refused, Failed: s.failed, Waiting: waiting}
}

// Check is what is to be known of Elasticsearch: asked is false if it is off or was not asked yet; trouble is "" if it
// took the latest request.
func (s *sender) Check() (where, trouble string, asked bool) {
	t := s.target.Load()
	if t == nil {
		return "", "", false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return t.where, s.trouble, s.seen
}

// outcome notes how the latest request went; the log has each change.
func (s *sender) outcome(trouble string, asked bool) {
	s.mu.Lock()
	before, seen := s.trouble, s.seen
	s.trouble, s.seen = trouble, asked
	if trouble != "" {
		s.failed++
	}
	s.mu.Unlock()
	switch {
	case trouble != "" && before == "":
		s.options.Log.Warn("Elasticsearch does not take documents; the oldest are dropped when too many wait", "error", trouble)
	case trouble == "" && before != "" && seen && asked:
		s.options.Log.Info("Elasticsearch takes documents again")
	}
}
