package simulate

import "github.com/postern/postern/internal/event"

// A queue gives values back by time, and those of one instant in the order in
// which they came.
type queue[T any] struct {
	slots []slot[T]
	seq   uint64
}

type slot[T any] struct {
	at    event.Time
	seq   uint64
	value T
}

func (s *slot[T]) before(o *slot[T]) bool {
	return s.at < o.at || s.at == o.at && s.seq < o.seq
}

// push adds v at t.
func (q *queue[T]) push(t event.Time, v T) {
	q.seq++
	q.slots = append(q.slots, slot[T]{t, q.seq, v})
	i := len(q.slots) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !q.slots[i].before(&q.slots[up]) {
			break
		}
		q.slots[i], q.slots[up] = q.slots[up], q.slots[i]
		i = up
	}
}

// pop removes and returns the first value if it is due at t.
func (q *queue[T]) pop(t event.Time) (at event.Time, v T, ok bool) {
	if len(q.slots) == 0 || q.slots[0].at > t {
		return 0, v, false
	}
	first := q.slots[0]
	last := len(q.slots) - 1
	q.slots[0] = q.slots[last]
	q.slots[last] = slot[T]{} // let go of the value
	q.slots = q.slots[:last]
	q.sink()
	return first.at, first.value, true
}

func (q *queue[T]) sink() {
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(q.slots); child++ {
			if q.slots[child].before(&q.slots[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		q.slots[i], q.slots[least] = q.slots[least], q.slots[i]
		i = least
	}
}
