package owner

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/communityid"
	"github.com/postern/postern/internal/event"
)

const proxyAt = "10.0.0.200"

// logged adds a CONNECT as a proxy's log has it: without the client's port and
// without the proxy's address.
func (e *evidence) logged(s, lasts float64, host string) *event.Request {
	e.Requests = append(e.Requests, event.Request{
		Sensor: "squid", Time: at(s), Src: netip.AddrPortFrom(netip.MustParseAddr(client), 0),
		Method: http.MethodConnect, Host: host, Port: 443, Status: http.StatusOK,
		Volume: event.Volume{Counted: true, Duration: event.Count(lasts * 1e6), BytesOut: event.Unknown, BytesIn: 9000},
	})
	return &e.Requests[len(e.Requests)-1]
}

// toProxy adds a connect to the proxy by a process.
func (e *evidence) toProxy(s float64, port uint16, pid uint32) *event.Connect {
	k := e.connect(s, port, event.Security)
	k.Dst, k.PID = netip.AddrPortFrom(netip.MustParseAddr(proxyAt), 3128), pid
	return k
}

func TestProxyRung(t *testing.T) {
	for _, c := range []struct {
		name     string
		evidence func(e *evidence)
		want     []string // destination and owner of each session, in order of time
	}{
		{"one process", func(e *evidence) {
			for i := range 4 {
				e.toProxy(float64(100*i), uint16(50000+i), 7)
				e.logged(float64(100*i)+0.02, 5, "a.example")
			}
		}, []string{"a.example proxy 7", "a.example proxy 7", "a.example proxy 7", "a.example proxy 7"}},
		{"two processes at one moment", func(e *evidence) {
			for i := range 4 {
				e.toProxy(float64(100*i), uint16(50000+i), 7)
				e.logged(float64(100*i)+0.02, 5, "a.example")
			}
			e.toProxy(300.3, 51000, 8)
			e.logged(300.32, 5, "b.example")
		}, []string{"a.example proxy 7", "a.example proxy 7", "a.example proxy 7", "a.example host 0", "b.example host 0"}},
		{"more requests than connects", func(e *evidence) {
			for i := range 4 {
				e.toProxy(float64(100*i), uint16(50000+i), 7)
				e.logged(float64(100*i)+0.02, 5, "a.example")
			}
			e.logged(312, 5, "b.example") // its connect was lost: it may be another's
		}, []string{"a.example proxy 7", "a.example proxy 7", "a.example proxy 7", "a.example proxy 7", "b.example host 0"}},
		{"refused", func(e *evidence) {
			for i := range 4 {
				e.toProxy(float64(100*i), uint16(50000+i), 7)
				e.logged(float64(100*i)+0.02, 5, "a.example").Status = http.StatusProxyAuthRequired
			}
		}, nil},
		{"a clock that is an hour off", func(e *evidence) {
			for i := range 6 {
				e.toProxy(float64(100*i+7*i*i)+3600, uint16(50000+i), 7)
				e.logged(float64(100*i+7*i*i)+0.02, 5, "a.example")
			}
		}, []string{"a.example proxy 7", "a.example proxy 7", "a.example proxy 7", "a.example proxy 7", "a.example proxy 7", "a.example proxy 7"}},
		{"a log that looks into TLS counts the connection once", func(e *evidence) {
			for i := range 3 {
				e.toProxy(float64(100*i), uint16(50000+i), 7)
				e.logged(float64(100*i)+0.02, 5, "a.example").Volume.BytesIn = 0
				for n := range 3 {
					r := e.logged(float64(100*i)+1+float64(n), 0.5, "a.example")
					r.Method, r.Scheme = http.MethodGet, "https"
				}
			}
		}, []string{"a.example proxy 7", "a.example proxy 7", "a.example proxy 7"}},
		{"a sensor before the proxy", func(e *evidence) {
			for i := range 3 {
				e.toProxy(float64(100*i), uint16(50000+i), 7)
				f := e.flow(float64(100*i), uint16(50000+i))
				f.Dst, f.Duration, f.Service = netip.AddrPortFrom(netip.MustParseAddr(proxyAt), 3128), 5_000_000, ""
				e.logged(float64(100*i)+0.02, 5, "a.example").Dst = f.Dst
			}
		}, []string{"a.example exact 7", "a.example exact 7", "a.example exact 7"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var e evidence
			c.evidence(&e)
			r := e.join(t)
			var got []string
			for _, s := range r.Sessions {
				got = append(got, s.Name+" "+s.Rung.String()+" "+string(rune('0'+s.PID)))
				if s.Rung == event.RungProxy && s.Dst != netip.AddrPortFrom(netip.MustParseAddr(proxyAt), 3128) {
					t.Errorf("through %v", s.Dst)
				}
			}
			if diff := gocmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if r.Ledger.Requests != int64(len(e.Requests)) {
				t.Errorf("%d requests in the ledger, want %d", r.Ledger.Requests, len(e.Requests))
			}
		})
	}
}

