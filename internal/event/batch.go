package event

// A Batch is a run of events of one input, by kind. Decoders append to it, the
// store takes it. Events of one kind stand in the order of the input.
type Batch struct {
	Starts       []ProcessStart
	Stops        []ProcessStop
	Connects     []Connect
	Lookups      []Lookup
	Flows        []Flow
	Handshakes   []Handshake
	Certificates []Certificate
	Requests     []Request
	Leases       []Lease
	Notices      []Notice
}

// Len returns the number of events in b.
func (b *Batch) Len() int {
	return len(b.Starts) + len(b.Stops) + len(b.Connects) + len(b.Lookups) +
		len(b.Flows) + len(b.Handshakes) + len(b.Certificates) + len(b.Requests) + len(b.Leases) + len(b.Notices)
}

// Reset empties b and keeps its memory.
func (b *Batch) Reset() {
	b.Starts = clearSlice(b.Starts)
	b.Stops = clearSlice(b.Stops)
	b.Connects = clearSlice(b.Connects)
	b.Lookups = clearSlice(b.Lookups)
	b.Flows = clearSlice(b.Flows)
	b.Handshakes = clearSlice(b.Handshakes)
	b.Certificates = clearSlice(b.Certificates)
	b.Requests = clearSlice(b.Requests)
	b.Leases = clearSlice(b.Leases)
	b.Notices = clearSlice(b.Notices)
}

// clearSlice drops the elements, so that the strings they hold can be freed.
func clearSlice[T any](s []T) []T {
	clear(s)
	return s[:0]
}
