package simulator

import "fmt"

// BulkUpdate sets fields of several records at one time, as the bulk edit of a list does.
func (s *Simulator) BulkUpdate(name string, ids []string, f Fields) {
	l := listNamed(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tableOf(l)
	now := stampOf(s.clock.now())
	for _, id := range ids {
		s.changeRecord(t.find(name, id), manner{bulk: true}, func(r row, t *table, _ stamp) row {
			r.body = s.moved(t, f, now).patch(r.body, t.obj.layout)
			return r
		})
	}
}

// Merge merges one record into another of its list: the loser is deleted, the winner's update_time moves.
func (s *Simulator) Merge(name, loser, winner string) {
	if loser == winner {
		panic(fmt.Sprintf("simulator: record %q of %s cannot be merged into itself", loser, name))
	}
	l := listNamed(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tableOf(l)
	from, to := t.find(name, loser), t.find(name, winner)
	s.changeRecord(from, manner{mergedTo: winner}, s.deleted)
	s.changeRecord(to, manner{mergedFrom: loser}, func(r row, t *table, now stamp) row {
		r.body = s.moved(t, nil, now).patch(r.body, t.obj.layout)
		return r
	})
}