func TestBytesOfRequestsWithinAConnection(t *testing.T) {
	var e evidence
	for i := range 3 {
		e.toProxy(float64(100*i), uint16(50000+i), 7)
		e.logged(float64(100*i), 5, "a.example").Volume.BytesIn = 0
		r := e.logged(float64(100*i)+1, 1, "a.example")
		r.Method, r.Scheme, r.Volume.BytesIn, r.Volume.BytesOut = http.MethodPost, "https", 70, 7
	}
	for _, s := range e.join(t).Sessions {
		if s.BytesIn != 70 || s.BytesOut != 7 {
			t.Errorf("%d bytes in, %d out", s.BytesIn, s.BytesOut)
		}
	}
}

// TestToProxyWithoutALog: a proxy that is known, and nothing that says what for.
func TestToProxyWithoutALog(t *testing.T) {
	var e evidence
	e.toProxy(0, 50000, 7)
	e.toProxy(100, 50001, 7)
	f := e.flow(0, 50000)
	f.Dst, f.Service = netip.AddrPortFrom(netip.MustParseAddr(proxyAt), 3128), ""
	r := Join(Window{Events: &e.Batch, Networks: networks(t), Proxies: []netip.AddrPort{f.Dst}}, Defaults())
	checkLedger(t, &e.Batch, &r.Ledger)
	if len(r.Sessions) != 0 {
		t.Errorf("sessions: %+v", r.Sessions)
	}
	if n := r.Ledger.ByKind()[FlowProxied]; n != 1 {
		t.Errorf("%d flows to a proxy", n)
	}
	if n := r.Ledger.ByOutcome()[Proxied]; n != 1 {
		t.Errorf("%d connects to a proxy", n)
	}
}

// TestNative: an endpoint that counts needs no wire, and knows better than the
// others who it was.
func TestNative(t *testing.T) {
	counted := func(k *event.Connect) {
		k.Source, k.PID = event.Agent, 9
		k.Volume = event.Volume{Counted: true, Duration: 5, BytesOut: 77, BytesIn: 88}
	}
	t.Run("without a wire", func(t *testing.T) {
		var e evidence
		counted(e.connect(0, 50000, event.Agent))
		e.connect(0, 50000, event.Security)
		e.connect(1.5, 50000, event.Sysmon)
		r := e.join(t)
		want := []summary{{event.RungNative, 9, app, 77}}
		if diff := gocmp.Diff(want, summaries(r)); diff != "" {
			t.Error(diff)
		}
		if n := r.Ledger.ByOutcome()[SecondWord]; n != 2 {
			t.Errorf("%d second words, want 2", n)
		}
	})
	t.Run("the wire counts as well", func(t *testing.T) {
		var e evidence
		counted(e.connect(0, 50000, event.Agent))
		e.connect(1.5, 50000, event.Sysmon).Image = `C:\other.exe`
		e.flow(0, 50000)
		r := e.join(t)
		want := []summary{{event.RungNative, 9, app, 1000}}
		if diff := gocmp.Diff(want, summaries(r)); diff != "" {
			t.Error(diff)
		}
		if s := r.Sessions[0]; s.OtherImage != `C:\other.exe` || r.Ledger.Contradictory != 1 {
			t.Errorf("the other image is %q, %d contradictory", s.OtherImage, r.Ledger.Contradictory)
		}
	})
	t.Run("the wire could not see the bytes", func(t *testing.T) {
		var e evidence
		counted(e.connect(0, 50000, event.Agent))
		e.flow(0, 50000).BytesOut = event.Unknown
		want := []summary{{event.RungNative, 9, app, 77}}
		if diff := gocmp.Diff(want, summaries(e.join(t))); diff != "" {
			t.Error(diff)
		}
	})
}

