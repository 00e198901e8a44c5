package fleet

import (
	"strconv"
	"time"

	"github.com/postern/postern/internal/event"
)

// What the sensors and the join lose: shares of sessions, or of host-days.
const (
	lookupOwned = 0.02   // sessions whose owner only a lookup tells
	connectLost = 0.015  // sessions whose connect never arrived
	agentDown   = 0.005  // host-days without endpoint events
	leaseLost   = 0.0015 // host-days on which nothing ties the address to the host
	flowLost    = 0.008  // sessions that the wire's sensor missed
	bytesLost   = 0.008  // sessions whose bytes it did not see
	nameHidden  = 0.015  // handshakes without a server name, which a lookup tells
	nameLost    = 0.003  // and those that nothing names
)

// sensor is the name of the sensor on the wire.
const sensor = "edge-1"

// Sessions returns what a good join makes of the contacts: the i-th is of the
// i-th contact. Most owners are exact; on some days and for some sessions
// evidence is missing, as it is anywhere.
func (h *HostDays) Sessions() []event.Session {
	d := newDice(h.seed, "sensors", 0)
	down, lost := make([]bool, h.days), make([]bool, h.days)
	for i := range h.days {
		down[i], lost[i] = d.chance(agentDown), d.chance(leaseLost)
	}
	all := make([]event.Session, len(h.Contacts))
	for i := range h.Contacts {
		s := &all[i]
		*s = h.session(i)
		n := int(h.Contacts[i].Start.Sub(h.from) / day)
		switch x := d.Float64(); {
		case lost[n]:
			s.Host = ""
			disown(s, event.RungNone)
		case down[n] || x < connectLost:
			disown(s, event.RungHost)
		case x < connectLost+lookupOwned:
			s.Rung, s.User, s.OriginalName = event.RungLookup, "", ""
		case x < connectLost+lookupOwned+flowLost:
			unsee(s)
		}
		switch x := d.Float64(); {
		case s.Sensor == "":
		case x < bytesLost:
			s.BytesOut, s.BytesIn = event.Unknown, event.Unknown
		case x < bytesLost+nameHidden:
			s.SNI, s.NameSource = "", event.NameLookup
		case x < bytesLost+nameHidden+nameLost:
			s.SNI, s.Name, s.NameSource = "", s.Dst.Addr().String(), event.NameAddress
			s.Domain = s.Name
		}
	}
	return all
}

// session returns contact i as it would be if all evidence were there.
func (h *HostDays) session(i int) event.Session {
	c := &h.Contacts[i]
	key := hashOf(h.Name) + uint64(i)*0x9e3779b97f4a7c15
	return event.Session{
		Key: event.Key(key), Host: h.Name, Client: h.Addr, Sensor: sensor,
		Rung: event.RungExact, Program: c.Process.Key, PID: c.Process.PID, GUID: c.Process.GUID,
		Image: c.Process.Image, User: c.Process.User, OriginalName: c.Process.Original,
		Name: c.To.Name, NameSource: event.NameSNI, Domain: c.To.Domain, Dst: c.To.Dst, Proto: event.TCP,
		Start: c.Start, Duration: event.Count(max(c.Lasts, 30*time.Millisecond) / time.Microsecond),
		BytesOut: event.Count(c.Up), BytesIn: event.Count(c.Down),
		Evidence: event.TLSHandshake, SNI: c.To.Name, JA4: c.Process.JA4, Established: event.Yes,
		UID: "C" + strconv.FormatUint(key, 36),
	}
}

// disown takes the owner away.
func disown(s *event.Session, rung event.Rung) {
	s.Rung, s.Program, s.PID, s.GUID, s.Image, s.User, s.OriginalName = rung, "", 0, "", "", "", ""
}

// unsee leaves of a session what its host knows.
func unsee(s *event.Session) {
	s.Rung, s.Evidence, s.Sensor, s.UID = event.RungEndpoint, event.TLSPort, "", ""
	s.Duration, s.BytesOut, s.BytesIn = event.Unknown, event.Unknown, event.Unknown
	s.SNI, s.JA4, s.Established, s.NameSource = "", "", event.Unsaid, event.NameLookup
}
