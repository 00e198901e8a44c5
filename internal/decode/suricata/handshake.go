package suricata

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/event"
)

// tls reads an event of the type tls: a handshake, and the server's
// certificate where the event says when it is valid.
func (d *decoder) tls(v *fastjson.Value, b *event.Batch) verdict {
	o, reason := d.observe(v)
	if reason != "" {
		return verdict{skipped: reason}
	}
	inner := v.Get("tls")
	if inner == nil {
		return verdict{skipped: "tls without its object"}
	}
	h := d.hello(&o, inner)
	h.Proto = o.proto
	h.Version = tlsVersion(d.words.of(inner.GetStringBytes("version")))
	h.Subject = valid(inner.GetStringBytes("subject"))
	h.Issuer = valid(inner.GetStringBytes("issuerdn"))
	h.CertID = certID(inner.GetStringBytes("fingerprint"))
	b.Handshakes = append(b.Handshakes, h)
	if h.CertID != "" {
		b.Certificates = append(b.Certificates, event.Certificate{
			Sensor: o.sensor, Time: o.time, ID: h.CertID, Subject: h.Subject, Issuer: h.Issuer,
			NotBefore: validity(inner.GetStringBytes("notbefore")),
			NotAfter:  validity(inner.GetStringBytes("notafter")),
		})
	}
	return verdict{}
}

// quic reads an event of the type quic. Suricata logs one for each of the
// first packets, of which only some have a hello.
func (d *decoder) quic(v *fastjson.Value, b *event.Batch) verdict {
	o, reason := d.facing(v, func(port uint16) bool { return port == 443 })
	if reason != "" {
		return verdict{skipped: reason}
	}
	inner := v.Get("quic")
	h := d.hello(&o, inner)
	if h.SNI == "" && h.JA3 == "" && h.JA4 == "" {
		return verdict{ignored: "suricata quic, no client hello"}
	}
	h.Proto = event.UDP
	h.Version = quicVersion(d.number(inner.Get("version")))
	b.Handshakes = append(b.Handshakes, h)
	return verdict{}
}

// hello returns what tls and quic events have in common.
func (d *decoder) hello(o *observation, inner *fastjson.Value) event.Handshake {
	return event.Handshake{
		Sensor: o.sensor, Time: o.time, UID: o.uid, Src: o.src, Dst: o.dst,
		SNI:  name(inner.GetStringBytes("sni")),
		ALPN: d.words.of(alpn(inner)),
		JA3:  d.words.of(fingerprint(inner.Get("ja3"))),
		JA3S: d.words.of(fingerprint(inner.Get("ja3s"))),
		JA4:  d.words.of(fingerprint(inner.Get("ja4"))),
	}
}

// fingerprint returns a hash that is a text, or within an object.
func fingerprint(v *fastjson.Value) []byte {
	if v != nil && v.Type() == fastjson.TypeObject {
		return v.GetStringBytes("hash")
	}
	return v.GetStringBytes()
}

// alpn returns the server's choice, or the client's first offer.
func alpn(inner *fastjson.Value) []byte {
	for _, name := range [...]string{"server_alpns", "client_alpns"} {
		if b := inner.GetStringBytes(name, "0"); len(b) > 0 {
			return b
		}
	}
	return nil
}

// tlsVersion returns Zeek's word for "TLS 1.2".
func tlsVersion(s string) string {
	if s == "UNDETERMINED" {
		return ""
	}
	if digits, ok := strings.CutPrefix(s, "TLS "); ok {
		s = "TLSv" + strings.ReplaceAll(digits, ".", "")
	}
	if s == "TLSv1" {
		return "TLSv10"
	}
	return s
}

// quicVersion returns Zeek's word where a mere number would say nothing.
func quicVersion(s string) string {
	switch strings.TrimPrefix(s, "v") {
	case "1":
		return "QUICv1"
	case "2":
		return "quicv2"
	}
	return s
}

// certID returns a fingerprint without its colons, as other sensors write it.
func certID(b []byte) string {
	return strings.ToLower(strings.ReplaceAll(valid(b), ":", ""))
}
