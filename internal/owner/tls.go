package owner

import (
	"strings"

	"github.com/postern/postern/internal/event"
)

// tlsPorts are the TCP ports on which a connection is taken for TLS when
// nothing says otherwise: HTTPS and its usual second ports, and the services
// that are TLS from the first byte (IANA "…s" ports).
var tlsPorts = map[uint16]bool{
	443: true, 8443: true, 9443: true, 4443: true,
	465: true, 563: true, 636: true, 853: true, 989: true, 990: true,
	992: true, 993: true, 995: true, 5061: true, 5671: true, 8883: true,
}

// plainPorts are the ports of well-known services without TLS from the first
// byte: a CONNECT to them is no TLS session unless a handshake says so.
var plainPorts = map[uint16]bool{21: true, 22: true, 23: true, 25: true, 80: true, 110: true, 143: true, 389: true, 3389: true}

// tlsOf returns on which ground f is taken for TLS, and whether it is at all.
// No handshake seen does not mean no TLS, and port 443 does not mean TLS.
func (j *join) tlsOf(f *event.Flow, h *event.Handshake) (event.TLSEvidence, bool) {
	switch {
	case h != nil:
		return event.TLSHandshake, true
	case hasService(f.Service, "ssl", "tls", "quic"):
		return event.TLSService, true
	case f.Service != "":
		return 0, false // the sensor knows it for something else
	case j.TLSServer(f.Dst):
		return event.TLSServer, true
	}
	return portEvidence(f.Proto, f.Dst.Port())
}

// tlsOfConnect is tlsOf for a connect without a flow.
func (j *join) tlsOfConnect(k *event.Connect) (event.TLSEvidence, bool) {
	if j.TLSServer(k.Dst) {
		return event.TLSServer, true
	}
	return portEvidence(k.Proto, k.Dst.Port())
}

func portEvidence(p event.Proto, port uint16) (event.TLSEvidence, bool) {
	tcp := p == event.TCP && tlsPorts[port]
	quic := p == event.UDP && port == 443
	return event.TLSPort, tcp || quic
}

// hasService reports whether a sensor's list of services, "http,ssl", holds
// one of the names.
func hasService(list string, names ...string) bool {
	for s := range strings.SplitSeq(list, ",") {
		for _, n := range names {
			if strings.EqualFold(s, n) {
				return true
			}
		}
	}
	return false
}

// empty reports whether a flow carried nothing, as far as the sensor could
// see: an attempt, a scan, or the tail of a connection counted before.
func empty(f *event.Flow) bool {
	return f.BytesIn == 0 && f.BytesOut <= 0
}
