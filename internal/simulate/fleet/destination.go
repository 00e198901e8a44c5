package fleet

import (
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/postern/postern/internal/destination"
)

// A Destination is a far end.
type Destination struct {
	Name   string
	Domain string // registered
	Dst    netip.AddrPort
}

func newDestination(name string) *Destination {
	domain, _ := destination.Domain(name)
	h := hashOf(name)
	// Networks that are kept free for benchmarks: names share addresses.
	addr := netip.AddrFrom4([4]byte{198, 18 + byte(h>>3%2), byte(h >> 8), byte(2 + h>>16%250)})
	return &Destination{Name: name, Domain: domain, Dst: netip.AddrPortFrom(addr, 443)}
}

func newDestinations(names []string) []*Destination {
	all := make([]*Destination, len(names))
	for i, n := range names {
		all[i] = newDestination(n)
	}
	return all
}

// webSites is how many sites there are that more than one host may visit.
const webSites = 30_000

// A web is the sites that people visit, the popular ones first.
type web struct{ sites []*Destination }

//go:embed sites.txt
var knownSites string

// theWeb returns the web, which is the same for all fleets.
var theWeb = sync.OnceValue(func() *web {
	names := strings.Fields(knownSites)
	for i := len(names); i < webSites; i++ {
		names = append(names, siteName(uint64(i)))
	}
	return &web{newDestinations(names)}
})

var (
	places = []string{"harbor", "northlake", "bluefield", "mapleton", "riverside", "stonegate", "westbrook", "lindenhof",
		"kestrel", "oldmill", "fairview", "eastport", "hillcrest", "sandvik", "montclair", "ashford", "larkspur", "redwood"}
	trades = []string{"post", "supply", "travel", "recipes", "insurance", "print", "sports", "bank", "radio", "logistics",
		"clinic", "motors", "garden", "weekly", "forum", "shop", "jobs", "media", "software", "tickets"}
)

// siteName returns the name of the n-th made-up site.
func siteName(n uint64) string {
	p, t := uint64(len(places)), uint64(len(trades))
	prefix := [...]string{"www.", "", "portal.", "shop.", "www."}[hashOf(strconv.FormatUint(n, 10))%5]
	name := prefix + places[n%p] + "-" + trades[n/p%t]
	if round := n / (p * t); round > 0 {
		name += strconv.FormatUint(round, 10)
	}
	return name + ".example"
}

// hosting are domains below which anybody may have a name: of honest firms
// and, more often, of people and of those who hide.
var (
	hosting = []string{"azurewebsites.net", "cloudfront.net", "herokuapp.com", "web.app", "github.io"}
	hiding  = []string{"azurewebsites.net", "workers.dev", "duckdns.org", "trycloudflare.com", "ngrok-free.app", "cloudfront.net"}
)

// freshHosted is the share of fresh destinations below such a domain.
const freshHosted = 0.08

// fresh returns a destination that nobody else has, in the words of sites.
func (d dice) fresh() *Destination {
	below := "example"
	if d.chance(freshHosted) {
		below = pick(d, slices.Concat(hosting, hiding))
	}
	return d.below(below)
}

// below returns a destination of its own below a domain.
func (d dice) below(domain string) *Destination {
	return newDestination(fmt.Sprintf("%s-%s-%05x.%s", pick(d, places), pick(d, trades), d.Uint32N(1<<20), domain))
}

// service returns the destination of a program, at its maker's domain.
func (d dice) service(domain string) *Destination {
	return newDestination(pick(d, []string{"api", "cloud", "sync", "update", "telemetry", "licence", "cdn", "ws"}) + "." + domain)
}
