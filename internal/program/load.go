package program

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Load reads classes in the format that classes.tsv describes. An error names
// the line.
func Load(r io.Reader) (*Classes, error) {
	c := &Classes{named: map[string][]entry{}, alike: map[string]string{}}
	seen := map[string]int{} // line by location and file
	lines := bufio.NewScanner(r)
	number := 0
	for lines.Scan() {
		number++
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		e, files, err := parseEntry(line)
		if err == nil {
			err = c.add(e, files, seen, number)
		}
		if err != nil {
			return nil, fmt.Errorf("program classes, line %d: %w", number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("program classes, after line %d: %w", number, err)
	}
	return c, nil
}

// parseEntry reads one line.
func parseEntry(line string) (entry, []string, error) {
	columns := strings.Split(line, "\t")
	if len(columns) != 4 {
		return entry{}, nil, fmt.Errorf("%d columns, want 4: class, location, files, product", len(columns))
	}
	e := entry{class: Class(columns[0]), product: columns[3]}
	if !slices.Contains(AllClasses(), e.class) {
		return entry{}, nil, fmt.Errorf("class %q is none of %v", e.class, AllClasses())
	}
	if e.product == "" {
		return entry{}, nil, errors.New("no product")
	}
	var err error
	if e.locations, err = parseLocations(columns[1], e.class); err != nil {
		return entry{}, nil, err
	}
	files := strings.Split(columns[2], ",")
	for _, f := range files {
		if f == anyFile && len(e.locations) > 0 {
			continue
		}
		if f == "" || f != Template(f) || strings.ContainsAny(f, `\*`) {
			return entry{}, nil, fmt.Errorf("file %q is not a file name in lower case", f)
		}
	}
	return e, files, nil
}

// parseLocations reads the folders of an entry.
func parseLocations(column string, class Class) ([]location, error) {
	if column == anywhere {
		if class != LOLBin {
			return nil, fmt.Errorf("a %s needs a location, lest a renamed program pass for it", class)
		}
		return nil, nil
	}
	var all []location
	for s := range strings.SplitSeq(column, "|") {
		probe := strings.ReplaceAll(s, "*", "x") + `\file`
		if s == "" || probe != Template(probe) {
			return nil, fmt.Errorf("location %q is not a folder as Template writes it", s)
		}
		l := location(strings.Split(s, `\`))
		for _, name := range l {
			if strings.Count(name, "*") > 1 {
				return nil, fmt.Errorf("location %q has two * in one name", s)
			}
		}
		all = append(all, l)
	}
	return all, nil
}

// add files an entry under its names.
func (c *Classes) add(e entry, files []string, seen map[string]int, number int) error {
	places := []string{anywhere}
	if len(e.locations) > 0 {
		places = places[:0]
	}
	for _, l := range e.locations {
		places = append(places, l.String())
	}
	for _, f := range files {
		for _, place := range places {
			key := place + "|" + f
			if before, ok := seen[key]; ok {
				return fmt.Errorf("%s in %s is on line %d already", f, place, before)
			}
			seen[key] = number
		}
		if f == anyFile {
			c.folder = append(c.folder, e)
		} else {
			c.named[f] = append(c.named[f], e)
			c.addAlike(f, e.class)
		}
	}
	return nil
}
