package w3c

import (
	"bytes"
	"net/http"
	"net/netip"
	"time"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/gateway"
	"github.com/postern/postern/internal/event"
)

// A parser reads lines by the directives before them.
type parser struct {
	tally   *decode.Tally
	columns []column // of the last #Fields line; nil before the first
	tabs    bool
	missing string // what the columns lack
	iis     bool   // the software serves pages of its own too
	millis  bool   // whole numbers of time-taken are milliseconds
	known   bool   // the software was named
}

// arrMark is what Application Request Routing adds to the query of a request
// that it forwarded.
var arrMark = []byte("X-ARR-LOG-ID")

// line reads a directive or a record.
func (p *parser) line(line []byte, b *event.Batch) gateway.Verdict {
	if line[0] == '#' {
		p.directive(line)
		return gateway.Verdict{Layout: true}
	}
	var r row
	switch {
	case p.columns == nil:
		return gateway.Skip("no #Fields line before it")
	case p.missing != "":
		return gateway.Skip("the #Fields line lacks " + p.missing)
	case !r.split(line, p.columns, p.tabs):
		return gateway.Skip("fields do not fit the #Fields line")
	case p.iis && !bytes.Contains(r[query], arrMark):
		return gateway.Ignore("w3c, served by IIS itself")
	}
	return p.record(&r, b)
}

// directive takes a line that begins with "#".
func (p *parser) directive(line []byte) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	switch {
	case bytes.EqualFold(name, []byte("#Software")):
		p.known = true
		p.iis = bytes.Contains(value, []byte("Internet Information Services"))
		p.millis = bytes.Contains(value, []byte("SGOS")) || bytes.Contains(value, []byte("Microsoft"))
	case bytes.EqualFold(name, []byte("#Fields")):
		p.columns, p.tabs = columnsOf(value)
		p.missing = missing(p.columns)
	}
}

// record makes the event of a line.
func (p *parser) record(r *row, b *event.Batch) gateway.Verdict {
	q := gateway.Request{Method: gateway.Method(first(r[method], r[method2])), User: gateway.Name(first(r[user], r[user2]))}
	q.Sensor = "w3c-proxy"
	if name := gateway.Name(first(r[proxyName], r[proxyName2])); name != "" {
		q.Sensor = name
	}
	var v gateway.Verdict
	if q.Target, v = p.target(r, &q); v != gateway.Done {
		return v
	}
	var ok bool
	if q.End, ok = gateway.DateTime(r[date], r[clock], time.UTC); !ok {
		return gateway.Skip(gateway.NoTime)
	}
	if q.Src, ok = gateway.AddrPort(r[clientAddr], r[clientPort]); !ok {
		return gateway.Skip(gateway.NoClient)
	}
	if q.Dst, ok = gateway.AddrPort(r[proxyAddr], r[proxyPort]); !ok {
		q.Dst = netip.AddrPort{}
	}
	if !p.counts(r, &q) {
		return gateway.Skip(gateway.NoNumber)
	}
	return q.Append(b)
}

// counts reads what was counted of a request.
func (p *parser) counts(r *row, q *gateway.Request) bool {
	var ok [4]bool
	var code event.Count
	q.BytesOut, ok[0] = gateway.Count(r[bytesOut])
	q.BytesIn, ok[1] = gateway.Count(r[bytesIn])
	q.Duration, ok[2] = p.lasted(r[taken])
	code, ok[3] = gateway.Count(r[status])
	q.Status = int(min(max(code, 0), 99999)) // ISA has codes of Windows
	return ok == [4]bool{true, true, true, true}
}

// lasted reads time-taken.
func (p *parser) lasted(b []byte) (event.Count, bool) {
	whole, part, fixed := bytes.Cut(b, []byte("."))
	if !fixed {
		n, ok := gateway.Count(b)
		if n.Known() && p.known && !p.millis {
			p.tally.Warn("whole numbers in time-taken are of an unknown unit: times are of the end of each request")
			return event.Unknown, ok
		}
		return gateway.Times(n, 1e3), ok
	}
	seconds, ok := gateway.Number(whole)
	part = append(append(make([]byte, 0, 6), part[:min(len(part), 6)]...), "000000"[min(len(part), 6):]...)
	micros, ok2 := gateway.Number(part)
	if !ok || !ok2 || seconds > 1e9 {
		return event.Unknown, false
	}
	return event.Count(seconds*1e6 + micros), true
}

// target returns what was asked for.
func (p *parser) target(r *row, q *gateway.Request) (decode.Target, gateway.Verdict) {
	s, ok := schemeOf(first(r[scheme], r[scheme2]))
	if s == "connect" {
		q.Method, s = http.MethodConnect, ""
	}
	if q.Method != http.MethodConnect && !ok {
		return decode.Target{}, gateway.Ignore("w3c, neither http nor https")
	}
	h := first(r[host], r[host2])
	if !gateway.Said(h) {
		return gateway.Asked(q.Method, s, r[uri]), gateway.Done
	}
	t := decode.AuthorityTarget(h)
	if n, ok := gateway.Port(first(r[port], r[port2])); ok && n != 0 {
		t.Port = n
	}
	if q.Method == http.MethodConnect {
		return t, gateway.Done
	}
	t.Scheme = s
	return gateway.Complete(t), gateway.Done
}

// schemeOf returns "http" or "https"; "connect" where the protocol says what
// the method does not; or false for a scheme that carries no HTTP. IIS does not
// say it, and forwards plain HTTP only.
func schemeOf(b []byte) (string, bool) {
	switch {
	case bytes.EqualFold(b, []byte("https")), bytes.EqualFold(b, []byte("ssl")):
		return "https", true
	case bytes.EqualFold(b, []byte("http")), !gateway.Said(b):
		return "http", true
	case bytes.EqualFold(b, []byte("ssl-tunnel")): // of ISA and TMG
		return "connect", true
	}
	return "", false
}
