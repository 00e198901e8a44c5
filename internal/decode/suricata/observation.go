package suricata

import (
	"math"
	"net/netip"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/event"
)

// An observation is what all events of a flow begin with.
type observation struct {
	sensor   string
	time     event.Time
	uid      string
	proto    event.Proto
	src, dst netip.AddrPort
}

// observe reads the members that the events of a flow share. It returns the
// reason where it cannot.
func (d *decoder) observe(v *fastjson.Value) (o observation, reason string) {
	var ok bool
	if o.time, ok = instant(v.GetStringBytes("timestamp")); !ok {
		return o, badTime
	}
	if o.src, reason = addrPort(v.Get("src_ip"), v.Get("src_port")); reason != "" {
		return o, reason
	}
	if o.dst, reason = addrPort(v.Get("dest_ip"), v.Get("dest_port")); reason != "" {
		return o, reason
	}
	o.sensor = d.sensor(v)
	o.uid = d.number(v.Get("flow_id"))
	o.proto = proto(v.GetStringBytes("proto"))
	return o, ""
}

// facing is observe for an event whose ends may stand in the direction of the
// packet at which it was logged, and not in the flow's: the server is the one
// with the port that is a server's.
func (d *decoder) facing(v *fastjson.Value, isServer func(port uint16) bool) (observation, string) {
	o, reason := d.observe(v)
	if isServer(o.src.Port()) && !isServer(o.dst.Port()) {
		o.src, o.dst = o.dst, o.src
	}
	return o, reason
}

// sensor returns the sensor-name of Suricata's configuration.
func (d *decoder) sensor(v *fastjson.Value) string {
	if s := d.words.of(v.GetStringBytes("host")); s != "" {
		return s
	}
	return "suricata"
}

// number returns a number as it is written: 51 bits fit no float in every
// exporter, so some write a string.
func (d *decoder) number(v *fastjson.Value) string {
	switch {
	case v == nil:
		return ""
	case v.Type() == fastjson.TypeString:
		return valid(v.GetStringBytes())
	case v.Type() == fastjson.TypeNumber:
		d.buf = v.MarshalTo(d.buf[:0])
		return string(d.buf)
	}
	return ""
}

func proto(b []byte) event.Proto {
	switch string(b) {
	case "TCP":
		return event.TCP
	case "UDP":
		return event.UDP
	}
	return 0
}

func addrPort(ip, port *fastjson.Value) (netip.AddrPort, string) {
	a, ok := address(ip)
	if !ok {
		return netip.AddrPort{}, badAddress
	}
	if port == nil { // ICMP
		return netip.AddrPortFrom(a, 0), ""
	}
	n, err := port.Uint()
	if err != nil || n > math.MaxUint16 {
		return netip.AddrPort{}, badPort
	}
	return netip.AddrPortFrom(a, uint16(n)), ""
}

// maxAddress is longer than any address in text.
const maxAddress = 64

// address reads an IP address. One of IPv4 that was mapped into IPv6 becomes
// IPv4 again, so that sensors agree.
func address(v *fastjson.Value) (netip.Addr, bool) {
	b := v.GetStringBytes()
	if len(b) == 0 || len(b) > maxAddress {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(string(b))
	return a.Unmap().WithZone(""), err == nil
}

// count reads a number of bytes or packets.
func count(v *fastjson.Value) (event.Count, bool) {
	if v == nil {
		return event.Unknown, true
	}
	n, err := v.Int64()
	if err != nil || n < 0 {
		return event.Unknown, false
	}
	return event.Count(n), true
}
