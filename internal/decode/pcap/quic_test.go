package pcap

import (
	"crypto/aes"
	"crypto/cipher"
	"slices"
	"testing"
	"time"

	"github.com/postern/postern/internal/event"
)

func sealWith(t testing.TB, key, iv []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return aead.Seal(nil, iv, []byte("x"), nil)
}

// protect is the inverse of initialKeys.open: it encrypts frames behind a
// header that ends in a packet number of size bytes.
func protect(t testing.TB, header []byte, size int, number uint64, frames, connection []byte) []byte {
	t.Helper()
	k, ok := deriveKeys(be.Uint32(header[1:]), connection)
	if !ok {
		t.Fatal("no keys")
	}
	nonce := slices.Clone(k.iv)
	for i := range 8 {
		nonce[len(nonce)-1-i] ^= byte(number >> (8 * i))
	}
	packet := k.aead.Seal(slices.Clone(header), nonce, frames, header)
	at := len(header) - size
	var mask [aes.BlockSize]byte
	k.header.Encrypt(mask[:], packet[at+4:at+4+aes.BlockSize])
	packet[0] ^= mask[0] & 0x0f
	for i := range size {
		packet[at+i] ^= mask[1+i]
	}
	return packet
}

// initialPacket makes an Initial packet. Its keys come of another connection
// ID where the client already uses the server's.
func initialPacket(t testing.TB, version uint32, number byte, to, keys, token, frames []byte) []byte {
	t.Helper()
	v, _ := versionOf(version)
	header := be.AppendUint32([]byte{0xc0 | v.initial<<4}, version)
	header = append(append(header, byte(len(to))), to...)
	header = append(header, 3, 's', 'r', 'c')
	header = append(append(header, byte(len(token))), token...)
	header = be.AppendUint16(header, 0x4000|uint16(1+len(frames)+16))
	return protect(t, append(header, number), 1, uint64(number), frames, keys)
}

// crypto makes a CRYPTO frame.
func crypto(at int, data []byte) []byte {
	b := be.AppendUint16([]byte{frameCrypto}, 0x4000|uint16(at))
	return append(be.AppendUint16(b, 0x4000|uint16(len(data))), data...)
}

func pad(b []byte, n int) []byte { return append(b, make([]byte, max(0, n-len(b)))...) }

func TestQUIC(t *testing.T) {
	hello := unhex(t, rfcCrypto)[4:]
	id, other := []byte("dest-id1"), []byte("another-id")
	one := func(v uint32) [][]byte {
		return [][]byte{initialPacket(t, v, 0, id, id, nil, pad(crypto(0, hello), 1150))}
	}
	retry := slices.Concat([]byte{0xf0, 0, 0, 0, 1, 3, 's', 'r', 'c', byte(len(other))}, other, []byte("token"), make([]byte, 16))
	ack := []byte{frameACK, 0, 0, 1, 0, 0, 0, frameACKECN, 0, 0, 0, 0, 1, 1, 1, framePing}
	big := slices.Concat(crypto(0, hello[:40]), []byte{framePing}, crypto(120, hello[120:]), ack, crypto(40, hello[40:130]))
	tests := []struct {
		name      string
		datagrams [][]byte // of the client, but for a Retry
		version   string
	}{
		{"v1", one(quicV1), "QUICv1"},
		{"v2", one(quicV2), "quicv2"},
		{"draft 29", one(quicDraft + 29), "draft-29"},
		{"draft 32", one(quicDraft + 32), "draft-32"},
		{"draft 34", one(quicDraft + 34), "draft-34"},
		{"scrambled frames", [][]byte{initialPacket(t, quicV1, 0, id, id, nil, pad(big, 1150))}, "QUICv1"},
		{"two datagrams", [][]byte{
			initialPacket(t, quicV1, 0, id, id, nil, pad(crypto(0, hello[:100]), 1150)),
			initialPacket(t, quicV1, 1, id, id, nil, pad(crypto(100, hello[100:]), 1150)),
		}, "QUICv1"},
		{"two datagrams, the second first", [][]byte{
			initialPacket(t, quicV1, 1, id, id, nil, pad(crypto(100, hello[100:]), 1150)),
			initialPacket(t, quicV1, 0, id, id, nil, pad(crypto(0, hello[:100]), 1150)),
		}, "QUICv1"},
		{"two packets in a datagram", [][]byte{slices.Concat(
			initialPacket(t, quicV1, 0, id, id, nil, crypto(0, hello[:100])),
			initialPacket(t, quicV1, 1, id, id, nil, pad(crypto(100, hello[100:]), 1000)),
		)}, "QUICv1"},
		{"the server's connection ID", [][]byte{
			initialPacket(t, quicV1, 0, id, id, nil, pad(crypto(0, hello[:100]), 1150)),
			initialPacket(t, quicV1, 1, other, id, nil, pad(crypto(100, hello[100:]), 1150)),
		}, "QUICv1"},
		{"Retry", [][]byte{
			initialPacket(t, quicV1, 0, id, id, nil, pad(crypto(0, hello[:100]), 1150)),
			retry,
			initialPacket(t, quicV1, 1, other, other, []byte("token"), pad(crypto(0, hello), 1150)),
		}, "QUICv1"},
		{"bytes behind", [][]byte{append(one(quicV1)[0], make([]byte, 40)...)}, "QUICv1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var shots []shot
			for i, d := range tt.datagrams {
				from, to := client, server
				if d[0]&0xf0 == 0xf0 && tt.name == "Retry" {
					from, to = server, client
				}
				shots = append(shots, shot{at: time.Duration(i) * time.Millisecond, data: udpFrame(from, to, d)})
			}
			b, _ := decodeShots(t, shots...)
			h, f := only(t, b.Handshakes), only(t, b.Flows)
			if h.SNI != "example.com" || h.Version != tt.version || h.UID != f.UID || h.Src != client || h.JA4[0] != 'q' || h.Established != event.Unsaid {
				t.Errorf("handshake %+v", h)
			}
			if f.Service != "quic,ssl" {
				t.Errorf("service %q", f.Service)
			}
		})
	}
}

