package coverage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// causeTexts say what each cause is, and what to do about it on which hosts.
var causeTexts = map[cause]struct{ text, fix string }{
	noEndpoint:    {"No endpoint telemetry says which process made them.", "Deploy Sysmon with NetworkConnect and ProcessCreate, or turn on auditing of 5156 and 4688, on %s."},
	behindNAT:     {"They come from behind an address translation, and their hosts could not be told apart.", "Place a sensor inside the address translation at %s, or export its log of sessions."},
	sharedAddress: {"Several hosts used the address, and nothing says which had it then.", "Read the DHCP log, or list in the inventory who has %s when."},
	outsideLog:    {"They are older or newer than the endpoint's log of connects.", "Collect the event log continuously, or make it larger, so that it covers the network's evidence, on %s."},
	noConnects:    {"The endpoint reports, and logs no connects at all.", "Log NetworkConnect (Sysmon 3), or turn on auditing of the Filtering Platform Connection (Security 5156), on %s."},
	silence:       {"The endpoint logged no connect in that hour.", "Find out why connects stopped being logged, and forward the log so that a stop is noticed, on %s."},
	notLogged:     {"The endpoint logged other connects at that time, and not these.", "Include port 443 in the NetworkConnect rules (see the Sysmon audit), and see to it that no records are lost, on %s."},
	unnamed:       {"A connect was logged whose process its sensor could not name.", "Log the start of processes (Sysmon 1, or Security 4688), on %s."},
	noSNI:         {"The handshake names no destination, and no DNS answer was seen.", "Log DNS at a resolver or a sensor, and DnsQuery (Sysmon 22), for %s."},
	noHandshake:   {"No handshake was seen that could name the destination, and no DNS answer.", "Have the sensor log handshakes (Zeek ssl.log) and DNS, and place it where it sees both directions of %s."},
	noLookup:      {"Only an endpoint saw them, and no DNS answer names the destination.", "Log DnsQuery (Sysmon 22), and place a network sensor where it sees %s."},
	noWire:        {"No network sensor saw them: what they sent, and for how long, is unknown.", "Place a network sensor where it sees %s, or read the log of the proxy or firewall there."},
	missed:        {"A network sensor watches the host, and has no record of them.", "See to it that the sensor loses no packets, and that its evidence covers the endpoint's time, for %s."},
	stillOpen:     {"They had not ended when they were last reported.", "Read the evidence up to when they end, of %s."},
	noCount:       {"A sensor saw them and could not count.", "Have the sensor write a record of each connection (Zeek conn.log), and place it where it sees both directions of %s."},
	tooShort:      {"The sensor was there for less than a day.", "Keep at least a day of network evidence of %s; the baseline needs more."},
}

// spots lists the blind spots, the most bytes at risk first.
//
// A session of unknown size may be of any. To rank a spot it is taken for an
// average one; nothing shows that number.
func (g *Gauge) blindSpots() []BlindSpot {
	var total row
	for _, h := range g.hosts {
		total.merge(&h.row)
	}
	average := 1.0
	if n := total.sessions - total.noBytes; n > 0 && total.bytes > 0 {
		average = float64(total.bytes) / float64(n)
	}
	keys := make([]spotKey, 0, len(g.spots))
	for k := range g.spots {
		keys = append(keys, k)
	}
	risk := func(s *group) float64 { return float64(s.bytes) + average*float64(s.noBytes) }
	slices.SortFunc(keys, func(a, b spotKey) int {
		x, y := g.spots[a], g.spots[b]
		return cmp.Or(cmp.Compare(risk(y), risk(x)), cmp.Compare(y.sessions, x.sessions),
			cmp.Compare(a.question, b.question), cmp.Compare(a.cause, b.cause))
	})
	all := []BlindSpot{}
	for _, k := range keys {
		s := g.spots[k]
		t := causeTexts[k.cause]
		names := s.names()
		all = append(all, BlindSpot{
			Question: questionNames[k.question], Cause: string(k.cause),
			Sessions: s.sessions, NoBytes: s.noBytes, BytesOut: s.known(), Hosts: len(s.hosts), Names: names,
			Text: t.text, Fix: fmt.Sprintf(t.fix, enumerate(names, len(s.hosts))),
		})
	}
	return all
}

// enumerate names the first few of so many hosts.
func enumerate(names []string, of int) string {
	const few = 5
	shown := make([]string, 0, few)
	for _, n := range names[:min(len(names), few)] {
		shown = append(shown, cmp.Or(n, "an unknown host"))
	}
	text := strings.Join(shown, ", ")
	if more := of - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
