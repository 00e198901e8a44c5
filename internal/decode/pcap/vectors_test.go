package pcap

import (
	"bytes"
	"crypto/aes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/postern/postern/internal/event"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The keys of appendix A.1 of RFC 9001, of RFC 9369, and of the appendix of
// draft-ietf-quic-tls-29, checked by what they encrypt.
func TestQUICKeys(t *testing.T) {
	connection := unhex(t, "8394c8f03e515708")
	for _, tt := range []struct {
		name        string
		version     uint32
		key, iv, hp string
	}{
		{"RFC 9001", quicV1, "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"},
		{"RFC 9369", quicV2, "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9"},
		{"draft 29", quicDraft + 29, "175257a31eb09dea9366d8bb79ad80ba", "6b26114b9cba2b63a9e8dd4f", "9ddd12c994c0698b89374a9c077a3077"},
	} {
		k, ok := deriveKeys(tt.version, connection)
		if !ok {
			t.Fatalf("%s: no keys", tt.name)
		}
		if got := hex.EncodeToString(k.iv); got != tt.iv {
			t.Errorf("%s: iv %s, want %s", tt.name, got, tt.iv)
		}
		var got, want [aes.BlockSize]byte
		block, err := aes.NewCipher(unhex(t, tt.hp))
		if err != nil {
			t.Fatal(err)
		}
		k.header.Encrypt(got[:], make([]byte, aes.BlockSize))
		block.Encrypt(want[:], make([]byte, aes.BlockSize))
		if got != want {
			t.Errorf("%s: another header protection key", tt.name)
		}
		if sealed := sealWith(t, unhex(t, tt.key), k.iv); !bytes.Equal(sealed, k.aead.Seal(nil, k.iv, []byte("x"), nil)) {
			t.Errorf("%s: another key", tt.name)
		}
	}
}

// rfcCrypto is the CRYPTO frame of appendix A.2 of RFC 9001 and of RFC 9369.
const rfcCrypto = `
060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868
04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578
616d706c652e636f6dff01000100000a00080006001d00170018001000070005
04616c706e000500050100000000003300260024001d00209370b2c9caa47fba
baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400
0d0010000e0403050306030203080408050806002d00020101001c0002400100
3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000
75300901100f088394c8f03e51570806048000ffff`

// What the inverse of the decryption makes of the RFCs' frames begins as the
// RFCs' packets do, and is read again.
func TestQUICPackets(t *testing.T) {
	for _, tt := range []struct {
		name, header, protected, sample string
		version                         string
	}{
		{"RFC 9001", "c300000001088394c8f03e5157080000449e00000002", "c000000001088394c8f03e5157080000449e7b9aec34", "d1b1c98dd7689fb8ec11d242b123dc9b", "QUICv1"},
		{"RFC 9369", "d36b3343cf088394c8f03e5157080000449e00000002", "d76b3343cf088394c8f03e5157080000449ea0c95e82", "ffe67b6abcdb4298b485dd04de806071", "quicv2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			frames := unhex(t, rfcCrypto)
			frames = append(frames, make([]byte, 1162-len(frames))...)
			packet := protect(t, unhex(t, tt.header), 4, 2, frames, unhex(t, "8394c8f03e515708"))
			if want := unhex(t, tt.protected+tt.sample); len(packet) != 1200 || !bytes.HasPrefix(packet, want) {
				t.Errorf("packet of %d bytes %x, want %x…", len(packet), packet[:len(want)], want)
			}
			b, _ := decodeShots(t, shot{data: udpFrame(client, server, packet)})
			h := only(t, b.Handshakes)
			if h.SNI != "example.com" || h.ALPN != "alpn" || h.Version != tt.version || h.Proto != event.UDP || !strings.HasPrefix(h.JA4, "q13d0211an_") {
				t.Errorf("handshake %+v", h)
			}
		})
	}
}

// The examples in the JA3 project's description.
func TestJA3(t *testing.T) {
	for _, tt := range []struct {
		hello clientHello
		want  string
	}{
		{clientHello{
			legacy: 769, ciphers: []uint16{47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4},
			extensions: []uint16{0, 10, 11}, groups: []uint16{23, 24, 25}, points: []byte{0},
		}, "ada70206e40642a3e4461f35503241d5"},
		{clientHello{legacy: 769, ciphers: []uint16{4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99}}, "de350869b8c85de67a350c8d186f11e6"},
		{clientHello{
			legacy: 769, ciphers: []uint16{0x1a1a, 47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4},
			extensions: []uint16{0xfafa, 0, 10, 11}, groups: []uint16{0x0a0a, 23, 24, 25}, points: []byte{0},
		}, "ada70206e40642a3e4461f35503241d5"}, // GREASE makes no difference
	} {
		if got := tt.hello.ja3(); got != tt.want {
			t.Errorf("JA3 %s, want %s", got, tt.want)
		}
	}
}

// The example in FoxIO's technical details of JA4.
func TestJA4(t *testing.T) {
	h := clientHello{
		legacy: 0x0303, version: 0x0304, named: true, alpn: [][]byte{[]byte("h2"), []byte("http/1.1")},
		ciphers: []uint16{
			0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8,
			0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
		},
		extensions: []uint16{
			0x0a0a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023,
			0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015, 0xbaba,
		},
		signatures: []uint16{0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601},
	}
	if got, want := h.ja4(ja4TCP), "t13d1516h2_8daaf6152771_e5627efa2ab1"; got != want {
		t.Errorf("JA4 %s, want %s", got, want)
	}
	for _, tt := range []struct {
		alpn []string
		want string
	}{
		{nil, "00"},
		{[]string{""}, "00"},
		{[]string{"h2"}, "h2"},
		{[]string{"http/1.1"}, "h1"},
		{[]string{"x"}, "xx"},
		{[]string{"\xab"}, "ab"},
		{[]string{"\xab\xcd"}, "ad"},
		{[]string{"\x30\xab"}, "3b"},
		{[]string{"\x30\x31\xab\xcd"}, "3d"},
		{[]string{"\x30\xab\xcd\x31"}, "01"},
	} {
		var alpn [][]byte
		for _, p := range tt.alpn {
			alpn = append(alpn, []byte(p))
		}
		if got := ja4ALPN(alpn); got != tt.want {
			t.Errorf("ALPN %q gives %s, want %s", tt.alpn, got, tt.want)
		}
	}
	empty := clientHello{version: 0x0301}
	if got, want := empty.ja4(ja4QUIC), "q10i000000_000000000000_000000000000"; got != want {
		t.Errorf("JA4 of nothing %s, want %s", got, want)
	}
}
