package coverage

import (
	"slices"

	"github.com/postern/postern/internal/event"
)

// The kinds of traffic that are harder to see, or to control.
const (
	quic        = "quic"
	withoutSNI  = "no-sni"
	encrypted   = "ech"
	oddPort     = "odd-port"
	proxyBypass = "proxy-bypass"
	proxyUnused = "proxy-unused"
)

// outerNames are the names that a handshake shows in the place of the one that
// Encrypted Client Hello hides. There is one provider of note so far.
var outerNames = []string{"cloudflare-ech.com"}

// usualPort is that of HTTPS. What is TLS on another is worth a look.
const usualPort = 443

func traffic(s *event.Session) []string {
	var all []string
	if s.Proto == event.UDP {
		all = append(all, quic)
	}
	switch {
	case slices.Contains(outerNames, s.SNI):
		all = append(all, encrypted)
	case s.SNI == "" && s.Evidence == event.TLSHandshake:
		all = append(all, withoutSNI)
	}
	if s.NameSource != event.NameConnect && s.Dst.Port() != usualPort {
		all = append(all, oddPort)
	}
	return all
}

var trafficTexts = map[string]struct{ text, fix string }{
	quic: {
		"QUIC: a proxy and most inspection do not see it.",
		"Block UDP 443 at the egress, so that programs fall back to TCP, or place a sensor that reads QUIC.",
	},
	withoutSNI: {
		"TLS whose handshake names no destination.",
		"Log DNS on the wire (Zeek dns.log) and on hosts (Sysmon 22), and look at what asks for no name.",
	},
	encrypted: {
		"Encrypted Client Hello, as far as the outer name tells: the name that is seen is not the destination's.",
		"Turn Encrypted Client Hello off by policy in managed browsers, or refuse HTTPS records (type 65) in DNS.",
	},
	oddPort: {
		"TLS on other ports than 443.",
		"Allow at the egress only the ports that are needed; have Sysmon log connects to those ports.",
	},
	proxyBypass: {
		"Sessions straight to the internet by hosts that otherwise use a proxy.",
		"Block direct egress from these hosts, or exempt by name what must not pass the proxy.",
	},
	proxyUnused: {
		"Sessions straight to the internet by hosts that never use the proxy that others at their site use.",
		"Send these hosts through the proxy, or list them as exempt and watch them by a sensor.",
	},
}

// document puts a kind of traffic into the document's words.
func (g *group) document(kind string) Traffic {
	t := trafficTexts[kind]
	return Traffic{
		Kind: kind, Sessions: g.sessions, NoBytes: g.noBytes, BytesOut: g.known(),
		Hosts: len(g.hosts), Names: g.names(), Text: t.text, Fix: t.fix,
	}
}

// around adds the sessions past a proxy, by host, to the kinds of traffic.
func (g *Gauge) around() {
	using := make(map[string]bool) // sites
	for name, h := range g.hosts {
		if h.proxied.sessions > 0 {
			site, _, _ := g.Place(name, h.sensor)
			using[site] = true
		}
	}
	for name, h := range g.hosts {
		site, _, _ := g.Place(name, h.sensor)
		kind := proxyUnused
		switch {
		case h.direct.sessions == 0:
			continue
		case h.proxied.sessions > 0:
			kind = proxyBypass
		case !using[site]:
			continue
		}
		of := into(g.kinds, kind)
		of.merge(&h.direct)
		if of.hosts == nil {
			of.hosts = make(map[string]*sum)
		}
		direct := h.direct
		of.hosts[name] = &direct
	}
}
