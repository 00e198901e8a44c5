package suricata

import (
	"strconv"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/event"
)

// flow reads an event of the type flow, which Suricata logs at the flow's end.
func (d *decoder) flow(v *fastjson.Value, b *event.Batch) verdict {
	o, reason := d.observe(v)
	if reason != "" {
		return verdict{skipped: reason}
	}
	if o.proto == 0 {
		return verdict{ignored: "suricata flow, neither TCP nor UDP"}
	}
	inner := v.Get("flow")
	start, ok := instant(inner.GetStringBytes("start"))
	if !ok {
		return verdict{skipped: badTime}
	}
	duration, ok := lasting(inner, start)
	f := event.Flow{
		Sensor: o.sensor, Time: start, UID: o.uid,
		Proto: o.proto, Src: o.src, Dst: o.dst, Duration: duration,
		Service:     d.service(v),
		CommunityID: valid(v.GetStringBytes("community_id")),
	}
	for _, c := range []struct {
		to   *event.Count
		name string
	}{
		{&f.BytesOut, "bytes_toserver"}, {&f.BytesIn, "bytes_toclient"},
		{&f.PacketsOut, "pkts_toserver"}, {&f.PacketsIn, "pkts_toclient"},
	} {
		var fine bool
		*c.to, fine = count(inner.Get(c.name))
		ok = ok && fine
	}
	if !ok {
		return verdict{skipped: badCount}
	}
	d.judge(&f, flagsOf(v.Get("tcp")))
	d.flows++
	b.Flows = append(b.Flows, f)
	return verdict{}
}

// judge sets the state of f, and makes the counts unknown of a side that
// Suricata did not see.
func (d *decoder) judge(f *event.Flow, fl flags) {
	out, in := f.PacketsOut > 0, f.PacketsIn > 0
	unseen := false
	if !out && in {
		f.BytesOut, f.PacketsOut, unseen = event.Unknown, event.Unknown, true
	}
	// A client acknowledges only what it has received. UDP says nothing of
	// what was received, so one that went unanswered has truly 0 bytes in.
	if f.Proto == event.TCP && out && f.PacketsIn == 0 && fl.known && fl.client&flagACK != 0 {
		f.BytesIn, f.PacketsIn, unseen = event.Unknown, event.Unknown, true
	}
	if unseen {
		d.unseen++
	}
	f.State = state(f, fl)
}

// lasting returns how long a flow was: from start to end, or its age in whole
// seconds. An end before the start, after reordered packets, is unknown.
func lasting(inner *fastjson.Value, start event.Time) (event.Count, bool) {
	if end := inner.GetStringBytes("end"); len(end) > 0 {
		t, ok := instant(end)
		if t < start {
			return event.Unknown, ok
		}
		return event.Count(t - start), ok
	}
	age, ok := count(inner.Get("age"))
	if age > maxAge {
		return event.Unknown, false
	}
	if age.Known() {
		age *= 1e6
	}
	return age, ok
}

// maxAge keeps a number of seconds within an int64 of microseconds.
const maxAge = 250_000_000_000

// services has Zeek's words for protocols that Suricata names otherwise. It
// calls a protocol failed that it did not recognise.
var services = map[string]string{
	"tls": "ssl", "quic": "quic,ssl", "http1": "http", "http2": "http",
	"failed": "", "unknown": "",
}

// service returns the protocols of a flow. Where one was upgraded to TLS, by
// CONNECT or STARTTLS, app_proto_orig has the first.
func (d *decoder) service(v *fastjson.Value) string {
	now, before := d.protocol(v, "app_proto"), d.protocol(v, "app_proto_orig")
	if before == "" || before == now {
		return now
	}
	if now == "" {
		return before
	}
	return d.words.of([]byte(before + "," + now))
}

func (d *decoder) protocol(v *fastjson.Value, name string) string {
	b := v.GetStringBytes(name)
	if s, ok := services[string(b)]; ok {
		return s
	}
	return d.words.of(b)
}

// The flags of TCP that states go by.
const (
	flagFIN = 1 << iota
	flagSYN
	flagRST
	_
	flagACK
)

// flags are the TCP flags that each side of a flow has sent.
type flags struct {
	client, server uint8
	known          bool
}

func flagsOf(tcp *fastjson.Value) flags {
	client, ok1 := hexadecimal(tcp.GetStringBytes("tcp_flags_ts"))
	server, ok2 := hexadecimal(tcp.GetStringBytes("tcp_flags_tc"))
	return flags{client, server, ok1 && ok2}
}

func hexadecimal(b []byte) (uint8, bool) {
	n, err := strconv.ParseUint(string(b), 16, 8)
	return uint8(n), err == nil
}

// state returns Zeek's conn_state of a flow, or "" where the log does not tell.
func state(f *event.Flow, fl flags) string {
	if f.Proto == event.UDP {
		switch {
		case f.PacketsOut > 0 && f.PacketsIn > 0:
			return "SF"
		case f.PacketsOut > 0:
			return "S0"
		}
		return ""
	}
	if !fl.known {
		return ""
	}
	client, server := fl.client, fl.server
	switch {
	case client&flagSYN == 0:
		return "OTH"
	case f.PacketsIn == 0 && client&flagACK == 0:
		return "S0"
	case server&flagSYN == 0 && server&flagRST != 0:
		return "REJ"
	case server&flagSYN == 0:
		return "OTH"
	}
	return ending(client, server)
}

// ending is state for a connection that was opened.
func ending(client, server uint8) string {
	switch {
	case client&flagFIN != 0 && server&flagFIN != 0:
		return "SF"
	case client&flagRST != 0:
		return "RSTO"
	case server&flagRST != 0:
		return "RSTR"
	case client&flagFIN != 0:
		return "S2"
	case server&flagFIN != 0:
		return "S3"
	}
	return "S1"
}
