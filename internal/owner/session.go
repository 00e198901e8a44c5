package owner

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/postern/postern/internal/destination"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/process"
	"github.com/postern/postern/internal/program"
)

// flow puts flow i into the ledger and returns its session, if it is an
// outbound TLS connection that carried something.
func (j *join) flow(i int) (event.Session, bool) {
	f := &j.flows[i]
	s := event.Session{
		Key: f.Key(), Client: f.Src.Addr(), Sensor: f.Sensor,
		Dst: f.Dst, Proto: f.Proto,
		Start: f.Time, Duration: f.Duration, BytesOut: f.BytesOut, BytesIn: f.BytesIn,
		Open: f.Open, UID: f.UID,
	}
	h, r := j.handshakes[i], j.requests[i]
	if r != nil && f.UID == "" {
		s.Key = r.Key() // a proxy's log may say neither the client's port nor its own address
	}
	kind := j.kind(f, h, r, &s)
	describeTLS(&s, h)
	why := j.own(&s, i, r)
	if s.Rung == event.RungNone && why == NoTelemetry && j.Loose {
		j.loose.outside(f, &s, kind)
	}
	j.ledger.flow(&s, kind, why)
	if j.results != nil {
		j.results[i] = result{s.Host, s.Rung, why}
	}
	return s, kind == FlowTLS
}

// kind sorts a flow, and notes on which ground it is TLS.
func (j *join) kind(f *event.Flow, h *event.Handshake, r *event.Request, s *event.Session) Kind {
	from, to := j.Networks.Internal(f.Src.Addr()), j.Networks.Internal(f.Dst.Addr())
	switch {
	case r != nil: // a CONNECT to a proxy, wherever that stands, asks for a far end
		if h == nil {
			s.Evidence = event.TLSPort
			if plainPorts[r.Port] {
				return FlowPlain
			}
		}
		if h == nil && (refused(r) || empty(f)) {
			return FlowAttempt
		}
		return FlowTLS
	case j.proxies[f.Dst]:
		return FlowProxied
	case to && from:
		return FlowInternal
	case to:
		return FlowInbound
	}
	evidence, tls := j.tlsOf(f, h)
	s.Evidence = evidence
	switch {
	case h == nil && empty(f):
		return FlowAttempt
	case !tls:
		return FlowPlain
	}
	return FlowTLS
}

func describeTLS(s *event.Session, h *event.Handshake) {
	if h == nil {
		return
	}
	s.SNI, s.JA3, s.JA4 = h.SNI, h.JA3, h.JA4
	s.Issuer, s.Subject = h.Issuer, h.Subject
	s.Established = h.Established
}

// own names the session's owner and destination by the best rung, and says why
// when there is none.
func (j *join) own(s *event.Session, i int, r *event.Request) Reason {
	if o := j.owners[i]; o.any() {
		k := j.choose(o)
		s.Rung = o.rung
		if s.OtherImage = j.contradiction(o, k); s.OtherImage != "" {
			j.ledger.Contradictory++
		}
		s.Host = k.Host
		count(s, o.said[counting])
		j.process(s, k)
		j.nameFar(s, r, k.DstName)
		j.history.learn(s)
		return owned
	}
	held := j.holder(&j.flows[i])
	s.Host = held.host
	j.nameFar(s, r, "")
	if held.host == "" {
		s.Rung = event.RungNone
		return held.why
	}
	if l := j.asker(held, s); l != nil {
		s.Rung = event.RungLookup
		k := event.Connect{Host: held.host, PID: l.PID, GUID: l.GUID, Image: l.Image, Time: l.Time}
		j.process(s, &k)
		return owned
	}
	if held.sure && j.covered[held.host].enough() && j.history.infer(s) {
		return owned
	}
	s.Rung = event.RungHost
	return j.whyUnowned(held.host, s.Start)
}

// count makes the session native where an endpoint's own event counts it, and
// takes from that what the wire could not see.
func count(s *event.Session, k *event.Connect) {
	if k == nil {
		return
	}
	s.Rung = event.RungNative
	if !s.BytesOut.Known() {
		s.BytesOut = k.Volume.BytesOut
	}
	if !s.BytesIn.Known() {
		s.BytesIn = k.Volume.BytesIn
	}
	if !s.Duration.Known() {
		s.Duration = k.Volume.Duration
	}
}

func (j *join) whyUnowned(host string, t event.Time) Reason {
	seen, ok := j.endpoint[host]
	switch {
	case !ok:
		return NoTelemetry // a lease names the host, and it says nothing itself
	case !j.clocks.known(host) && !seen.has(t):
		return ClockUnknown
	case t < seen.first:
		return OlderThanLog
	case t > seen.last:
		return NewerThanLog
	}
	return NoEvent
}

// choose returns the event to believe about a flow. One that counts the flow's
// bytes was written by who carries it. Security 5156 is written by the kernel
// at the moment of the connect; Sysmon resolves the process later, and can name
// another one that reused its PID. So where they name different programs
// Security is believed, and where they agree Sysmon is, as it also knows the
// process's GUID. An event without an image is believed last.
func (j *join) choose(o owners) *event.Connect {
	if n := o.said[counting]; n != nil && n.Image != "" {
		return n
	}
	k, s := o.said[kernel], o.said[resolved]
	switch {
	case s == nil && k == nil:
		return o.said[counting]
	case s == nil:
		return k
	case k == nil || k.Image == "":
		return s
	case s.Image == "" || j.template(s.Image) != j.template(k.Image):
		return k
	case s.PID != k.PID && s.PID != 0 && k.PID != 0:
		return k // two instances of one program
	}
	return s
}

