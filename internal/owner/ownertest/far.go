package ownertest

import (
	"math/rand/v2"
	"net/netip"
	"strconv"
)

// A far is a far end: a name and the addresses that serve it. Many names share
// the addresses of a few content networks.
type far struct {
	name  string
	addrs []netip.Addr
	port  uint16
}

// publicAddr returns the n-th address of 198.18.0.0/15, which is set apart for
// measurements (RFC 2544) and counts as outside.
func publicAddr(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{198, byte(18 + n>>16&1), byte(n >> 8), byte(n)})
}

const (
	webNames   = 3000
	cdnAddrs   = 64
	vendorBase = 20_000
	sharedBase = 40_000
	implantAt  = 60_000
)

// webFar returns the n-th site of the web; every third is behind a content
// network's addresses.
func webFar(n int) far {
	f := far{name: "www.site" + strconv.Itoa(n) + ".example", port: 443}
	if n%3 == 0 {
		for i := range 3 {
			f.addrs = append(f.addrs, publicAddr((n*7+i)%cdnAddrs))
		}
		return f
	}
	f.addrs = []netip.Addr{publicAddr(1000 + 2*n), publicAddr(1001 + 2*n)}
	return f
}

// popularWeb picks a site, the lower numbers much more often.
func popularWeb(r *rand.Rand) far {
	n := int(float64(webNames) * r.Float64() * r.Float64() * r.Float64())
	return webFar(n)
}

// vendorFar returns the n-th name that a vendor's own program calls.
func vendorFar(vendor string, n int) far {
	at := vendorBase
	for _, c := range []byte(vendor) {
		at = at*31 + int(c)
	}
	at = vendorBase + (at&0x7fffffff+n*17)%10_000
	return far{name: "api" + strconv.Itoa(n) + "." + vendor + ".example", port: 443,
		addrs: []netip.Addr{publicAddr(at), publicAddr(at + 1)}}
}

// sharedFar returns a name that several programs of a host use: sign-in,
// telemetry, certificates.
func sharedFar(n int) far {
	names := [...]string{"login.cloud.example", "telemetry.cloud.example", "graph.cloud.example", "crl.trust.example"}
	n %= len(names)
	at := sharedBase + 4*n
	return far{name: names[n], port: 443,
		addrs: []netip.Addr{publicAddr(at), publicAddr(at + 1), publicAddr(at + 2)}}
}

// implantFar returns where an implant calls: most by name, some by address,
// some on an odd port.
func implantFar(r *rand.Rand) far {
	n := r.IntN(4000)
	f := far{name: "cdn-" + strconv.Itoa(n) + ".example", port: 443, addrs: []netip.Addr{publicAddr(implantAt + n)}}
	if r.IntN(4) == 0 {
		f.name = ""
	}
	if r.IntN(5) == 0 {
		f.port = 8443
	}
	return f
}
