package pcap

import (
	"encoding/asn1"
	"slices"
	"strings"
	"unicode/utf16"
)

// An attribute is one part of a distinguished name: RFC 5280 section 4.1.2.4.
type attribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

// A relativeSET is one step of a distinguished name. Its name tells package
// asn1 that it is a set.
type relativeSET []attribute

// attributeNames are OpenSSL's short names, which Zeek writes.
var attributeNames = map[string]string{
	"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
	"2.5.4.9": "street", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.15": "businessCategory",
	"2.5.4.17": "postalCode", "2.5.4.42": "GN", "2.5.4.46": "dnQualifier", "2.5.4.97": "organizationIdentifier",
	"1.2.840.113549.1.9.1":       "emailAddress",
	"1.2.840.113549.1.9.2":       "unstructuredName",
	"0.9.2342.19200300.100.1.1":  "UID",
	"0.9.2342.19200300.100.1.25": "DC",
	"1.3.6.1.4.1.311.60.2.1.1":   "jurisdictionL",
	"1.3.6.1.4.1.311.60.2.1.2":   "jurisdictionST",
	"1.3.6.1.4.1.311.60.2.1.3":   "jurisdictionC",
}

// distinguishedName returns a name as RFC 4514 writes it, as Zeek does too:
// "CN=example.org,O=Example". Text that breaks the rules of its type is taken
// as it is.
func distinguishedName(raw asn1.RawValue) string {
	var steps []relativeSET
	if _, err := asn1.Unmarshal(raw.FullBytes, &steps); err != nil {
		return ""
	}
	var b strings.Builder
	for i, step := range slices.Backward(steps) {
		for j, a := range step {
			if j > 0 {
				b.WriteByte('+')
			}
			a.write(&b)
		}
		if i > 0 {
			b.WriteByte(',')
		}
	}
	return valid([]byte(b.String()))
}

func (a *attribute) write(b *strings.Builder) {
	kind := a.Type.String()
	if name, ok := attributeNames[kind]; ok {
		kind = name
	}
	b.WriteString(kind)
	b.WriteByte('=')
	text := a.text()
	for i, r := range text {
		special := strings.ContainsRune(`,+"\<>;`, r)
		outside := r == ' ' && (i == 0 || i == len(text)-1) || r == '#' && i == 0
		if special || outside {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
}

// text returns the value of an attribute.
func (a *attribute) text() string {
	v := a.Value.Bytes
	switch a.Value.Tag {
	case asn1.TagT61String: // in practice Latin-1
		r := make([]rune, len(v))
		for i, c := range v {
			r[i] = rune(c)
		}
		return string(r)
	case asn1.TagBMPString:
		u := make([]uint16, len(v)/2)
		for i := range u {
			u[i] = be.Uint16(v[2*i:])
		}
		return string(utf16.Decode(u))
	}
	return valid(v)
}
