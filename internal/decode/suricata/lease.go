package suricata

import (
	"net"
	"net/netip"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/event"
)

// maxNames bounds how many clients' names are remembered from their requests
// to the answers.
const maxNames = 4096

// A dhcpClient is one that a DHCP message is of or for.
type dhcpClient struct {
	conversation uint64 // xid
	mac          string
}

// clientNames has the names that clients gave in requests that were not
// answered yet.
type clientNames map[dhcpClient]string

// note remembers a client's name. When there are too many, it begins anew:
// what is lost is a name, and no lease.
func (n clientNames) note(c dhcpClient, name string) {
	if name == "" {
		return
	}
	if len(n) >= maxNames {
		clear(n)
	}
	n[c] = name
}

// lease reads an event of the type dhcp, which is one message. The server's
// acknowledgement gives the lease; it seldom repeats the client's name.
func (d *decoder) lease(v *fastjson.Value, b *event.Batch) verdict {
	inner := v.Get("dhcp")
	c := dhcpClient{inner.GetUint64("id"), d.mac(inner.GetStringBytes("client_mac"))}
	host := name(inner.GetStringBytes("hostname"))
	if string(inner.GetStringBytes("dhcp_type")) != "ack" {
		d.names.note(c, host)
		return verdict{ignored: "suricata dhcp, no lease"}
	}
	t, ok := instant(v.GetStringBytes("timestamp"))
	if !ok {
		return verdict{skipped: badTime}
	}
	if host == "" {
		host = d.names[c]
	}
	delete(d.names, c)
	addr, ok := leasedAddr(inner)
	if !ok {
		return verdict{skipped: badAddress}
	}
	if !addr.IsValid() || host == "" && c.mac == "" {
		return verdict{ignored: "suricata dhcp, no address or no client"}
	}
	duration, ok := count(inner.Get("lease_time"))
	if !ok || duration > maxAge {
		return verdict{skipped: badCount}
	}
	if duration.Known() {
		duration *= 1e6
	}
	b.Leases = append(b.Leases, event.Lease{
		Sensor: d.sensor(v), Time: t, Host: host, Addr: addr, MAC: c.mac, Duration: duration,
	})
	return verdict{}
}

// leasedAddr returns the address that the server assigned, or that the client
// has already and told of. It is invalid where the event has none, and false
// where that is unreadable.
func leasedAddr(inner *fastjson.Value) (netip.Addr, bool) {
	for _, name := range [...]string{"assigned_ip", "client_ip"} {
		v := inner.Get(name)
		if v == nil {
			continue
		}
		a, ok := address(v)
		if !ok {
			return a, false
		}
		if !a.IsUnspecified() {
			return a, true
		}
	}
	return netip.Addr{}, true
}

// maxMAC is longer than any hardware address in text.
const maxMAC = 64

// mac returns a hardware address in lower case with colons, or "" for what is
// none.
func (d *decoder) mac(b []byte) string {
	if len(b) == 0 || len(b) > maxMAC {
		return ""
	}
	a, err := net.ParseMAC(string(b))
	if err != nil {
		return ""
	}
	return d.words.of([]byte(a.String()))
}
