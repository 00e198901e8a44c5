package columns

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/postern/postern/internal/decode/gateway"
	"github.com/postern/postern/internal/yamldoc"
)

// The words of a Map.
const (
	kindCSV      = "csv"
	kindJSON     = "json"
	eventRequest = "request"
	eventFlow    = "flow"
	epoch        = "epoch"
	rfc3339      = "rfc3339"
)

// The bounds of maps.
const (
	maxMaps = 64
	maxText = 256 // bytes of a name or a value
)

var validName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`).MatchString

// Validate returns what is wrong with maps first, with the path to it.
func Validate(maps []Map) error {
	if len(maps) > maxMaps {
		return fmt.Errorf("want at most %d", maxMaps)
	}
	seen := make(map[string]bool)
	for i := range maps {
		m := &maps[i]
		if seen[m.Name] {
			return yamldoc.At(fmt.Errorf("there are two formats %q", m.Name), i, "name")
		}
		seen[m.Name] = true
		if err := m.validate(); err != nil {
			return yamldoc.At(err, i)
		}
	}
	return nil
}

func (m *Map) validate() error {
	switch {
	case !validName(m.Name) || len(m.Name) > maxText:
		return yamldoc.At(errors.New("want a name of lower-case letters, digits and hyphens"), "name")
	case m.Kind != kindCSV && m.Kind != kindJSON:
		return yamldoc.At(errors.New("want csv or json"), "kind")
	case m.Event != eventRequest && m.Event != eventFlow:
		return yamldoc.At(errors.New("want request or flow"), "event")
	case m.separator() == 0 || m.Kind == kindJSON && m.Separator != "":
		return yamldoc.At(errors.New("want one character of ASCII, or tab, and only for csv"), "separator")
	}
	if err := m.validateTime(); err != nil {
		return err
	}
	if err := m.validateFields(); err != nil {
		return err
	}
	return m.complete()
}

// separator returns what stands between columns, 0 where it is none.
func (m *Map) separator() byte {
	switch {
	case m.Separator == "":
		return ','
	case m.Separator == "tab":
		return '\t'
	case len(m.Separator) == 1 && m.Separator[0] < 0x80 && !strings.ContainsAny(m.Separator, "\"\r\n"):
		return m.Separator[0]
	}
	return 0
}

// layout returns how times are written, as package time has it.
func (m *Map) layout() string {
	if m.TimeLayout == rfc3339 {
		return time.RFC3339
	}
	return m.TimeLayout
}

func (m *Map) validateTime() error {
	if _, err := zoneOf(m.Zone); err != nil || strings.EqualFold(m.Zone, "local") {
		return yamldoc.At(fmt.Errorf("want UTC or a zone such as Europe/Berlin, not %.40q", m.Zone), "zone")
	}
	if m.Columns.Duration != "" && unit(m.Durations) == 0 || m.Columns.Duration == "" && m.Durations != "" {
		return yamldoc.At(errors.New("want s, ms or us, and only with a column for the duration"), "durations")
	}
	if m.TimeLayout == epoch {
		return nil
	}
	// A layout tells an instant when it reads what it wrote of one.
	instant := time.Date(2026, 11, 23, 15, 39, 19, 0, time.UTC)
	back, err := time.ParseInLocation(m.layout(), instant.Format(m.layout()), time.UTC)
	if err != nil || !back.Equal(instant) || len(m.TimeLayout) > maxText {
		return yamldoc.At(fmt.Errorf("%.60q tells no instant: write epoch, rfc3339, or how 2006-01-02 15:04:05 is written there", m.TimeLayout), "time_layout")
	}
	return nil
}

// unit returns a unit in microseconds, 0 for what is none.
func unit(s string) int64 {
	switch s {
	case "s":
		return 1e6
	case "ms":
		return 1e3
	case "us":
		return 1
	}
	return 0
}

// validateFields checks each field by itself.
func (m *Map) validateFields() error {
	columns, constants := m.Columns.all(), m.Constants.all()
	for f := range fields {
		switch name, value := columns[f], constants[f]; {
		case len(name) > maxText:
			return yamldoc.At(errors.New("too long"), "columns", f.key())
		case name != "" && !f.of(m.Event):
			return yamldoc.At(fmt.Errorf("a %s has no %s", m.Event, f.key()), "columns", f.key())
		case len(value) > maxText:
			return yamldoc.At(errors.New("too long"), "constants", f.key())
		case value != "" && !f.of(m.Event):
			return yamldoc.At(fmt.Errorf("a %s has no %s", m.Event, f.key()), "constants", f.key())
		case value != "" && !f.constant():
			return yamldoc.At(errors.New("is not the same in every row"), "constants", f.key())
		case value != "" && name != "":
			return yamldoc.At(errors.New("has a column already"), "constants", f.key())
		case value != "" && !f.reads([]byte(value)):
			return yamldoc.At(fmt.Errorf("%.40q is none", value), "constants", f.key())
		}
	}
	return nil
}

// reads reports whether a value can be read as that field.
func (f field) reads(value []byte) bool {
	ok := true
	switch f {
	case server:
		_, ok = gateway.Addr(value)
	case serverPort, port:
		_, ok = gateway.Port(value)
	case protocol:
		_, ok = gateway.Proto(value)
	case scheme:
		_, ok = gateway.Scheme(value)
	default:
	}
	return ok
}

// complete checks that there is enough for an event.
func (m *Map) complete() error {
	c := &m.Columns
	missing := func(what string) error { return yamldoc.At(fmt.Errorf("want a column for %s", what), "columns") }
	switch {
	case c.Time == "" && c.End == "":
		return missing("time or end")
	case c.Client == "":
		return missing("client")
	case m.Event == eventRequest && c.URL == "" && c.Host == "":
		return missing("url or host")
	case m.Event == eventFlow && c.Server == "":
		return missing("server")
	case m.Event == eventFlow && c.ServerPort == "":
		return missing("server_port")
	case m.Event == eventFlow && c.Protocol == "" && m.Constants.Protocol == "":
		return missing("protocol, or a constant")
	}
	return nil
}
