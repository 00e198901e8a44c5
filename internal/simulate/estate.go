// Package simulate makes believable telemetry of a Windows estate, in the
// formats of real products, together with the truth about what is hidden in
// it.
//
// A scenario describes hosts, people, programs, destinations and habits. The
// estate plays it: every host acts by its own random numbers, the actions of
// all hosts are merged by time, and the sensors write what they saw of them.
// What is kept in memory depends on the number of hosts and of open
// connections, and not on the length of the play.
package simulate

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/simulate/format"
)

// An estate is the hosts of a scenario under the eyes of their sensors.
type estate struct {
	from, to event.Time
	now      event.Time
	tasks    queue[func(event.Time)]

	hosts []*host
	logs  []*eventLog // of the hosts; several hosts may share a file

	conn  *zeekLog[format.Conn]
	ssl   *zeekLog[format.Handshake]
	x509  *zeekLog[format.Certificate] // nil when certificates are not logged
	dns   *zeekLog[format.Query]
	shown map[string]event.Time // by fingerprint, when a certificate was last logged

	resolver   *host   // answers the hosts' DNS questions
	quiet      bool    // conn.log leaves the DNS flows out, as large sites have it
	lostEvents float64 // share of the endpoint events that never arrive
	lostFlows  float64 // share of the flows that the wire's sensor misses
	unnamed    float64 // share of Sysmon's connects without a process
}

// newEstate returns an estate whose Zeek writes to dir.
func newEstate(dir string, from, to event.Time, daily bool) *estate {
	return &estate{
		from: from, to: to, now: from,
		conn:  &zeekLog[format.Conn]{log: format.ConnLog, append: format.AppendConn, dir: dir, daily: daily},
		ssl:   &zeekLog[format.Handshake]{log: format.SSLLog, append: format.AppendHandshake, dir: dir, daily: daily},
		x509:  &zeekLog[format.Certificate]{log: format.X509Log, append: format.AppendCertificate, dir: dir, daily: daily},
		dns:   &zeekLog[format.Query]{log: format.DNSLog, append: format.AppendQuery, dir: dir, daily: daily},
		shown: make(map[string]event.Time),
	}
}

// at has do called at t.
func (e *estate) at(t event.Time, do func(now event.Time)) { e.tasks.push(t, do) }

// flushEvery is how often the sensors write what is due, on the estate's
// clock: rarely enough to cost little, often enough to bound the memory.
const flushEvery = time.Minute

// play runs the scenario to its end and closes the logs. A task may only make
// records of its own time and later.
func (e *estate) play() error {
	next := e.from.Add(flushEvery)
	for {
		t, do, ok := e.tasks.pop(e.to - 1)
		if !ok {
			break
		}
		if t >= next {
			if err := e.flush(t - 1); err != nil {
				return err
			}
			next = t.Add(flushEvery)
		}
		e.now = t
		do(t)
	}
	return errors.Join(e.flush(e.to-1), e.close())
}

// flush writes all records that are due at t.
func (e *estate) flush(t event.Time) error {
	for _, l := range e.logs {
		if err := l.flush(t); err != nil {
			return err
		}
	}
	if err := e.conn.flush(t); err != nil {
		return err
	}
	if err := e.ssl.flush(t); err != nil {
		return err
	}
	if e.x509 != nil {
		if err := e.x509.flush(t); err != nil {
			return err
		}
	}
	return e.dns.flush(t)
}

func (e *estate) close() error {
	errs := []error{e.conn.close(e.to), e.ssl.close(e.to), e.dns.close(e.to)}
	if e.x509 != nil {
		errs = append(errs, e.x509.close(e.to))
	}
	var last *file
	for _, l := range e.logs {
		if l.out != last {
			errs = append(errs, l.out.close())
			last = l.out
		}
	}
	return errors.Join(errs...)
}

// newUID returns an identity as Zeek makes them with bits_per_uid = 64: "C"
// and base 62.
func newUID(rng *rand.Rand) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var b [12]byte
	b[0] = 'C'
	n := 1
	for v := rng.Uint64(); v > 0; v /= 62 {
		b[n] = digits[v%62]
		n++
	}
	return string(b[:n])
}
