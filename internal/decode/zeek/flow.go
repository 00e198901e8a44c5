package zeek

import "github.com/postern/postern/internal/event"

// flow reads a row of conn.log.
func (rc *recorder) flow(r *row, open bool, b *event.Batch) verdict {
	o, reason := rc.observe(r)
	if reason != "" {
		return verdict{skipped: reason}
	}
	duration, ok := interval(r.col[colDuration])
	orig, ok1 := sideOf(r, colOrigBytes, colOrigPackets)
	resp, ok2 := sideOf(r, colRespBytes, colRespPackets)
	if !ok || !ok1 || !ok2 {
		return verdict{skipped: badCount}
	}
	p := proto(r, o.src.Addr())
	orig, resp, unseen := volume(p, r.col[colHistory], orig, resp)
	if unseen&originator != 0 {
		rc.unseenOrig++
	}
	if unseen&responder != 0 {
		rc.unseenResp++
	}
	b.Flows = append(b.Flows, event.Flow{
		Sensor: o.sensor, Time: o.time, UID: o.uid,
		Proto: p, Src: o.src, Dst: o.dst,
		Duration: duration,
		BytesOut: orig.bytes, PacketsOut: orig.packets,
		BytesIn: resp.bytes, PacketsIn: resp.packets,
		State:   rc.words.of(r.text(colConnState)),
		History: rc.words.of(r.text(colHistory)),
		Service: rc.words.of(r.text(colService)),
		Open:    open,

		CommunityID: valid(r.text(colCommunityID)),
	})
	return verdict{}
}

func sideOf(r *row, bytes, packets column) (s side, ok bool) {
	var ok1, ok2 bool
	s.bytes, ok1 = count(r.col[bytes])
	s.packets, ok2 = count(r.col[packets])
	return s, ok1 && ok2
}
