package zeek

import (
	"net"
	"net/netip"

	"github.com/postern/postern/internal/event"
)

// lease reads a row of dhcp.log, which is one conversation of a client with
// its servers. Even without a name it says which machine had the address from
// then on, and that another has no longer.
func (rc *recorder) lease(r *row, b *event.Batch) verdict {
	t, ok := instant(r.col[colTime])
	if !ok {
		return verdict{skipped: badTime}
	}
	if !granted(r.col[colMessages], r.set) {
		return verdict{ignored: "zeek dhcp, no lease"}
	}
	addr, ok := leasedAddr(r)
	if !ok {
		return verdict{skipped: badAddress}
	}
	if !addr.IsValid() {
		return verdict{ignored: "zeek dhcp, no address"}
	}
	duration, ok := interval(r.col[colLeaseTime])
	if !ok {
		return verdict{skipped: badCount}
	}
	e := event.Lease{
		Sensor: rc.sensor(r), Time: t, Host: clientName(r),
		Addr: addr, MAC: rc.mac(r.text(colMAC)), Duration: duration,
	}
	if e.Host == "" && e.MAC == "" {
		return verdict{ignored: "zeek dhcp, no client"}
	}
	b.Leases = append(b.Leases, e)
	return verdict{}
}

// granted reports whether a conversation left the client with an address, as
// far as its messages tell: the last that decides counts. A request whose
// answer the sensor missed counts as granted. An offer alone does not, for
// the client may have taken another's. Logs before Zeek 2.6 have only leases,
// and no messages.
func granted(messages []byte, sep byte) bool {
	yes := len(messages) == 0
	for len(messages) > 0 {
		m := first(messages, sep)
		messages = messages[min(len(m)+1, len(messages)):]
		switch string(m) {
		case "REQUEST", "INFORM", "ACK":
			yes = true
		case "NAK", "DECLINE", "RELEASE":
			yes = false
		}
	}
	return yes
}

// leasedAddr returns the client's address: the one that a server assigned, or
// the one that the client has already, or the one that it asked for. It is
// invalid where the row has none, and false where that is unreadable.
func leasedAddr(r *row) (netip.Addr, bool) {
	for _, c := range [...]column{colAssignedAddr, colClientAddr, colRequestedAddr} {
		if len(r.col[c]) == 0 {
			continue
		}
		a, ok := address(r.col[c])
		if !ok {
			return a, false
		}
		if !a.IsUnspecified() {
			return a, true
		}
	}
	return netip.Addr{}, true
}

// clientName returns the name that the client gave itself, the full one where
// it did.
func clientName(r *row) string {
	if s := name(r.text(colClientName)); s != "" {
		return s
	}
	return name(r.text(colHostName))
}

// maxMAC is longer than any hardware address in text.
const maxMAC = 64

// mac returns a hardware address in lower case with colons, or "" for what is
// none.
func (rc *recorder) mac(b []byte) string {
	if len(b) == 0 || len(b) > maxMAC {
		return ""
	}
	a, err := net.ParseMAC(string(b))
	if err != nil {
		return ""
	}
	return rc.words.of([]byte(a.String()))
}