func lease(host string, from, lasts float64) event.Lease {
	return event.Lease{Sensor: "zeek", Time: at(from), Host: host, Addr: netip.MustParseAddr(client), Duration: event.Count(lasts * 1e6)}
}

func TestLeases(t *testing.T) {
	day := (24 * time.Hour).Seconds()
	listed := event.Lease{Sensor: Inventory, Host: "listed", Addr: netip.MustParseAddr(client), Duration: event.Unknown}
	for _, c := range []struct {
		name     string
		evidence func(e *evidence)
		host     string
		why      Reason
	}{
		{"none", func(*evidence) {}, "", NoTelemetry},
		{"DHCP names a host that is silent", func(e *evidence) { e.Leases = []event.Lease{lease("dhcp", -100, day)} }, "dhcp", NoTelemetry},
		{"a lease that is over", func(e *evidence) { e.Leases = []event.Lease{lease("dhcp", -100, 50)} }, "", NoTelemetry},
		{"a lease that another follows", func(e *evidence) {
			e.Leases = []event.Lease{lease("dhcp", -100, day), lease("next", -10, day)}
		}, "next", NoTelemetry},
		{"a renewal", func(e *evidence) {
			e.Leases = []event.Lease{lease("dhcp", -100, 90), lease("dhcp", -50, 90)}
		}, "dhcp", NoTelemetry},
		{"a lease without an end", func(e *evidence) {
			l := lease("dhcp", -100*day, 0)
			l.Duration = event.Unknown
			e.Leases = []event.Lease{l}
		}, "dhcp", NoTelemetry},
		{"an inventory", func(e *evidence) { e.Leases = []event.Lease{listed} }, "listed", NoTelemetry},
		{"DHCP before an inventory", func(e *evidence) { e.Leases = []event.Lease{listed, lease("dhcp", -100, day)} }, "dhcp", NoTelemetry},
		{"a sighting before DHCP", func(e *evidence) {
			e.connect(-60, 40000, event.Security)
			e.connect(60, 40001, event.Security)
			e.Leases = []event.Lease{lease("dhcp", -100, day)}
		}, "h", NoEvent},
		{"DHCP before a sighting hours ago", func(e *evidence) {
			e.connect(-7200, 40000, event.Security)
			e.Leases = []event.Lease{lease("dhcp", -100, day)}
		}, "dhcp", NoTelemetry},
		{"DHCP decides between two", func(e *evidence) {
			e.connect(-1, 40000, event.Security)
			e.connect(1, 40001, event.Security)
			for _, s := range []float64{-1, 1} {
				e.connect(s, 41000, event.Security).Host = "other"
			}
			e.Leases = []event.Lease{lease("other", -100, day)}
		}, "other", NoEvent},
	} {
		t.Run(c.name, func(t *testing.T) {
			var e evidence
			e.flow(0, 50000)
			c.evidence(&e)
			r := e.join(t)
			for _, s := range r.Sessions {
				if s.Rung == event.RungEndpoint {
					continue
				}
				if s.Host != c.host {
					t.Errorf("host %q, want %q", s.Host, c.host)
				}
			}
			if r.Ledger.Unowned()[c.why] != 1 {
				t.Errorf("unowned: %v, want %s", r.Ledger.Unowned(), c.why)
			}
		})
	}
}

