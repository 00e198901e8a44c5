package suricata

import (
	"net/netip"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/event"
)

// maxAnswers bounds the addresses of one answer.
const maxAnswers = 256

// lookup reads an event of the type dns. In version 1 an answer has one event
// for each of its records, and stands in the direction of its packet.
func (d *decoder) lookup(v *fastjson.Value, b *event.Batch) verdict {
	inner := v.Get("dns")
	switch string(inner.GetStringBytes("type")) {
	case "query", "request":
		return verdict{ignored: "suricata dns, question"}
	}
	o, reason := d.facing(v, isResolver)
	if reason != "" {
		return verdict{skipped: reason}
	}
	if isNeighbourly(o.dst) {
		return verdict{ignored: "suricata dns, multicast or NetBIOS"}
	}
	asked, kind := question(inner)
	if asked == "" {
		return verdict{ignored: "suricata dns, no question"}
	}
	found := addresses(inner)
	if len(found) == 0 && kind != "A" && kind != "AAAA" && kind != "HTTPS" {
		return verdict{ignored: "suricata dns, not for an address"}
	}
	b.Lookups = append(b.Lookups, event.Lookup{
		Sensor: o.sensor, Time: o.time, Client: o.src.Addr(), Name: asked, Answers: found,
	})
	return verdict{}
}

func isResolver(port uint16) bool { return port == 53 }

// isNeighbourly reports whether a question to dst goes to the neighbours on
// the link, and not to a resolver: NetBIOS, multicast DNS, LLMNR.
func isNeighbourly(dst netip.AddrPort) bool {
	switch dst.Port() {
	case 137, 5353, 5355:
		return true
	}
	return dst.Addr().IsMulticast()
}

// question returns the name and the type that were asked for. Version 3 has
// them in an array.
func question(inner *fastjson.Value) (asked, kind string) {
	if q := inner.Get("queries", "0"); q != nil {
		inner = q
	}
	return name(inner.GetStringBytes("rrname")), string(inner.GetStringBytes("rrtype"))
}

// addresses returns the addresses of an answer, from wherever the layout has
// them: each record, all of one type, or the event itself.
func addresses(inner *fastjson.Value) []netip.Addr {
	var found []netip.Addr
	for _, record := range inner.GetArray("answers") {
		found = appendRecord(found, record)
	}
	if len(found) == 0 {
		for _, kind := range [...]string{"A", "AAAA"} {
			for _, v := range inner.GetArray("grouped", kind) {
				found = appendAddress(found, v)
			}
		}
	}
	if len(found) == 0 {
		found = appendRecord(found, inner)
	}
	return found
}

// appendRecord appends the address of a record that holds one.
func appendRecord(found []netip.Addr, record *fastjson.Value) []netip.Addr {
	switch string(record.GetStringBytes("rrtype")) {
	case "A", "AAAA":
		return appendAddress(found, record.Get("rdata"))
	}
	return found
}

func appendAddress(found []netip.Addr, v *fastjson.Value) []netip.Addr {
	if a, ok := address(v); ok && len(found) < maxAnswers {
		return append(found, a)
	}
	return found
}
