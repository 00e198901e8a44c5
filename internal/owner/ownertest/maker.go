package ownertest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
)

// A maker makes one group.
type maker struct {
	Config
	index int
	rand  *rand.Rand
	kinds []kind
	noise []string

	end       event.Time
	group     Group
	uids      int
	templates map[string]string
	machines  []*machine
}

func newMaker(c Config, index int, r *rand.Rand) *maker {
	return &maker{
		Config: c, index: index, rand: r, kinds: kinds(), noise: noise(),
		end:       epoch.Add(c.Span),
		templates: make(map[string]string),
		group: Group{Truth: Truth{
			Flows: make(map[string]*Flow), Connects: make(map[event.Key]Report), Requests: make(map[string]string),
		}},
	}
}

// make makes n hosts of one sort.
func (m *maker) make(n int) {
	what := m.rand.Float64()
	churning := what < m.Churning
	vpn := !churning && what < m.Churning+m.VPN
	sites := !churning && !vpn && what < m.Churning+m.VPN+m.TwoSites
	for i := range n {
		h := m.newMachine(i)
		at := i
		if sites {
			at, h.site = i/2, i%2
		}
		h.leases = []lease{{epoch - micros(warmUp), m.addr(at)}}
		if vpn {
			h.connectVPN(i)
		}
		m.machines = append(m.machines, h)
	}
	if churning {
		m.churn(n)
	}
	for _, h := range m.machines {
		m.group.Hosts = append(m.group.Hosts, h.name)
		h.live()
	}
	for _, h := range m.machines {
		h.emit()
	}
}

// addr returns the n-th address of the group: no other group has it.
func (m *maker) addr(n int) netip.Addr {
	at := m.index*m.GroupSize*2 + n
	return netip.AddrFrom4([4]byte{10, byte(at >> 16), byte(at >> 8), byte(at)})
}

// churn moves addresses between the hosts: one gives its address up, takes a
// free one, and the old one is free for the next.
func (m *maker) churn(n int) {
	free := []netip.Addr{m.addr(n), m.addr(n + 1)}
	at := epoch
	for {
		at += micros(m.Span.Seconds() / float64(3*n) * (0.2 + 1.6*m.rand.Float64()))
		if at >= m.end {
			return
		}
		h := m.machines[m.rand.IntN(n)]
		f := m.rand.IntN(len(free))
		old := h.leases[len(h.leases)-1].addr
		h.leases = append(h.leases, lease{at, free[f]})
		free[f] = old
	}
}

func (m *maker) finish() Group {
	m.group.order()
	return m.group
}

func (m *maker) uid() string {
	m.uids++
	return "C" + strconv.Itoa(m.index) + "x" + strconv.Itoa(m.uids)
}

func (m *maker) template(image string) string {
	t, ok := m.templates[image]
	if !ok {
		t = program.Template(image)
		m.templates[image] = t
	}
	return t
}

func (m *maker) between(lo, hi float64) float64 { return lo + (hi-lo)*m.rand.Float64() }

func (m *maker) chance(p float64) bool { return m.rand.Float64() < p }

// A lease is an address from a time on.
type lease struct {
	from event.Time
	addr netip.Addr
}

// A machine is a host under construction.
type machine struct {
	*maker
	name             string
	sysmon, security bool
	logFrom          event.Time
	site             int
	leases           []lease // by time
	vpn              []lease // an invalid address while the tunnel is down

	procs  []*instance // by start
	conns  []conn      // by start
	record [3]uint64   // by source

	ports, nextPort int
	busy            []event.Time // by port: until when
}

func (m *maker) newMachine(i int) *machine {
	h := &machine{maker: m, name: fmt.Sprintf("wks-%05d.corp.example", m.index*m.GroupSize+i)}
	switch what := m.rand.Float64(); {
	case what < m.Blind:
	case what < m.Blind+m.SysmonOnly:
		h.sysmon = true
	case what < m.Blind+m.SysmonOnly+m.SecurityOnly:
		h.security = true
	default:
		h.sysmon, h.security = true, true
	}
	h.logFrom = epoch + micros(m.between(0, 300))
	h.ports = portCount
	if m.chance(0.125) {
		h.ports = 255 // the least that Windows allows: netsh int ipv4 set dynamicport
	}
	h.nextPort = m.rand.IntN(h.ports)
	h.busy = make([]event.Time, h.ports)
	return h
}

// connectVPN makes the host one at home: its own address is one that every
// home has and no sensor sees, and the tunnel's comes and goes.
func (h *machine) connectVPN(i int) {
	pool := h.addr(i)
	h.leases = []lease{{epoch - micros(warmUp), netip.AddrFrom4([4]byte{192, 168, 1, byte(10 + h.rand.IntN(8))})}}
	at := epoch - micros(warmUp)
	for at < h.end {
		h.vpn = append(h.vpn, lease{at, pool})
		at += micros(h.Span.Seconds() * h.between(0.2, 0.6))
		h.vpn = append(h.vpn, lease{at, netip.Addr{}})
		at += micros(h.Span.Seconds() * h.between(0.02, 0.1))
	}
}

// holding returns the lease that holds at t, and when it ends.
func holding(leases []lease, t, end event.Time) (netip.Addr, event.Time) {
	i, ok := slices.BinarySearchFunc(leases, t, func(l lease, t event.Time) int { return int(l.from - t) })
	if !ok {
		i--
	}
	if i < 0 {
		return netip.Addr{}, end
	}
	if i+1 < len(leases) {
		end = leases[i+1].from
	}
	return leases[i].addr, end
}