// A connection is established when the client goes on in the keys that the
// handshake gave.
func TestQUICEstablished(t *testing.T) {
	hello := unhex(t, rfcCrypto)[4:]
	id := []byte("dest-id1")
	shots := []shot{
		{at: 0, data: udpFrame(client, server, initialPacket(t, quicV1, 0, id, id, nil, pad(crypto(0, hello), 1150)))},
		{at: 1e6, data: udpFrame(server, client, append([]byte{0xe0, 0, 0, 0, 1}, make([]byte, 1000)...))},
		{at: 2e6, data: udpFrame(client, server, append([]byte{0x40}, make([]byte, 50)...))},
	}
	for n, want := range []event.Tri{event.Unsaid, event.Unsaid, event.Yes} {
		b, _ := decodeShots(t, shots[:n+1]...)
		if h := only(t, b.Handshakes); h.Established != want {
			t.Errorf("%d datagrams: established %v, want %v", n+1, h.Established, want)
		}
	}
}

// Datagrams that only look like QUIC cost little and give flows.
func TestNoQUIC(t *testing.T) {
	id := []byte("dest-id1")
	whole := initialPacket(t, quicV1, 0, id, id, nil, pad(nil, 1150))
	for name, d := range map[string][]byte{
		"damaged":             edit(whole, 600, 1, 2, 3),
		"no CRYPTO":           whole,
		"unknown version":     edit(whole, 1, 0x51, 0x30, 0x34, 0x36),
		"long connection ID":  edit(whole, 5, 200),
		"version negotiation": {0xc0, 0, 0, 0, 0, 1, 1, 1, 1},
		"empty":               {},
		"cut":                 whole[:30],
		"an unknown frame":    initialPacket(t, quicV1, 0, id, id, nil, append([]byte{0x3f}, make([]byte, 1000)...)),
		"a wild offset":       initialPacket(t, quicV1, 0, id, id, nil, append([]byte{6, 0xff, 255, 255, 255, 255, 255, 255, 255, 1}, make([]byte, 1000)...)),
		"a wild ACK":          initialPacket(t, quicV1, 0, id, id, nil, append([]byte{2, 0, 0, 0xff, 255, 255, 255, 255, 255, 255, 255, 1}, make([]byte, 1000)...)),
	} {
		b, _ := decodeShots(t, slices.Repeat([]shot{{data: udpFrame(client, server, d)}}, 100)...)
		if f := only(t, b.Flows); len(b.Handshakes) > 0 || f.PacketsOut != 100 {
			t.Errorf("%s: %+v, %+v", name, f, b.Handshakes)
		}
	}
}
