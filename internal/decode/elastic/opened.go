package elastic

import (
	"net/netip"

	"github.com/postern/postern/internal/event"
)

// A connKey tells connections that are open at one time apart.
type connKey struct {
	host, guid string
	pid        uint32
	proto      event.Proto
	src, dst   netip.AddrPort
}

func keyOf(e *event.Connect) connKey {
	return connKey{e.Host, e.GUID, e.PID, e.Proto, e.Src, e.Dst}
}

// An opening is the begin of a connection.
type opening struct {
	time     event.Time
	outbound bool
}

// maxOpened bounds how many connections are remembered twice over.
const maxOpened = 1 << 17

// opened remembers the connections that have not ended: the newest, in two
// halves, of which the older is forgotten when the newer is full.
type opened struct{ newer, older map[connKey]opening }

func (o *opened) add(k connKey, begin opening) {
	if o.newer == nil || len(o.newer) >= maxOpened {
		o.newer, o.older = make(map[connKey]opening), o.newer
	}
	o.newer[k] = begin
}

// take returns the begin of a connection, and forgets it.
func (o *opened) take(k connKey) (opening, bool) {
	begin, ok := o.newer[k]
	if !ok {
		begin, ok = o.older[k]
	}
	delete(o.newer, k)
	delete(o.older, k)
	return begin, ok
}
