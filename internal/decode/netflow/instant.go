package netflow

import "github.com/postern/postern/internal/event"

// times sets when a record's flow began and ended. It is false where the
// record does not tell.
func (v *values) times(m *message, r *record) bool {
	start, hasStart := v.instant(m, elStartMillis, elStartNTP, elStartSeconds, elStartUptime, elStartDelta)
	end, hasEnd := v.instant(m, elEndMillis, elEndNTP, elEndSeconds, elEndUptime, elEndDelta)
	lasted, hasDuration := v.duration()
	switch {
	case hasStart && !hasEnd && hasDuration:
		end, hasEnd = start+lasted, true
	case hasEnd && !hasStart && hasDuration:
		start, hasStart = end-lasted, true
	}
	if !hasStart && hasEnd {
		start = end
	}
	if !hasEnd {
		end = start
	}
	r.start, r.end, r.untimed = start, end, !hasStart || !hasEnd
	return hasStart || hasEnd
}

// maxDuration keeps durations far from overflow: a year.
const maxDuration = 366 * 24 * 3600 * 1e6

func (v *values) duration() (event.Time, bool) {
	switch {
	case v.set[elMillis]:
		return event.Time(min(v.number[elMillis], maxDuration/1000) * 1000), true
	case v.set[elMicros]:
		return event.Time(min(v.number[elMicros], maxDuration)), true
	}
	return 0, false
}

// instant returns the first instant of those that the record has: in
// milliseconds, in the form of NTP, in seconds, in the exporter's uptime, or
// in microseconds before the export.
func (v *values) instant(m *message, millis, ntp, seconds, uptime, delta element) (event.Time, bool) {
	const most = uint64(maxTime)
	switch {
	case v.set[millis]:
		return event.Time(min(v.number[millis], most/1000) * 1000), true
	case v.set[ntp]:
		return ofNTP(v.number[ntp]), true
	case v.set[seconds]:
		return event.Time(min(v.number[seconds], most/1e6) * 1e6), true
	case v.set[uptime]:
		return v.ofUptime(m, uint32(v.number[uptime]))
	case v.set[delta]:
		return event.Time(m.time*1000) - event.Time(min(v.number[delta], maxDuration)), true
	}
	return event.Never, false
}

// ofNTP reads seconds since 1900, and behind them their fraction: RFC 5905.
func ofNTP(n uint64) event.Time {
	const from1900 = 2208988800
	seconds, fraction := int64(n>>32)-from1900, n&0xffffffff
	return event.Time(seconds*1e6 + int64(fraction*1e6>>32))
}

// ofUptime returns the instant of an uptime in milliseconds. The header of
// NetFlow says how long the exporter was up; IPFIX has, in the record or among
// the options, when it began.
func (v *values) ofUptime(m *message, uptime uint32) (event.Time, bool) {
	if m.version == version9 {
		return m.since(uptime), true
	}
	boot := m.state.boot
	if v.set[elBoot] {
		boot = int64(min(v.number[elBoot], uint64(maxTime)/1000))
	}
	return event.Time((boot + int64(uptime)) * 1000), boot > 0
}
