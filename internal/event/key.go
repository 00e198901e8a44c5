package event

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	"github.com/cespare/xxhash/v2"
)

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }

// A Key identifies an observation, so that the same record read twice, from
// the same file or from overlapping exports, counts once. It is made of what
// every export of a record preserves: never of free text that an export may
// cut, and of the time only to the millisecond.
//
// Keys are compared within one host's or one address's window only.
type Key uint64

// ident builds a Key in a buffer that usually stays on the stack.
type ident struct{ b []byte }

func (i *ident) text(s string) *ident {
	i.b = append(append(i.b, s...), 0)
	return i
}

func (i *ident) num(n uint64) *ident {
	i.b = binary.LittleEndian.AppendUint64(i.b, n)
	return i
}

func (i *ident) addr(a netip.AddrPort) *ident {
	b := a.Addr().As16()
	i.b = append(i.b, b[:]...)
	i.b = binary.LittleEndian.AppendUint16(i.b, a.Port())
	return i
}

func (i *ident) key() Key { return Key(xxhash.Sum64(i.b)) }

// endpoint starts the key of a host's record. The record number, where the
// export kept it, stands for the time: exports round times differently.
func (i *ident) endpoint(kind byte, host string, s Source, record uint64, t Time) *ident {
	i.b = append(i.b, kind, byte(s))
	i.text(host).num(record)
	if record == 0 {
		i.num(uint64(t / 1000))
	}
	return i
}

// Key returns the identity of e.
func (e *ProcessStart) Key() Key {
	var buf [192]byte
	i := ident{buf[:0]}
	return i.endpoint('p', e.Host, e.Source, e.Record, e.Time).num(uint64(e.PID)).text(e.GUID).key()
}

// Key returns the identity of e.
func (e *ProcessStop) Key() Key {
	var buf [192]byte
	i := ident{buf[:0]}
	return i.endpoint('s', e.Host, e.Source, e.Record, e.Time).num(uint64(e.PID)).text(e.GUID).key()
}

// Key returns the identity of e. What counts a connection is another
// observation than what opened it, although both are of one instant.
func (e *Connect) Key() Key {
	var buf [192]byte
	i := ident{buf[:0]}
	kind := byte('c')
	if e.Volume.Counted {
		kind = 'v'
	}
	return i.endpoint(kind, e.Host, e.Source, e.Record, e.Time).
		num(uint64(e.PID)).num(uint64(e.Proto)).addr(e.Src).addr(e.Dst).key()
}

// Key returns the identity of e.
func (e *Lookup) Key() Key {
	var buf [256]byte
	i := ident{buf[:0]}
	if e.Host == "" {
		i.b = append(i.b, 'w')
		i.text(e.Sensor).num(uint64(e.Time / 1000)).addr(netip.AddrPortFrom(e.Client, 0))
	} else {
		i.endpoint('l', e.Host, e.Source, e.Record, e.Time).num(uint64(e.PID))
	}
	return i.text(e.Name).key()
}

// Key returns the identity of e. A flow that is reported again, as Zeek does
// in open_conn.log and then in conn.log, keeps its key.
func (e *Flow) Key() Key {
	var buf [192]byte
	i := ident{buf[:0]}
	i.b = append(i.b, 'f')
	if e.UID != "" {
		return i.text(e.UID).key()
	}
	return i.text(e.Sensor).num(uint64(e.Time / 1000)).num(uint64(e.Proto)).addr(e.Src).addr(e.Dst).key()
}

// Key returns the identity of e: the flow's, and the time for a flow that
// shakes hands more than once.
func (e *Handshake) Key() Key {
	var buf [192]byte
	i := ident{buf[:0]}
	i.b = append(i.b, 'h')
	return i.text(e.UID).num(uint64(e.Time / 1000)).addr(e.Src).addr(e.Dst).key()
}

// Key returns the identity of e.
func (e *Certificate) Key() Key {
	var buf [192]byte
	i := ident{buf[:0]}
	i.b = append(i.b, 'x')
	return i.text(e.ID).key()
}

// Key returns the identity of e.
func (e *Request) Key() Key {
	var buf [256]byte
	i := ident{buf[:0]}
	i.b = append(i.b, 'r')
	i.text(e.UID).num(uint64(e.Time / 1000)).addr(e.Src).addr(e.Dst).text(e.Method).text(e.Host)
	if e.UID == "" {
		// A proxy's log often says neither the client's port nor the proxy's
		// address: what it counted keeps two requests of one instant apart.
		v := e.Volume.Known()
		i.text(e.Sensor).num(uint64(v.Duration)).num(uint64(v.BytesOut)).num(uint64(v.BytesIn))
	}
	return i.key()
}

// Key returns the identity of e.
func (e *Lease) Key() Key {
	var buf [192]byte
	i := ident{buf[:0]}
	i.b = append(i.b, 'd')
	return i.text(e.Sensor).text(e.Host).num(uint64(e.Time / 1000)).addr(netip.AddrPortFrom(e.Addr, 0)).text(e.MAC).key()
}

// Key returns the identity of e.
func (e *Notice) Key() Key {
	var buf [192]byte
	i := ident{buf[:0]}
	return i.endpoint('n', e.Host, e.Source, e.Record, e.Time).text(e.Kind).key()
}
