package schema

import (
	"cmp"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"github.com/postern/postern/internal/event"
)

// A Kind says what a Window must know of one kind of events to return each of
// them once and in order.
type Kind[E any] struct {
	key  func(*E) event.Key
	time func(*E) event.Time

	// client is what identifies an event besides its key; nil for nothing.
	// A sensor's UID is the key of a flow, and two sensors may give the
	// same one.
	client func(*E) netip.Addr

	// same reports whether two reports say the same.
	same func(a, b *E) bool

	// rank compares two reports of one event: the greater is the better.
	// Reports of equal rank differ in what does not matter much.
	rank func(a, b *E) int
}

// better reports whether a is to be kept rather than b. The choice does not
// depend on the order in which they come. An export may cut the time or a text,
// so the later and the longer report is the more exact one.
func (k *Kind[E]) better(a, b *E) bool {
	if k.rank != nil {
		if n := k.rank(a, b); n != 0 {
			return n > 0
		}
	}
	if n := cmp.Compare(k.time(a), k.time(b)); n != 0 {
		return n > 0
	}
	if k.same(a, b) {
		return false
	}
	x, y := fmt.Sprint(*a), fmt.Sprint(*b)
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)) > 0
}

func equal[E comparable](a, b *E) bool { return *a == *b }

func sameLookup(a, b *event.Lookup) bool {
	x, y := *a, *b
	x.Answers, y.Answers = nil, nil
	return reflect.DeepEqual(x, y) && slices.Equal(a.Answers, b.Answers)
}

// StartKind is the kind of process starts.
func StartKind() Kind[event.ProcessStart] {
	type E = event.ProcessStart
	return Kind[E]{key: (*E).Key, time: func(e *E) event.Time { return e.Time }, same: equal[E]}
}

// StopKind is the kind of process stops.
func StopKind() Kind[event.ProcessStop] {
	type E = event.ProcessStop
	return Kind[E]{key: (*E).Key, time: func(e *E) event.Time { return e.Time }, same: equal[E]}
}

// ConnectKind is the kind of connects.
func ConnectKind() Kind[event.Connect] {
	type E = event.Connect
	return Kind[E]{key: (*E).Key, time: func(e *E) event.Time { return e.Time }, same: equal[E]}
}

// LookupKind is the kind of DNS lookups.
func LookupKind() Kind[event.Lookup] {
	type E = event.Lookup
	return Kind[E]{key: (*E).Key, time: func(e *E) event.Time { return e.Time }, same: sameLookup}
}

// FlowKind is the kind of flows: two sensors may give two of them one UID.
func FlowKind() Kind[event.Flow] {
	type E = event.Flow
	return Kind[E]{
		key: (*E).Key, time: func(e *E) event.Time { return e.Time }, same: equal[E],
		client: func(e *E) netip.Addr { return e.Src.Addr() },
		rank:   rankFlows,
	}
}

// rankFlows prefers the final report, then the longest, then the one with most.
func rankFlows(a, b *event.Flow) int {
	if a.Open != b.Open {
		if b.Open {
			return 1
		}
		return -1
	}
	return cmp.Or(
		cmp.Compare(a.Duration, b.Duration),
		cmp.Compare(a.BytesOut, b.BytesOut),
		cmp.Compare(a.BytesIn, b.BytesIn),
	)
}

// HandshakeKind is the kind of TLS handshakes.
func HandshakeKind() Kind[event.Handshake] {
	type E = event.Handshake
	return Kind[E]{
		key: (*E).Key, time: func(e *E) event.Time { return e.Time }, same: equal[E],
		rank: func(a, b *E) int { return cmp.Compare(a.Established, b.Established) },
	}
}

// CertificateKind is the kind of certificates.
func CertificateKind() Kind[event.Certificate] {
	type E = event.Certificate
	return Kind[E]{key: (*E).Key, time: func(e *E) event.Time { return e.Time }, same: equal[E]}
}

// RequestKind is the kind of proxied requests.
func RequestKind() Kind[event.Request] {
	type E = event.Request
	return Kind[E]{key: (*E).Key, time: func(e *E) event.Time { return e.Time }, same: equal[E]}
}

// LeaseKind is the kind of leases.
func LeaseKind() Kind[event.Lease] {
	type E = event.Lease
	return Kind[E]{key: (*E).Key, time: func(e *E) event.Time { return e.Time }, same: equal[E]}
}

// NoticeKind is the kind of notices.
func NoticeKind() Kind[event.Notice] {
	type E = event.Notice
	return Kind[E]{key: (*E).Key, time: func(e *E) event.Time { return e.Time }, same: equal[E]}
}
