package zeek

import (
	"net/netip"
	"slices"

	"github.com/postern/postern/internal/event"
)

// maxAnswers bounds the addresses of one answer.
const maxAnswers = 256

// lookup reads a row of dns.log.
func (rc *recorder) lookup(r *row, b *event.Batch) verdict {
	o, reason := rc.observe(r)
	if reason != "" {
		return verdict{skipped: reason}
	}
	if isNeighbourly(o.dst) {
		return verdict{ignored: "zeek dns, multicast or NetBIOS"}
	}
	question := name(r.text(colQuery))
	if question == "" {
		return verdict{ignored: "zeek dns, no question"}
	}
	answers := rc.addresses(r)
	if len(answers) == 0 && !asksAddress(r) {
		return verdict{ignored: "zeek dns, not for an address"}
	}
	b.Lookups = append(b.Lookups, event.Lookup{
		Sensor: o.sensor, Time: o.time,
		Client: o.src.Addr(), Name: question, Answers: answers,
	})
	return verdict{}
}

// isNeighbourly reports whether a question to dst goes to the neighbours on
// the link, and not to a resolver: NetBIOS, multicast DNS, LLMNR. A resolver
// may listen on any other port.
func isNeighbourly(dst netip.AddrPort) bool {
	switch dst.Port() {
	case 137, 5353, 5355:
		return true
	}
	return dst.Addr().IsMulticast()
}

// asksAddress reports whether r asks for what a client asks for before it
// connects.
func asksAddress(r *row) bool {
	if t := r.col[colQtypeName]; len(t) > 0 {
		return string(t) == "A" || string(t) == "AAAA" || string(t) == "HTTPS"
	}
	switch string(r.col[colQtype]) {
	case "1", "28", "65":
		return true
	}
	return false
}

// addresses returns the answers that are addresses.
func (rc *recorder) addresses(r *row) []netip.Addr {
	rc.answers = rc.answers[:0]
	rest := r.col[colAnswers]
	for len(rest) > 0 && len(rc.answers) < maxAnswers {
		element := first(rest, r.set)
		rest = rest[min(len(element)+1, len(rest)):]
		if a, ok := address(element); ok {
			rc.answers = append(rc.answers, a)
		}
	}
	if len(rc.answers) == 0 {
		return nil
	}
	return slices.Clone(rc.answers)
}
