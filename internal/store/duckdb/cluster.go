package duckdb

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/postern/postern/internal/event"
)

// A locality is whose window an event is read with: an address, or else a host.
// Where the rows of a locality lie side by side, a window skips most vectors by
// their column of it alone; in the order of a log, each has some of every host.
type locality struct {
	addr netip.Addr
	host string
}

func (a locality) compare(b locality) int {
	return cmp.Or(a.addr.Compare(b.addr), cmp.Compare(a.host, b.host))
}

func ofHost(host string) locality      { return locality{host: host} }
func ofAddr(a netip.AddrPort) locality { return locality{addr: a.Addr()} }

// localEnd is the address that the host has in a connect. It stands for the host,
// because the hosts of a window mostly have addresses, not names, in a row.
func localEnd(e *event.Connect) locality {
	if e.Outbound {
		return ofAddr(e.Src)
	}
	return ofAddr(e.Dst)
}

// A cluster gathers rows, to put them in the order of their localities.
type cluster[E any] struct {
	near func(*E) locality
	rows []E

	numbers map[locality]int32 // in the order of first sight
	number  []int32            // of each row
	order   []int32
}

// sorted returns the indices of the rows in the order of their localities, those
// of one in the order in which they came. It counts rather than compares: there
// are far fewer localities than rows. The result is valid until the next call.
func (c *cluster[E]) sorted() []int32 {
	seen, next := c.count()
	slices.SortFunc(seen, locality.compare)
	start := int32(0)
	for _, l := range seen {
		n := c.numbers[l]
		start, next[n] = start+next[n], start
	}
	c.order = slices.Grow(c.order[:0], len(c.rows))[:len(c.rows)]
	for i, n := range c.number {
		c.order[next[n]] = int32(i)
		next[n]++
	}
	return c.order
}

// count numbers the localities, and counts the rows of each.
func (c *cluster[E]) count() (seen []locality, rows []int32) {
	if c.numbers == nil {
		c.numbers = make(map[locality]int32)
	}
	clear(c.numbers)
	c.number = c.number[:0]
	for i := range c.rows {
		l := c.near(&c.rows[i])
		n, known := c.numbers[l]
		if !known {
			n = int32(len(seen))
			c.numbers[l] = n
			seen, rows = append(seen, l), append(rows, 0)
		}
		c.number = append(c.number, n)
		rows[n]++
	}
	return seen, rows
}
