package zeek

import (
	"bytes"

	"github.com/postern/postern/internal/event"
)

// handshake reads a row of ssl.log.
func (rc *recorder) handshake(r *row, b *event.Batch) verdict {
	o, reason := rc.observe(r)
	if reason != "" {
		return verdict{skipped: reason}
	}
	b.Handshakes = append(b.Handshakes, event.Handshake{
		Sensor: o.sensor, Time: o.time, UID: o.uid,
		Proto: tlsProto(r), Src: o.src, Dst: o.dst,
		SNI:         name(r.text(colServerName)),
		Version:     rc.words.of(r.text(colVersion)),
		ALPN:        rc.words.of(r.text(colNextProtocol)),
		JA3:         rc.words.of(r.text(colJA3)),
		JA3S:        rc.words.of(r.text(colJA3S)),
		JA4:         rc.words.of(r.text(colJA4)),
		Subject:     valid(r.text(colSubject)),
		Issuer:      valid(r.text(colIssuer)),
		CertID:      certID(r),
		Established: tri(r.col[colEstablished]),
	})
	return verdict{}
}

// quic reads a row of quic.log. Zeek writes the version as "1" or "quicv2";
// alone, "1" would say nothing.
func (rc *recorder) quic(r *row, b *event.Batch) verdict {
	o, reason := rc.observe(r)
	if reason != "" {
		return verdict{skipped: reason}
	}
	version := rc.words.of(r.text(colVersion))
	if version == "1" {
		version = "QUICv1"
	}
	b.Handshakes = append(b.Handshakes, event.Handshake{
		Sensor: o.sensor, Time: o.time, UID: o.uid,
		Proto: event.UDP, Src: o.src, Dst: o.dst,
		SNI:     name(r.text(colServerName)),
		Version: version,
		ALPN:    rc.words.of(r.text(colClientProtocol)),
	})
	return verdict{}
}

// tlsProto returns the transport of a row of ssl.log, which has no column for
// it. Zeek logs the TLS within QUIC as TLSv13, so that cannot be told; the
// uid joins it to the flow all the same.
func tlsProto(r *row) event.Proto {
	v := r.col[colVersion]
	if bytes.HasPrefix(v, []byte("DTLS")) || bytes.HasPrefix(v, []byte("QUIC")) {
		return event.UDP
	}
	return event.TCP
}

// certID returns what names the server's certificate in x509.log: its
// fingerprint since Zeek 4.1, before that the file it was seen in.
func certID(r *row) string {
	if id := first(r.col[colCertPrints], r.set); len(id) > 0 {
		return valid(id)
	}
	return valid(first(r.col[colCertFiles], r.set))
}

// first returns the first element of a set.
func first(b []byte, sep byte) []byte {
	if i := bytes.IndexByte(b, sep); i >= 0 {
		return b[:i]
	}
	return b
}

func tri(b []byte) event.Tri {
	switch string(b) {
	case "T":
		return event.Yes
	case "F":
		return event.No
	}
	return event.Unsaid
}
