package netflow

import "github.com/postern/postern/internal/event"

const (
	nfdumpClock = "flow times as nfdump prints them (exporter)"
	zoneWarning = "nfdump prints times without a zone: they are taken for UTC"
)

var nfdumpJSON = &jsonShape{clock: nfdumpClock, warning: zoneWarning, is: isNfdump, fill: fillNfdump}

// isNfdump goes by what every record has.
func isNfdump(o *object) bool {
	return len(o.text("type")) > 0 && o.value.Exists("export_sysid") && len(o.first("first", "t_first")) > 0
}

func fillNfdump(o *object) (r record, v verdict) {
	if string(o.text("type")) != "FLOW" {
		return r, verdict{ignored: ignoreEvent}
	}
	r = record{
		sensor: o.names.of(o.first("ip4_router", "ip6_router"), "nfdump"),
		proto:  transport(o.text("proto")), flags: flagsOf(o.text("tcp_flags")), rate: 1,
	}
	if r.proto == 0 {
		return r, verdict{ignored: ignoreTransport}
	}
	if reason := o.ends(&r, o.first("src4_addr", "src6_addr"), o.first("dst4_addr", "dst6_addr")); reason != "" {
		return r, verdict{skipped: reason}
	}
	var ok, ok1, ok2 bool
	r.start, ok1 = printed(o.first("first", "t_first"))
	if r.end, ok2 = printed(o.first("last", "t_last")); !ok1 || !ok2 {
		return r, verdict{skipped: badTime}
	}
	if r.forth, ok1 = o.volume("in_bytes", "in_packets"); !ok1 {
		return r, verdict{skipped: badCount}
	}
	if r.back, ok = o.volume("out_bytes", "out_packets"); !ok {
		return r, verdict{skipped: badCount}
	}
	r.back = bothWays(r.back)
	if string(o.text("sampled")) == "1" {
		o.tally.Warn("estimates: sampled, and multiplied by nfdump")
	}
	return r, verdict{}
}

// bothWays returns the volume of the second direction. nfdump has zeros there
// in a record of one direction.
func bothWays(v volume) volume {
	if v.bytes <= 0 && v.packets <= 0 {
		return unseen
	}
	return v
}

var goflow2JSON = &jsonShape{clock: exportClock, is: isGoflow2, fill: fillGoflow2}

// isGoflow2 goes by what every record of the default mapping has.
func isGoflow2(o *object) bool {
	return len(o.text("type")) > 0 && o.value.Exists("sampler_address") && o.value.Exists("src_addr") &&
		(o.value.Exists("time_received_ns") || o.value.Exists("time_received"))
}

func fillGoflow2(o *object) (r record, v verdict) {
	switch string(o.text("type")) {
	case "SFLOW_5", "SFLOW", "1":
		return r, verdict{ignored: "sFlow sample, no flow"}
	}
	r = record{
		sensor: o.names.of(o.text("sampler_address"), "goflow2"),
		proto:  transport(o.text("proto")), flags: flagsOf(o.text("tcp_flags")), back: unseen,
	}
	if r.proto == 0 {
		return r, verdict{ignored: ignoreTransport}
	}
	if reason := o.ends(&r, o.text("src_addr"), o.text("dst_addr")); reason != "" {
		return r, verdict{skipped: reason}
	}
	var ok1, ok2 bool
	r.start, ok1 = o.epoch("time_flow_start")
	if r.end, ok2 = o.epoch("time_flow_end"); !ok1 || !ok2 {
		return r, verdict{skipped: badTime}
	}
	rate, ok1 := o.count("sampling_rate")
	if r.forth, ok2 = o.volume("bytes", "packets"); !ok1 || !ok2 {
		return r, verdict{skipped: badCount}
	}
	r.rate = min(max(int64(rate), 1), maxRate)
	r.forth = r.forth.times(r.rate)
	return r, verdict{}
}

// epoch reads a time since the epoch in the finest unit that is there.
func (o *object) epoch(name string) (event.Time, bool) {
	for _, unit := range [...]struct {
		suffix         string
		times, divided uint64
	}{{"_ns", 1, 1000}, {"_ms", 1000, 1}, {"", 1e6, 1}} {
		if b := o.text(name + unit.suffix); len(b) > 0 {
			n, ok := decimal(b)
			n /= unit.divided
			if n > uint64(maxTime)/unit.times {
				return event.Never, false
			}
			return event.Time(n * unit.times), ok && n > 0
		}
	}
	return event.Never, false
}
