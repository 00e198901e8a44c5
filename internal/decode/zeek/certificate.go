package zeek

import "github.com/postern/postern/internal/event"

// certificate reads a row of x509.log. Its identity is the one that ssl.log
// of the same version uses: see certID.
func (rc *recorder) certificate(r *row, b *event.Batch) verdict {
	t, ok := instant(r.col[colTime])
	if !ok {
		return verdict{skipped: badTime}
	}
	id := valid(r.text(colFingerprint))
	if id == "" {
		id = valid(r.text(colID))
	}
	if id == "" {
		return verdict{skipped: "certificate without an id"}
	}
	b.Certificates = append(b.Certificates, event.Certificate{
		Sensor: rc.sensor(r), Time: t, ID: id,
		Subject:   valid(r.text(colCertSubject)),
		Issuer:    valid(r.text(colCertIssuer)),
		NotBefore: validity(r.col[colNotBefore]),
		NotAfter:  validity(r.col[colNotAfter]),
	})
	return verdict{}
}

// validity reads a certificate's own time, which may be anything.
func validity(b []byte) event.Time {
	if t, ok := instant(b); ok {
		return t
	}
	return event.Never
}
