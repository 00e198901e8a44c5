// Package sysmon audits a configuration of Sysmon: what of outbound TLS it does
// not log, the lines that would change that, and how many events they add.
package sysmon

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/postern/postern/internal/decode"
)

// The events that an audit looks at, as a configuration names them.
const (
	ProcessCreate  = "ProcessCreate"  // Sysmon 1
	NetworkConnect = "NetworkConnect" // Sysmon 3
	DNSQuery       = "DnsQuery"       // Sysmon 22
)

// The bounds of what is read. The largest public configurations have about
// 5,000 rules in 400 KB.
const (
	maxFile  = 8 << 20 // bytes
	maxDepth = 16
	maxRules = 200_000
	maxValue = 64 << 10 // bytes
)

// A Config is what a configuration says of which events are logged.
type Config struct {
	Schema   string
	sections []section // of the events above, in their order
	end      int       // the line of </EventFiltering>
	notes    []string
}

// A relation says how rules on different fields go together. Rules on the same
// field are alternatives, whatever the relation.
type relation uint8

const (
	unsaid relation = iota // outside a RuleGroup: versions of Sysmon differ
	and
	or
)

// A section is one element of an event, as <NetworkConnect onmatch="include">.
type section struct {
	event    string
	include  bool
	relation relation
	rules    []rule
	line     int
}

// A rule is a condition on a field, or several in a Rule element.
type rule struct {
	element   string // as written
	field     string // the same in lower case; "" for several
	condition string
	value     string
	line      int

	relation relation
	rules    []rule
}

// Parse reads a configuration. It is hostile until read: size, nesting and the
// number of rules are bounded, and document types refused. An error names the
// line.
func Parse(r io.Reader) (*Config, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the Sysmon configuration: %w", err)
	}
	if len(raw) > maxFile {
		return nil, fmt.Errorf("the Sysmon configuration is larger than %d MB", maxFile>>20)
	}
	text := decode.NewText(bytes.NewReader(raw), decode.Text(raw[:min(len(raw), decode.HeadSize)]))
	p := parser{dec: xml.NewDecoder(text), config: &Config{}}
	p.dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // it is UTF-8 by now
	if err := p.parse(); err != nil {
		line, _ := p.dec.InputPos()
		return nil, fmt.Errorf("sysmon configuration, line %d: %w", line, err)
	}
	return p.config, nil
}

// A parser reads one configuration.
type parser struct {
	dec    *xml.Decoder
	config *Config
	open   []xml.StartElement
	lines  []int // of the open elements
	rules  int

	section *section
	depth   int    // of the section's element
	groups  []rule // the open Rule elements
	text    strings.Builder
}

var (
	errNoConfig = errors.New("not a Sysmon configuration: it has no Sysmon element")
	errNested   = fmt.Errorf("nested deeper than %d", maxDepth)
	errMany     = fmt.Errorf("more than %d rules", maxRules)
	errValue    = fmt.Errorf("a value longer than %d KiB", maxValue>>10)
	errDTD      = errors.New("document type declarations are refused")
)

func (p *parser) parse() error {
	seen := false
	for {
		t, err := p.dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if !seen && !strings.EqualFold(t.Name.Local, "Sysmon") {
				return errNoConfig
			}
			seen = true
			err = p.start(t.Copy())
		case xml.EndElement:
			p.finish()
		case xml.CharData:
			err = p.data(t)
		case xml.Directive:
			err = errDTD
		}
		if err != nil {
			return err
		}
	}
	if !seen {
		return errNoConfig
	}
	return nil
}

func (p *parser) data(b []byte) error {
	if p.section == nil {
		return nil
	}
	if p.text.Len()+len(b) > maxValue {
		return errValue
	}
	p.text.Write(b)
	return nil
}

