package agent

import (
	"fmt"
	"strings"

	"github.com/postern/postern/internal/decode"
)

// maxHosts bounds how many hosts of one input are told apart by name.
const maxHosts = 1 << 18

// Hosts names the hosts of an input whose records mostly bear only the id that
// the maker gave them. A host keeps the name that its first event had, so that
// all its events are of one host: the id, where no record before it named it.
type Hosts struct {
	names map[string]string // as records said
	used  map[string]string // as events were given
	late  map[string]bool   // ids that stand for a name that came too late, or never
}

// Learn notes the computer name of a host.
func (h *Hosts) Learn(id, name string) {
	if id == "" || name == "" || len(h.names) >= maxHosts {
		return
	}
	if h.names == nil {
		h.names = make(map[string]string)
	}
	h.names[id] = name
}

// Of returns what a host is called in this input.
func (h *Hosts) Of(id string) string {
	if name, ok := h.used[id]; ok {
		return name
	}
	name := h.names[id]
	if name == "" {
		name = strings.ToLower(id)
	}
	if len(h.used) >= maxHosts {
		return name
	}
	if h.used == nil {
		h.used, h.late = make(map[string]string), make(map[string]bool)
	}
	h.used[id] = name
	if id != "" && h.names[id] == "" {
		h.late[id] = true
	}
	return name
}

// Close notes which hosts bear their ids.
func (h *Hosts) Close(t *decode.Tally) {
	if len(h.late) > 0 {
		t.Warn(fmt.Sprintf("%d hosts are known by the product's id: no record before their events has the computer name", len(h.late)))
	}
}
