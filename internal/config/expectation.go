package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/postern/postern/internal/destination"
	"github.com/postern/postern/internal/inventory"
	"github.com/postern/postern/internal/program"
	"github.com/postern/postern/internal/yamldoc"
)

// ProcessName is what an operator says of programs.
type ProcessName struct {
	Expected []Expectation `yaml:"expected" doc:"What is known and fine. Each entry is scoped, owned and ends some day:"`
}

// An Expectation says that a program is expected to leave, and by whose word.
type Expectation struct {
	Program     Pattern        `yaml:"program" doc:"The file name, or the path, of the image; * stands for any text within a name."`
	Destination string         `yaml:"destination" doc:"The registered domain, or the address, that it goes to; none means any. A program that runs what others tell it (PowerShell, rundll32) needs one."`
	Role        inventory.Role `yaml:"role" doc:"Only on hosts of this role."`
	Host        string         `yaml:"host" doc:"Only on this host."`
	Owner       string         `yaml:"owner" doc:"Who answers for it."`
	Reason      string         `yaml:"reason" doc:"Why it is fine."`
	Expires     Date           `yaml:"expires" doc:"The last day (UTC) on which it counts."`
}

// maxExpected bounds the expectations: every edge is compared with each.
const maxExpected = 10_000

// Expected returns the first expectation that covers a program, by its key or
// the template of its image, going to a registered domain from a host of a
// role at an instant.
func (c *Config) Expected(key, domain, host, role string, at time.Time) (*Expectation, bool) {
	for i := range c.ProcessName.Expected {
		if e := &c.ProcessName.Expected[i]; e.covers(key, domain, host, role, at) {
			return e, true
		}
	}
	return nil, false
}

func (e *Expectation) covers(key, domain, host, role string, at time.Time) bool {
	return (e.Destination == "" || e.Destination == domain) &&
		(e.Role == "" || string(e.Role) == role) &&
		(e.Host == "" || e.Host == host) &&
		at.Before(e.Expires.end()) &&
		e.Program.Matches(key)
}

// Expired returns the expectations that no longer count at an instant.
func (c *Config) Expired(at time.Time) []Expectation {
	var all []Expectation
	for _, e := range c.ProcessName.Expected {
		if !at.Before(e.Expires.end()) {
			all = append(all, e)
		}
	}
	return all
}

func (p *ProcessName) validate() error {
	if len(p.Expected) > maxExpected {
		return yamldoc.At(fmt.Errorf("more than %d entries", maxExpected), "expected")
	}
	classes, err := program.Shipped()
	if err != nil {
		return err
	}
	for i := range p.Expected {
		if err := p.Expected[i].validate(classes); err != nil {
			return yamldoc.At(err, "expected", i)
		}
	}
	return nil
}

func (e *Expectation) validate(classes *program.Classes) error {
	if err := e.Program.validate(); err != nil {
		return yamldoc.At(err, "program")
	}
	if err := checkDestination(e.Destination); err != nil {
		return yamldoc.At(err, "destination")
	}
	if name, err := inventory.ParseName(e.Host); e.Host != "" && (err != nil || name != e.Host) {
		return yamldoc.At(errors.New("want one host's name in lower case"), "host")
	}
	for _, said := range []struct{ key, text string }{{"owner", e.Owner}, {"reason", e.Reason}} {
		if strings.TrimSpace(said.text) == "" {
			return fmt.Errorf("%s is missing: somebody has to answer for what is never told", said.key)
		}
	}
	if e.Expires.IsZero() {
		return errors.New("expires is missing: what is fine today is forgotten tomorrow")
	}
	if e.Destination == "" {
		return e.alone(classes)
	}
	return nil
}

// alone refuses an expectation without destination of what can be told to do
// anything.
func (e *Expectation) alone(classes *program.Classes) error {
	image, _ := e.Program.cut()
	file := program.Name(image)
	if strings.Contains(file, "*") {
		return yamldoc.At(errors.New("a pattern of file names may be that of an interpreter: it needs a destination"), "program")
	}
	if classes.Of(image) == program.LOLBin {
		return yamldoc.At(fmt.Errorf("%s runs what others tell it (class %s): it needs a destination", file, program.LOLBin), "program")
	}
	return nil
}

func checkDestination(name string) error {
	if name == "" {
		return nil
	}
	domain, _ := destination.Domain(name)
	switch {
	case domain != name:
		return fmt.Errorf("%.80q is no registered domain: write %.80s", name, domain)
	case !strings.ContainsAny(name, ".:") || strings.ContainsAny(name, "*/ "):
		return fmt.Errorf("%.80q is neither a registered domain nor an address", name)
	}
	return nil
}

// A Date is a day in UTC.
type Date struct{ time.Time }

// UnmarshalText reads a date such as 2027-06-30.
func (d *Date) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("want a date such as 2027-06-30, not %.40q", text)
	}
	d.Time = t
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.Format(time.DateOnly)), nil }

// end returns the instant at which the day is over.
func (d Date) end() time.Time { return d.AddDate(0, 0, 1) }
