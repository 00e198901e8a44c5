package inventory

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/yamldoc"
)

// maxYAML bounds the size of an inventory, in bytes: it holds a hundred thousand
// hosts and more. CSV takes less memory to read, and may be larger.
const maxYAML = 32 << 20

// The document of an inventory.
type (
	estateDoc struct {
		Hosts    []hostDoc   `yaml:"hosts"`
		Internal []Network   `yaml:"internal"`
		External []Network   `yaml:"external"`
		Sensors  []sensorDoc `yaml:"sensors"`
	}
	hostDoc struct {
		Name        name         `yaml:"name"`
		Aliases     []name       `yaml:"aliases"`
		Role        Role         `yaml:"role"`
		Population  text         `yaml:"population"`
		Application text         `yaml:"application"`
		Value       Value        `yaml:"value"`
		Site        text         `yaml:"site"`
		Addresses   []holdingDoc `yaml:"addresses"`
	}
	holdingDoc struct {
		Address Network `yaml:"address"`
		From    instant `yaml:"from"`
		To      instant `yaml:"to"`
	}
	sensorDoc struct {
		Name text `yaml:"name"`
		Site text `yaml:"site"`
	}
)

// A Network is a prefix that users may also write as a single address.
type Network struct{ netip.Prefix }

// UnmarshalText reads an address or a prefix without host bits.
func (n *Network) UnmarshalText(b []byte) (err error) {
	n.Prefix, err = parsePrefix(strings.TrimSpace(string(b)))
	return err
}

// MarshalText writes a single address without its length.
func (n Network) MarshalText() ([]byte, error) {
	if n.IsSingleIP() {
		return n.Addr().MarshalText()
	}
	return n.Prefix.MarshalText()
}

// Prefixes returns the prefixes of networks.
func Prefixes(networks []Network) []netip.Prefix {
	var all []netip.Prefix
	for _, n := range networks {
		all = append(all, n.Prefix)
	}
	return all
}

type name string

func (n *name) UnmarshalText(b []byte) error {
	s, err := ParseName(string(b))
	*n = name(s)
	return err
}

type text string

func (t *text) UnmarshalText(b []byte) error {
	s := strings.TrimSpace(string(b))
	*t = text(s)
	return CheckText(s)
}

type instant event.Time

// UnmarshalText reads a time as RFC 3339 has it, or a date, which is its
// midnight in UTC.
func (i *instant) UnmarshalText(b []byte) error {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, string(b)); err == nil && t.Unix() > 0 {
			*i = instant(event.At(t))
			return nil
		}
	}
	return errors.New("want a time such as 2026-11-02T09:00:00Z, or a date")
}

// UnmarshalText reads an address that is held at all times.
func (h *holdingDoc) UnmarshalText(b []byte) error { return h.Address.UnmarshalText(b) }

func loadYAML(r io.Reader, name string) (*Inventory, error) {
	d, err := yamldoc.Read(r, name, maxYAML)
	if err != nil {
		return nil, err
	}
	var doc estateDoc
	if err := d.Decode(&doc); err != nil {
		return nil, err
	}
	inv, err := doc.inventory()
	if err != nil {
		return nil, d.Locate(err)
	}
	return inv, nil
}

func (doc *estateDoc) inventory() (*Inventory, error) {
	inv := &Inventory{Lists: Lists{Prefixes(doc.Internal), Prefixes(doc.External)}}
	if _, err := inv.Networks(); err != nil {
		return nil, yamldoc.At(err, "external")
	}
	var all register
	for i := range doc.Hosts {
		h, err := doc.Hosts[i].host()
		if err == nil {
			err = all.add(h)
		}
		if err != nil {
			return nil, yamldoc.At(err, "hosts", i)
		}
	}
	inv.Hosts = all.sorted()
	seen := make(map[text]bool)
	for i, s := range doc.Sensors {
		if s.Name == "" {
			return nil, yamldoc.At(errors.New("a sensor needs a name"), "sensors", i)
		}
		if seen[s.Name] {
			return nil, yamldoc.At(fmt.Errorf("sensor %s is there twice", s.Name), "sensors", i)
		}
		seen[s.Name] = true
		inv.Sensors = append(inv.Sensors, Sensor{Name: string(s.Name), Site: string(s.Site)})
	}
	return inv, nil
}

func (doc *hostDoc) host() (Host, error) {
	h := Host{
		Name: string(doc.Name), Role: doc.Role, Population: string(doc.Population),
		Application: string(doc.Application), Value: doc.Value, Site: string(doc.Site),
	}
	if h.Name == "" {
		return h, errors.New("a host needs a name")
	}
	for _, a := range doc.Aliases {
		h.Aliases = append(h.Aliases, string(a))
	}
	for i, a := range doc.Addresses {
		held := Holding{a.Address.Prefix, event.Time(a.From), event.Time(a.To)}
		if !held.Prefix.IsValid() {
			return h, yamldoc.At(errors.New("want an address"), "addresses", i)
		}
		if err := held.check(); err != nil {
			return h, yamldoc.At(err, "addresses", i)
		}
		h.Addresses = append(h.Addresses, held)
	}
	return h, nil
}