// TestAddressChangedMidSession: a session is of the host that held the address
// when it began.
func TestAddressChangedMidSession(t *testing.T) {
	var e evidence
	e.connect(-30, 40000, event.Security)
	f := e.flow(0, 50000)
	f.Duration = 3_600_000_000
	e.connect(10, 40001, event.Security)
	moved := e.connect(60, 40002, event.Security)
	moved.Src = netip.AddrPortFrom(netip.MustParseAddr("10.0.0.9"), 40002)
	other := e.connect(90, 40003, event.Security)
	other.Host = "heir"
	r := e.join(t)
	for _, s := range r.Sessions {
		if s.Rung == event.RungHost && s.Host != "h" {
			t.Errorf("the session is of %q", s.Host)
		}
	}
}

// TestCommunityID: an ID stands for the port that a connect lacks, whatever the
// seed; a sensor whose seed is none of those tried is told.
func TestCommunityID(t *testing.T) {
	for _, c := range []struct {
		seed  uint16
		rung  event.Rung
		known bool
	}{
		{0, event.RungExact, true},
		{1, event.RungExact, true},
		{7, event.RungHost, false},
	} {
		var e evidence
		for port := uint16(50000); port < 50003; port++ { // none is unique without its port
			f := e.flow(float64(port-50000), port)
			f.CommunityID = communityid.Of(c.seed, f.Proto, f.Src, f.Dst)
			k := e.connect(float64(port-50000), 0, event.Sysmon)
			k.PID, k.CommunityID = uint32(port), f.CommunityID
		}
		r := e.join(t)
		for _, s := range r.Sessions {
			if s.Rung == event.RungEndpoint {
				continue
			}
			if s.Rung != c.rung || c.known && event.Time(s.PID) != (s.Start-t0)/1_000_000+50000 {
				t.Errorf("seed %d: rung %v of process %d", c.seed, s.Rung, s.PID)
			}
		}
		seed, ok := r.Ledger.IDs["zeek"].Seed()
		if ok != c.known || ok && seed != c.seed {
			t.Errorf("seed %d: found %d, %v", c.seed, seed, ok)
		}
	}
}

// TestApart: a tuple that endpoint and wire share is no join where they are
// known to be at different sites.
func TestApart(t *testing.T) {
	var e evidence
	e.flow(0, 50000)
	e.connect(0, 50000, event.Security)
	w := Window{Events: &e.Batch, Networks: networks(t), Apart: func(host, sensor string) bool { return host == "h" && sensor == "zeek" }}
	r := Join(w, Defaults())
	checkLedger(t, &e.Batch, &r.Ledger)
	want := []summary{{event.RungNone, 0, "", 1000}}
	if diff := gocmp.Diff(want, summaries(r)); diff != "" {
		t.Error(diff)
	}
}

// TestTwoSensorsSeeOneFlow: a connection counts once, with what either knows.
func TestTwoSensorsSeeOneFlow(t *testing.T) {
	var e evidence
	f := e.flow(0, 50000)
	f.BytesOut = event.Unknown
	uid := f.UID
	second := e.flow(0.4, 50000)
	second.Sensor, second.BytesOut = "pcap", 4000
	e.flow(30, 50000) // the port again, seen by one
	e.Handshakes = []event.Handshake{{Sensor: "zeek", UID: uid, Time: at(0.1), Src: f.Src, Dst: f.Dst, SNI: "a.example"}}
	e.connect(0, 50000, event.Security)
	r := e.join(t)
	want := []summary{{event.RungExact, 7, app, 4000}, {event.RungHost, 0, "", 1000}}
	if diff := gocmp.Diff(want, summaries(r)); diff != "" {
		t.Error(diff)
	}
	if name := r.Sessions[0].Name; name != "a.example" {
		t.Errorf("to %q", name)
	}
	if n := r.Ledger.ByKind()[FlowTwin]; n != 1 {
		t.Errorf("%d flows seen twice, want 1", n)
	}
	if n := r.Ledger.Sensors["zeek"].Flows; n != 2 {
		t.Errorf("zeek has %d flows in the ledger, want 2", n)
	}
}
