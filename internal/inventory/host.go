package inventory

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/postern/postern/internal/event"
)

// A Host is a machine as the operator, or a draft, describes it.
type Host struct {
	Name        string   // lower case: the FQDN, or the short name
	Aliases     []string // other names of the same machine, lower case
	Role        Role     // "" when unknown
	Population  string   // the group of people or machines it belongs to, whose members behave alike
	Application string   // the business application it serves
	Value       Value
	Site        string
	Addresses   []Holding

	// Inferred says that the role comes from telemetry and not from a
	// person. Why says from what, also where the role stayed unknown.
	Inferred bool
	Why      string
}

// A Holding is an address, or a network of addresses, that a host has from one
// time to another. A time that is [event.Never] has no bound.
type Holding struct {
	Prefix   netip.Prefix
	From, To event.Time
}

// A Sensor is a network sensor and where it listens.
type Sensor struct {
	Name string
	Site string
	Why  string // what a draft knows of it
}

// The bounds of what is told of one host.
const (
	maxName      = 253 // bytes, as in DNS
	maxText      = 256
	maxAliases   = 64
	maxAddresses = 1024
)

var errName = errors.New("a host name has up to 253 characters without spaces, commas or semicolons")

// ParseName returns a host's name in lower case and without the final dot. It
// takes more than DNS does, because Windows does, but nothing that would not
// be one word to a person.
func ParseName(s string) (string, error) {
	s = fold(strings.TrimSpace(s))
	if s == "" || len(s) > maxName || !utf8.ValidString(s) {
		return "", errName
	}
	for _, r := range s {
		if !unicode.IsGraphic(r) || unicode.IsSpace(r) || r == ',' || r == ';' {
			return "", errName
		}
	}
	return s, nil
}

// fold returns the form in which names are compared.
func fold(name string) string {
	return strings.TrimSuffix(strings.ToLower(name), ".")
}

// CheckText refuses what an inventory does not hold as a text or the name of a
// sensor, because it does not fit on one line of a table.
func CheckText(s string) error {
	if len(s) > maxText {
		return fmt.Errorf("longer than %d bytes", maxText)
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return errors.New("holds a character that cannot be printed")
		}
	}
	return nil
}

// check refuses times in the wrong order.
func (h Holding) check() error {
	if h.From != event.Never && h.To != event.Never && h.To <= h.From {
		return errors.New("ends before it begins")
	}
	return nil
}

// lease returns the holding of a single address as a lease.
func (h Holding) lease(host string) event.Lease {
	l := event.Lease{Sensor: LeaseSensor, Time: h.From, Host: host, Addr: h.Prefix.Addr(), Duration: event.Unknown}
	if h.To != event.Never {
		l.Duration = event.Count(h.To - h.From) // from the epoch on, where it has no beginning
	}
	return l
}
