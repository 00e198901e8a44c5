package netflow

import (
	"math"
	"net/netip"

	"github.com/postern/postern/internal/event"
)

// A volume is what went one way.
type volume struct {
	bytes   event.Count // of layer 3, IP headers included
	packets event.Count
}

// unseen is the volume of a direction that no record tells of.
var unseen = volume{event.Unknown, event.Unknown}

// times returns v as it was before sampling 1:rate, which is an estimate.
func (v volume) times(rate int64) volume {
	return volume{scaled(v.bytes, rate), scaled(v.packets, rate)}
}

func scaled(c event.Count, rate int64) event.Count {
	switch {
	case !c.Known() || rate <= 1:
		return c
	case int64(c) > math.MaxInt64/rate:
		return math.MaxInt64
	}
	return c * event.Count(rate)
}

// plus returns the sum of what two records tell. What neither tells is
// unknown.
func (v volume) plus(w volume) volume {
	return volume{added(v.bytes, w.bytes), added(v.packets, w.packets)}
}

func added(a, b event.Count) event.Count {
	switch {
	case !a.Known():
		return b
	case !b.Known():
		return a
	}
	return event.Count(b.AddTo(int64(a)))
}

// A record is what an exporter said of one direction of a flow, or of both, for
// a stretch of its life.
type record struct {
	sensor      string
	start, end  event.Time
	untimed     bool // how long it lasted is not known
	proto       event.Proto
	src, dst    netip.AddrPort
	forth, back volume // back is unseen in a record of one direction
	flags       uint8  // of TCP, all that were seen
	rate        int64  // 1:rate packets were sampled; the volumes allow for it
	oriented    bool   // src is the originator: the exporter said so
}

// The flags of TCP that matter here.
const (
	flagFIN = 0x01
	flagSYN = 0x02
	flagRST = 0x04
)

// A verdict says what becomes of a record: it is used where it is zero, else
// why not.
type verdict struct {
	ignored string
	skipped string
}

// fine reports whether the record is used.
func (v verdict) fine() bool { return v == (verdict{}) }

// The reasons to skip a record.
const (
	badTime    = "unreadable time"
	badAddress = "unreadable address"
	badPort    = "unreadable port"
	badCount   = "unreadable count"
)

// What the tally calls records that are of no use.
const (
	ignoreTransport = "flow record, neither TCP nor UDP"
	ignoreFurther   = "further record of a flow"
	ignoreAgain     = "flow record, the same flow seen again"
	ignoreEvent     = "NAT or firewall event without volume"
)

// maxTime is in the year 9892: what others can print, and far from overflow.
const maxTime = event.Time(250_000_000_000 * 1e6)

// check returns what is wrong with r, whatever it was read from.
func (r *record) check() verdict {
	switch {
	case r.proto != event.TCP && r.proto != event.UDP:
		return verdict{ignored: ignoreTransport}
	case !r.src.Addr().IsValid() || !r.dst.Addr().IsValid():
		return verdict{skipped: badAddress}
	case r.start <= 0 || r.start > maxTime || r.end > maxTime:
		return verdict{skipped: badTime}
	}
	return verdict{}
}
