package pcap

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// The letters that JA4 begins with.
const (
	ja4TCP  = 't'
	ja4QUIC = 'q'
)

// ja4 returns the fingerprint of a client after FoxIO's JA4 (BSD-3-Clause).
// Of the JA4+ family it is the only one made here: the others may not be used
// freely.
func (h *clientHello) ja4(transport byte) string {
	var all [3][]uint16 // ciphers, extensions, signature algorithms
	for i, list := range [...][]uint16{h.ciphers, h.extensions, h.signatures} {
		all[i] = slices.DeleteFunc(slices.Clone(list), isGREASE)
	}
	ciphers, extensions, signatures := all[0], all[1], all[2]
	d := make([]byte, 0, 40)
	d = append(d, transport)
	d = append(d, ja4Version(h.version)...)
	d = append(d, ja4Name(h.named))
	d = appendTwo(d, len(ciphers))
	d = appendTwo(d, len(extensions))
	d = append(d, ja4ALPN(h.alpn)...)

	// The order of both lists is chance in some clients, and so are SNI and
	// ALPN, which the first part tells of.
	extensions = slices.DeleteFunc(extensions, func(e uint16) bool { return e == extServerName || e == extALPN })
	slices.Sort(ciphers)
	slices.Sort(extensions)
	list := appendHexList(nil, extensions)
	if len(list) > 0 && len(signatures) > 0 {
		list = appendHexList(append(list, '_'), signatures)
	}
	d = append(d, '_')
	d = append(d, ja4Hash(appendHexList(nil, ciphers))...)
	d = append(d, '_')
	d = append(d, ja4Hash(list)...)
	return string(d)
}

func ja4Version(v uint16) string {
	switch v {
	case 0x0304:
		return "13"
	case 0x0303:
		return "12"
	case 0x0302:
		return "11"
	case 0x0301:
		return "10"
	case 0x0300:
		return "s3"
	case 0x0002:
		return "s2"
	}
	return "00"
}

func ja4Name(named bool) byte {
	if named {
		return 'd'
	}
	return 'i'
}

// ja4ALPN returns the first and last character of the first protocol, or of
// its hexadecimal form where they are not alphanumeric.
func ja4ALPN(alpn [][]byte) string {
	if len(alpn) == 0 || len(alpn[0]) == 0 {
		return "00"
	}
	p := alpn[0]
	first, last := p[0], p[len(p)-1]
	if isAlphanumeric(first) && isAlphanumeric(last) {
		return string([]byte{first, last})
	}
	return string([]byte{hexDigits[first>>4], hexDigits[last&15]})
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// appendTwo appends a number of two digits, which 99 is the largest of.
func appendTwo(d []byte, n int) []byte {
	n = min(n, 99)
	return append(d, byte('0'+n/10), byte('0'+n%10))
}

const hexDigits = "0123456789abcdef"

// appendHexList appends numbers of four digits with commas between them.
func appendHexList(d []byte, list []uint16) []byte {
	for i, v := range list {
		if i > 0 {
			d = append(d, ',')
		}
		d = append(d, hexDigits[v>>12], hexDigits[v>>8&15], hexDigits[v>>4&15], hexDigits[v&15])
	}
	return d
}

// ja4Hash returns the first twelve digits of a list's SHA-256, or as many
// zeros for an empty one.
func ja4Hash(list []byte) string {
	if len(list) == 0 {
		return "000000000000"
	}
	sum := sha256.Sum256(list)
	return hex.EncodeToString(sum[:6])
}
