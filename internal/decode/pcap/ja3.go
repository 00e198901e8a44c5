package pcap

import (
	"crypto/md5"
	"encoding/hex"
	"strconv"
)

// ja3 returns the fingerprint of a client after Salesforce's JA3: the MD5 of
// version, ciphers, extensions, groups and point formats in decimal, without
// GREASE.
func (h *clientHello) ja3() string {
	d := make([]byte, 0, 512)
	d = strconv.AppendUint(d, uint64(h.legacy), 10)
	d = appendList(append(d, ','), h.ciphers)
	d = appendList(append(d, ','), h.extensions)
	d = appendList(append(d, ','), h.groups)
	d = append(d, ',')
	for i, p := range h.points {
		if i > 0 {
			d = append(d, '-')
		}
		d = strconv.AppendUint(d, uint64(p), 10)
	}
	return md5Hex(d)
}

// ja3s returns the fingerprint of a server after Salesforce's JA3S.
func (h *serverHello) ja3s() string {
	d := make([]byte, 0, 128)
	d = strconv.AppendUint(d, uint64(h.legacy), 10)
	d = strconv.AppendUint(append(d, ','), uint64(h.cipher), 10)
	d = appendList(append(d, ','), h.extensions)
	return md5Hex(d)
}

// appendList appends numbers, without GREASE, with hyphens between them.
func appendList(d []byte, list []uint16) []byte {
	first := true
	for _, v := range list {
		if isGREASE(v) {
			continue
		}
		if !first {
			d = append(d, '-')
		}
		first = false
		d = strconv.AppendUint(d, uint64(v), 10)
	}
	return d
}

func md5Hex(d []byte) string {
	sum := md5.Sum(d)
	return hex.EncodeToString(sum[:])
}