// contradiction returns the image that an event which was not chosen names,
// when it names another program.
func (j *join) contradiction(o owners, chosen *event.Connect) string {
	for v := range voices {
		k := o.said[voices-1-v]
		if k != nil && k != chosen && k.Image != "" && j.template(k.Image) != j.template(chosen.Image) {
			return k.Image
		}
	}
	return ""
}

// process notes the process of a connect on its session.
func (j *join) process(s *event.Session, k *event.Connect) {
	s.PID, s.GUID, s.Image, s.User = k.PID, k.GUID, k.Image, k.User
	if t := j.procs[k.Host]; t != nil {
		if p := t.Find(k.GUID, k.PID, k.Time); p != nil && j.fits(p, k) {
			s.GUID = cmp.Or(s.GUID, p.GUID)
			s.Image = cmp.Or(s.Image, p.Image)
			s.User = cmp.Or(s.User, p.User)
			s.OriginalName = p.OriginalName
			s.Program = j.key(p, s.Image)
			return
		}
	}
	j.identify(s)
}

// key returns the identity of a process's program: with the service, the script
// or the application that its image hosts, where its command line tells.
func (j *join) key(p *process.Instance, image string) string {
	k, ok := j.keys[p]
	if !ok {
		k = program.Key(program.Evidence{
			Image: image, OriginalName: p.OriginalName, Product: p.Product, Company: p.Company,
			CommandLine: p.CommandLine, ParentImage: p.ParentImage, ParentCommandLine: p.ParentCommandLine,
		})
		j.keys[p] = k
	}
	return k
}

// fits reports whether a process can be the one of a connect. A PID alone is
// not enough where the image differs, or where the connect has none: it may
// have been used again, and the start that says so be lost.
func (j *join) fits(p *process.Instance, k *event.Connect) bool {
	if k.GUID != "" && k.GUID == p.GUID {
		return true
	}
	return k.Image != "" && (p.Image == "" || j.template(p.Image) == j.template(k.Image))
}

// identify names the session's program. A sensor that did not know the image
// leaves it unknown: that never becomes a program.
func (j *join) identify(s *event.Session) { s.Program = j.template(s.Image) }

// template is program.Template, worked out once for each image: hosts start
// the same programs again and again.
func (j *join) template(image string) string {
	t, ok := j.templates[image]
	if !ok {
		t = program.Template(image)
		j.templates[image] = t
	}
	return t
}

// nameFar names the destination by the best source there is.
func (j *join) nameFar(s *event.Session, r *event.Request, ptr string) {
	switch {
	case r != nil:
		s.Name, s.NameSource = r.Host, event.NameConnect
	case s.SNI != "":
		s.Name, s.NameSource = s.SNI, event.NameSNI
	default:
		s.Name, s.NameSource = j.nameAddress(s, ptr)
	}
	s.Domain = j.domain(s.Name)
}

// nameAddress names a destination that neither a handshake nor a request names.
func (j *join) nameAddress(s *event.Session, ptr string) (string, event.NameSource) {
	if name, ok := j.answered(s, s.Dst.Addr()); ok {
		return name, event.NameLookup
	}
	if ptr != "" {
		return ptr, event.NamePTR
	}
	return s.Dst.Addr().String(), event.NameAddress
}

// domain is destination.Domain, worked out once for each name.
func (j *join) domain(name string) string {
	d, ok := j.domains[name]
	if !ok {
		d, _ = destination.Domain(name)
		j.domains[name] = d
	}
	return d
}

// answered returns the name whose DNS answer this host saw for the address.
func (j *join) answered(s *event.Session, at netip.Addr) (string, bool) {
	if n := j.names[s.Host]; n != nil && s.Host != "" {
		if name, ok := n.At(at, s.Start); ok {
			return name, true
		}
	}
	if n := j.seen[s.Client]; n != nil {
		return n.At(at, s.Start)
	}
	return "", false
}

// asker returns the lookup by which the only process that could have opened
// the session asked for its name: the lookup rung.
func (j *join) asker(held holding, s *event.Session) *event.Lookup {
	if s.NameSource == event.NameAddress || !held.sure {
		return nil
	}
	var found *event.Lookup
	for _, l := range j.lookups[held.host][s.Name] {
		before := s.Start.Sub(l.Time)
		if before < -2*time.Second || before > j.LookupAlone {
			continue
		}
		if found != nil && !sameProcess(found, l) {
			return nil
		}
		found = l // ordered by time: the last is the nearest
	}
	if found == nil || found.Image == "" || s.Start.Sub(found.Time) > j.LookupBefore {
		return nil
	}
	return found
}

func sameProcess(a, b *event.Lookup) bool {
	return a.PID == b.PID && a.GUID == b.GUID && a.Image == b.Image
}
