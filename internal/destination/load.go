package destination

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Load reads a catalogue in the format that catalogue.txt describes. An error
// names the line.
func Load(r io.Reader) (*Catalogue, error) {
	l := loader{
		catalogue: &Catalogue{domains: map[string]domain{}},
		names:     map[string]int{},
		patterns:  map[string]int{},
	}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		l.line++
		if err := l.read(strings.TrimSpace(lines.Text())); err != nil {
			return nil, fmt.Errorf("catalogue, line %d: %w", l.line, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("catalogue, after line %d: %w", l.line, err)
	}
	if err := l.complete(); err != nil {
		return nil, fmt.Errorf("catalogue, at its end: %w", err)
	}
	return l.catalogue, nil
}

// A loader is a catalogue that is being read.
type loader struct {
	catalogue *Catalogue
	line      int
	source    string         // of the group
	empty     bool           // the class or the group has no service yet
	names     map[string]int // lines by class and name of service
	patterns  map[string]int // lines by pattern
}

// keyword matches a line of a class's head.
var keyword = regexp.MustCompile(`^(class|title|why|source):\s*(.*)$`)

// read reads one line.
func (l *loader) read(line string) error {
	if line == "" || line[0] == '#' {
		return nil
	}
	if m := keyword.FindStringSubmatch(line); m != nil {
		if m[2] == "" {
			return fmt.Errorf("%s: says nothing", m[1])
		}
		return l.head(m[1], m[2])
	}
	name, patterns, ok := strings.Cut(line, " = ")
	if !ok {
		return fmt.Errorf("%q is neither a class's head nor a service with its patterns", line)
	}
	return l.service(strings.TrimSpace(name), strings.Fields(patterns))
}

// className matches the name of a class.
var className = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)

// head reads a line of a class's head.
func (l *loader) head(key, value string) error {
	if key == "class" {
		return l.class(value)
	}
	if len(l.catalogue.classes) == 0 {
		return fmt.Errorf("%s: before the first class", key)
	}
	c := &l.catalogue.classes[len(l.catalogue.classes)-1]
	field := map[string]*string{"title": &c.Title, "why": &c.Doc, "source": &l.source}[key]
	if key == "source" {
		if l.source != "" && l.empty {
			return errors.New("source: the group before has no service")
		}
		l.empty = true
	} else if *field != "" {
		return fmt.Errorf("%s: class %s has one", key, c.Name)
	}
	*field = value
	return nil
}

// class begins a class.
func (l *loader) class(name string) error {
	if err := l.complete(); err != nil {
		return err
	}
	if !className.MatchString(name) {
		return fmt.Errorf("class %q is not made of lower-case words with - between", name)
	}
	if slices.ContainsFunc(l.catalogue.classes, func(c ClassDoc) bool { return c.Name == Class(name) }) {
		return fmt.Errorf("class %s is there already", name)
	}
	l.catalogue.classes = append(l.catalogue.classes, ClassDoc{Name: Class(name)})
	l.source, l.empty = "", true
	return nil
}

// complete checks that the class that ends here has all it needs.
func (l *loader) complete() error {
	if len(l.catalogue.classes) == 0 {
		return nil
	}
	c := l.catalogue.classes[len(l.catalogue.classes)-1]
	if err := l.headed(c); err != nil {
		return err
	}
	if l.empty {
		return fmt.Errorf("class %s, or its last group, has no service", c.Name)
	}
	return nil
}

// headed checks that the head of the class is there.
func (l *loader) headed(c ClassDoc) error {
	for key, value := range map[string]string{"title": c.Title, "why": c.Doc, "source": l.source} {
		if value == "" {
			return fmt.Errorf("class %s has no %s", c.Name, key)
		}
	}
	return nil
}

// service adds a service to the class.
func (l *loader) service(name string, patterns []string) error {
	if len(l.catalogue.classes) == 0 {
		return fmt.Errorf("service %s is before the first class", name)
	}
	c := l.catalogue.classes[len(l.catalogue.classes)-1]
	if err := l.headed(c); err != nil {
		return err
	}
	if name == "" || len(patterns) == 0 {
		return errors.New("a service needs a name and a pattern")
	}
	key := string(c.Name) + "/" + name
	if before, ok := l.names[key]; ok {
		return fmt.Errorf("service %s is on line %d already", name, before)
	}
	l.names[key] = l.line
	l.empty = false
	l.catalogue.services = append(l.catalogue.services, Service{name, c.Name, patterns, l.source})
	for _, p := range patterns {
		if err := l.pattern(p); err != nil {
			return fmt.Errorf("service %s: %w", name, err)
		}
	}
	return nil
}

// pattern files a pattern of the last service.
func (l *loader) pattern(p string) error {
	if before, ok := l.patterns[p]; ok {
		return fmt.Errorf("pattern %s is on line %d already", p, before)
	}
	l.patterns[p] = l.line
	name, exact := strings.CutPrefix(p, "=")
	below := false
	if !exact {
		name, below = strings.CutPrefix(p, "*.")
	}
	if err := checkPattern(name, exact); err != nil {
		return fmt.Errorf("pattern %s %w", p, err)
	}
	d, service := l.catalogue.domains[name], len(l.catalogue.services)
	switch {
	case exact:
		d.exact = service
	case below:
		d.below = service
	default:
		d.tree = service
	}
	l.catalogue.domains[name] = d
	return nil
}

// varies matches a * in place of the second label.
var varies = regexp.MustCompile(`^([^.*]+)\.\*\.([^*]+)$`)

// checkPattern says what is wrong with a pattern without its prefix.
func checkPattern(name string, exact bool) error {
	probe := varies.ReplaceAllString(name, "$1.x.$2")
	if probe == "" || probe != Normalise(probe) || strings.Contains(probe, "*") {
		return errors.New("is not a name in normal form")
	}
	if _, ok := address(probe); ok {
		if !exact {
			return errors.New("is an address, which has nothing below it: write =")
		}
		return nil
	}
	if suffix, icann := publicsuffix.PublicSuffix(probe); suffix == probe && (icann || !strings.Contains(suffix, ".")) {
		return errors.New("is a public suffix, which belongs to nobody")
	}
	return nil
}
