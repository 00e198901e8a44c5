package simulate

import (
	"hash/fnv"
	"net/netip"
	"strings"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/simulate/format"
)

// A destination is a far end as a person names it.
type destination struct {
	name   string
	addrs  []netip.Addr
	addr6  netip.Addr // invalid when it has none
	v13    bool
	quic   bool
	rtt    time.Duration
	ptr    string // reverse name of its addresses, as Sysmon finds it
	chain  []string
	certs  []format.Certificate // without the time
	inside bool
}

// issuers are the authorities that sign what servers show.
var issuers = []string{
	"CN=R11,O=Let's Encrypt,C=US",
	"CN=DigiCert Global G2 TLS RSA SHA256 2020 CA1,O=DigiCert Inc,C=US",
	"CN=Microsoft Azure RSA TLS Issuing CA 08,O=Microsoft Corporation,C=US",
	"CN=WE1,O=Google Trust Services,C=US",
	"CN=Amazon RSA 2048 M03,O=Amazon,C=US",
}

// newDestination makes a destination of what a hash of its name decides, so
// that a name means the same in every scenario. Its certificate was issued
// that many days before from.
func newDestination(name string, from event.Time, issuer, age int) *destination {
	h := hashOf(name)
	d := &destination{
		name: name,
		v13:  h%4 != 0,
		rtt:  time.Duration(8+h>>8%60) * time.Millisecond,
	}
	for i := range 1 + h>>16%3 {
		d.addrs = append(d.addrs, publicAddr(h>>(20+8*i)))
	}
	if h>>40%5 == 0 {
		d.addr6 = netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, byte(h >> 48), byte(h >> 56), 13: byte(h >> 44), 15: 10})
	}
	if h>>50%3 != 0 {
		d.ptr = "server-" + strings.ReplaceAll(d.addrs[0].String(), ".", "-") + ".edge.cdn-transit.example"
	}
	d.certify(from, issuers[issuer], age)
	return d
}

func hashOf(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	x := h.Sum64()
	x ^= x >> 31
	x *= 0x9e3779b97f4a7c15
	return x ^ x>>29
}

// publicAddr maps n to an address that is kept free for documentation or for
// benchmarks, with few enough that names share them as on real networks.
func publicAddr(n uint64) netip.Addr {
	last := byte(2 + n>>3%250)
	switch n % 6 {
	case 0:
		return netip.AddrFrom4([4]byte{192, 0, 2, last})
	case 1:
		return netip.AddrFrom4([4]byte{198, 51, 100, last})
	case 2:
		return netip.AddrFrom4([4]byte{203, 0, 113, last})
	default:
		return netip.AddrFrom4([4]byte{198, 18 + byte(n>>11%2), byte(n >> 12), last})
	}
}

// certify gives d the certificates that it shows.
func (d *destination) certify(from event.Time, issuer string, age int) {
	issued := from.Add(-time.Duration(age) * 24 * time.Hour)
	issued -= issued % event.Time(time.Hour/time.Microsecond)
	leaf := format.Certificate{
		Fingerprint: fingerprint(d.name + issued.Std().String()),
		Serial:      strings.ToUpper(fingerprint("serial " + d.name))[:32],
		Subject:     "CN=" + d.name,
		Issuer:      issuer,
		NotBefore:   issued,
		NotAfter:    issued.Add(90*24*time.Hour - time.Second),
		Names:       []string{d.name},
		ECDSA:       hashOf(issuer)%2 == 0,
	}
	root := format.Certificate{
		Fingerprint: fingerprint(issuer),
		Serial:      strings.ToUpper(fingerprint("serial " + issuer))[:32],
		Subject:     issuer,
		Issuer:      "CN=Global Root X1,O=" + strings.SplitN(strings.SplitN(issuer, "O=", 2)[1], ",", 2)[0],
		NotBefore:   event.At(time.Date(2024, 3, 13, 0, 0, 0, 0, time.UTC)),
		NotAfter:    event.At(time.Date(2029, 3, 12, 23, 59, 59, 0, time.UTC)),
		CA:          true,
	}
	d.certs = []format.Certificate{leaf, root}
	d.chain = []string{leaf.Fingerprint, root.Fingerprint}
}