// start opens an element.
func (p *parser) start(e xml.StartElement) error {
	if len(p.open) >= maxDepth {
		return errNested
	}
	line, _ := p.dec.InputPos()
	p.open, p.lines = append(p.open, e), append(p.lines, line)
	p.text.Reset()
	switch name := e.Name.Local; {
	case p.section != nil:
		if p.rules++; p.rules > maxRules {
			return errMany
		}
		if strings.EqualFold(name, "Rule") {
			p.groups = append(p.groups, rule{relation: relationOf(e), line: line})
		}
	case len(p.open) == 1:
		p.config.Schema = attribute(e, "schemaversion")
	case eventOf(name) != "" && p.within("EventFiltering"):
		return p.begin(e, line)
	}
	return nil
}

// begin opens a section.
func (p *parser) begin(e xml.StartElement, line int) error {
	s := section{event: eventOf(e.Name.Local), line: line}
	switch on := attribute(e, "onmatch"); {
	case strings.EqualFold(on, "include"):
		s.include = true
	case !strings.EqualFold(on, "exclude"):
		return fmt.Errorf("%s has neither onmatch=\"include\" nor \"exclude\"", s.event)
	}
	for i := range p.open {
		if strings.EqualFold(p.open[i].Name.Local, "RuleGroup") {
			s.relation = relationOf(p.open[i])
		}
	}
	p.section, p.depth = &s, len(p.open)
	return nil
}

// finish closes the innermost element.
func (p *parser) finish() {
	e, line := p.open[len(p.open)-1], p.lines[len(p.lines)-1]
	p.open, p.lines = p.open[:len(p.open)-1], p.lines[:len(p.lines)-1]
	name := e.Name.Local
	switch {
	case strings.EqualFold(name, "EventFiltering"):
		p.config.end, _ = p.dec.InputPos()
	case p.section == nil:
	case len(p.open) < p.depth:
		p.config.sections = append(p.config.sections, *p.section)
		p.section, p.groups = nil, nil
	case strings.EqualFold(name, "Rule"):
		last := len(p.groups) - 1
		done := p.groups[last]
		p.groups = p.groups[:last]
		p.add(done)
	default:
		r := rule{element: name, field: strings.ToLower(name), value: strings.TrimSpace(p.text.String()), line: line}
		r.condition = strings.ToLower(strings.Join(strings.Fields(attribute(e, "condition")), " "))
		p.check(r)
		p.add(r)
	}
	p.text.Reset()
}

// add adds a rule to the innermost open Rule, or else to the section.
func (p *parser) add(r rule) {
	if n := len(p.groups); n > 0 {
		p.groups[n-1].rules = append(p.groups[n-1].rules, r)
		return
	}
	p.section.rules = append(p.section.rules, r)
}

// maxNotes bounds what an audit notes of a configuration.
const maxNotes = 20

// check notes what Sysmon would not understand.
func (p *parser) check(r rule) {
	if _, ok := conditions[r.condition]; !ok && len(p.config.notes) < maxNotes {
		p.config.notes = append(p.config.notes,
			fmt.Sprintf("Line %d: the condition %q is not known. What it matches is taken for unknown.", r.line, r.condition))
	}
}

func (p *parser) within(name string) bool {
	return slices.ContainsFunc(p.open, func(e xml.StartElement) bool { return strings.EqualFold(e.Name.Local, name) })
}

// eventOf returns the event that an element is of, "" when an audit does not
// look at it.
func eventOf(name string) string {
	for _, e := range []string{ProcessCreate, NetworkConnect, DNSQuery} {
		if strings.EqualFold(e, name) {
			return e
		}
	}
	return ""
}

// relationOf returns the groupRelation of a RuleGroup or a Rule; without the
// attribute it is "and".
func relationOf(e xml.StartElement) relation {
	if strings.EqualFold(attribute(e, "groupRelation"), "or") {
		return or
	}
	return and
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if strings.EqualFold(a.Name.Local, name) {
			return strings.TrimSpace(a.Value)
		}
	}
	return ""
}
