package gateway

import "github.com/postern/postern/internal/event"

// Payload returns the bytes of a flow as a firewall counted them, with those
// that cannot have been payload taken off: a client of TCP to which nothing
// came back has sent no more than its wish to connect.
func Payload(p event.Proto, out, in event.Count) (event.Count, event.Count) {
	if p == event.TCP && in == 0 && out.Known() {
		return 0, 0
	}
	return out, in
}
