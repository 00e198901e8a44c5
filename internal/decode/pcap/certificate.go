package pcap

import (
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"time"

	"github.com/postern/postern/internal/event"
)

// maxCertificates bounds how many certificates are remembered, so that each
// is read and told once while it is in use.
const maxCertificates = 4096

// A certificate is what is told of an X.509 certificate.
type certificate struct {
	id              string // SHA-256 of the whole, as Zeek names it
	subject, issuer string
}

// certificates are those that were told, by their hash.
type certificates map[[sha256.Size]byte]*certificate

// certificate returns what an encoded certificate says, and gives its event
// when it is new.
func (d *decoder) certificate(der []byte, now int64) *certificate {
	sum := sha256.Sum256(der)
	if x := d.certificates[sum]; x != nil {
		return x
	}
	if len(d.certificates) >= maxCertificates || d.certificates == nil {
		d.certificates = make(certificates)
	}
	x := &certificate{id: hex.EncodeToString(sum[:])}
	e := event.Certificate{Sensor: sensor, Time: instant(now), ID: x.id}
	if t, ok := parseCertificate(der); ok {
		x.subject, x.issuer = distinguishedName(t.Subject), distinguishedName(t.Issuer)
		e.NotBefore, e.NotAfter = validity(t.Validity.NotBefore), validity(t.Validity.NotAfter)
	}
	e.Subject, e.Issuer = x.subject, x.issuer
	d.certificates[sum] = x
	d.out.Certificates = append(d.out.Certificates, e)
	return x
}

// A signed is a certificate of RFC 5280 section 4.1, as far as it is told.
//
// Package crypto/x509 refuses certificates that break rules, such as a
// negative serial number. Servers of attackers have just those, and what they
// say of themselves is wanted, not whether it is proper.
type signed struct {
	TBS       toBeSigned
	Algorithm asn1.RawValue
	Signature asn1.RawValue
}

type toBeSigned struct {
	Version    int `asn1:"optional,explicit,default:0,tag:0"`
	Serial     asn1.RawValue
	Algorithm  asn1.RawValue
	Issuer     asn1.RawValue
	Validity   struct{ NotBefore, NotAfter time.Time }
	Subject    asn1.RawValue
	Key        asn1.RawValue
	IssuerID   asn1.RawValue `asn1:"optional,tag:1"`
	SubjectID  asn1.RawValue `asn1:"optional,tag:2"`
	Extensions asn1.RawValue `asn1:"optional,explicit,tag:3"`
}

// parseCertificate reads an encoded certificate.
func parseCertificate(der []byte) (*toBeSigned, bool) {
	var c signed
	if _, err := asn1.Unmarshal(der, &c); err != nil {
		return nil, false
	}
	return &c.TBS, true
}

// validity returns a certificate's own time, which may be anything.
func validity(t time.Time) event.Time {
	if t.IsZero() || t.Year() < 1 || t.Year() > 9999 {
		return event.Never
	}
	return event.At(t)
}
