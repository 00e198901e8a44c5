package pcap

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
)

// The versions of QUIC whose Initial packets are read: RFC 9000, RFC 9369, and
// the drafts from 29 on.
const (
	quicV1      = 1
	quicV2      = 0x6b3343cf
	quicDraft   = 0xff000000
	draftFirst  = 29
	draftLikeV1 = 33 // from here on with the salt of version 1
	draftLast   = 34
)

// The salts of each version: RFC 9001 section 5.2, RFC 9369 section 3.3.1,
// draft-ietf-quic-tls-29 section 5.2.
const (
	saltV1    = "\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a"
	saltV2    = "\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9"
	saltDraft = "\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99"
)

// A quicVersion is what versions differ in.
type quicVersion struct {
	salt    string
	prefix  string // of the labels that keys are derived by
	initial byte   // the type of Initial packets
	retry   byte   // and of Retry packets, which have no length
}

// versionOf returns what is particular to a version.
func versionOf(v uint32) (quicVersion, bool) {
	q := quicVersion{salt: saltV1, prefix: "quic ", initial: 0, retry: 3}
	switch {
	case v == quicV1, v >= quicDraft+draftLikeV1 && v <= quicDraft+draftLast:
		return q, true
	case v == quicV2:
		return quicVersion{salt: saltV2, prefix: "quicv2 ", initial: 1, retry: 0}, true
	case v >= quicDraft+draftFirst && v < quicDraft+draftLikeV1:
		q.salt = saltDraft
		return q, true
	}
	return q, false
}

// quicName returns a version as Zeek names it, but for version 1, which Zeek
// calls "1": alone that would say nothing.
func quicName(v uint32) string {
	switch v {
	case quicV1:
		return "QUICv1"
	case quicV2:
		return "quicv2"
	}
	n := v & 0xff
	return "draft-" + string([]byte{byte('0' + n/10%10), byte('0' + n%10)})
}

// A varints reads numbers of variable length: RFC 9000 section 16.
type varints struct {
	b      []byte
	failed bool
}

func (c *varints) next() uint64 {
	if len(c.b) == 0 {
		c.failed = true
		return 0
	}
	n := 1 << (c.b[0] >> 6)
	if len(c.b) < n {
		c.b, c.failed = nil, true
		return 0
	}
	v := uint64(c.b[0] & 0x3f)
	for _, x := range c.b[1:n] {
		v = v<<8 | uint64(x)
	}
	c.b = c.b[n:]
	return v
}

// skipACK passes over an ACK frame: RFC 9000 section 19.3.
func (c *varints) skipACK(kind uint64) {
	c.next() // largest acknowledged
	c.next() // delay
	ranges := c.next()
	if ranges > uint64(len(c.b)) {
		c.failed = true
		return
	}
	n := 1 + 2*int(ranges)
	if kind == frameACKECN {
		n += 3
	}
	for range n {
		c.next()
	}
}

// A longHeader is the header of a packet of the handshake: RFC 9000 section
// 17.2.
type longHeader struct {
	version     uint32
	initial     bool
	destination []byte // connection ID
	packet      []byte // all of it
	number      int    // where the packet number is
	end         int    // where the next packet in the datagram begins
}

// maxConnectionID is the longest connection ID, in bytes.
const maxConnectionID = 20

// parseLong reads the header of the first packet in b.
func parseLong(b []byte) (h longHeader, ok bool) {
	if len(b) < 7 || b[0]&0xc0 != 0xc0 {
		return h, false
	}
	h.version = be.Uint32(b[1:])
	v, ok := versionOf(h.version)
	kind := b[0] >> 4 & 3
	if !ok || kind == v.retry {
		return h, false
	}
	c := cursor{b: b[5:]}
	h.destination = c.vector(1).b
	c.vector(1) // source connection ID
	if c.failed || len(h.destination) > maxConnectionID {
		return h, false
	}
	n := varints{b: c.b}
	if h.initial = kind == v.initial; h.initial {
		token := n.next()
		if n.failed || token > uint64(len(n.b)) {
			return h, false
		}
		n.b = n.b[token:]
	}
	length := n.next()
	if n.failed || length > uint64(len(n.b)) || length < 4+aes.BlockSize {
		return h, false
	}
	h.number = len(b) - len(n.b)
	h.end = h.number + int(length)
	h.packet = b[:h.end]
	return h, true
}

// isInitial reports whether a datagram begins with an Initial packet.
func isInitial(b []byte) bool {
	h, ok := parseLong(b)
	return ok && h.initial
}

// initialKeys are the keys of a client's Initial packets.
type initialKeys struct {
	aead   cipher.AEAD
	header cipher.Block
	iv     []byte
}

// deriveKeys derives the keys of a connection: RFC 9001 section 5.2.
func deriveKeys(version uint32, connection []byte) (*initialKeys, bool) {
	v, ok := versionOf(version)
	if !ok {
		return nil, false
	}
	secret, err := hkdf.Extract(sha256.New, connection, []byte(v.salt))
	if err != nil {
		return nil, false
	}
	client, err1 := expandLabel(secret, "client in", sha256.Size)
	key, err2 := expandLabel(client, v.prefix+"key", 16)
	iv, err3 := expandLabel(client, v.prefix+"iv", 12)
	hp, err4 := expandLabel(client, v.prefix+"hp", 16)
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
		return nil, false
	}
	block, err1 := aes.NewCipher(key)
	header, err2 := aes.NewCipher(hp)
	if err1 != nil || err2 != nil {
		return nil, false
	}
	aead, err := cipher.NewGCM(block)
	return &initialKeys{aead, header, iv}, err == nil
}

// expandLabel is HKDF-Expand-Label of RFC 8446 section 7.1, without a context.
func expandLabel(secret []byte, label string, n int) ([]byte, error) {
	label = "tls13 " + label
	info := string([]byte{byte(n >> 8), byte(n), byte(len(label))}) + label + "\x00"
	return hkdf.Expand(sha256.New, secret, info, n)
}

// open removes the protection of a packet: RFC 9001 sections 5.3 and 5.4.
func (k *initialKeys) open(h *longHeader) ([]byte, bool) {
	var mask [aes.BlockSize]byte
	k.header.Encrypt(mask[:], h.packet[h.number+4:h.number+4+aes.BlockSize])
	b := append(make([]byte, 0, len(h.packet)), h.packet...)
	b[0] ^= mask[0] & 0x0f
	size := int(b[0]&3) + 1
	nonce := append(make([]byte, 0, len(k.iv)), k.iv...)
	for i := range size {
		b[h.number+i] ^= mask[1+i]
		nonce[len(nonce)-size+i] ^= b[h.number+i]
	}
	body := h.number + size
	plain, err := k.aead.Open(b[body:body], nonce, b[body:], b[:body])
	return plain, err == nil
}
