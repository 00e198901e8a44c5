package inventory

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxCSV bounds the size of an inventory, in bytes.
const maxCSV = 128 << 20

// A column is how a field of a host is written in CSV.
type column struct {
	name string
	set  func(*Host, string) error
}

// columns are all columns of a CSV inventory.
var columns = []column{
	{"host", func(h *Host, s string) (err error) { h.Name, err = ParseName(s); return err }},
	{"role", func(h *Host, s string) error { return h.Role.UnmarshalText([]byte(s)) }},
	{"population", func(h *Host, s string) error { h.Population = s; return CheckText(s) }},
	{"application", func(h *Host, s string) error { h.Application = s; return CheckText(s) }},
	{"value", func(h *Host, s string) error { return h.Value.UnmarshalText([]byte(s)) }},
	{"site", func(h *Host, s string) error { h.Site = s; return CheckText(s) }},
	{"addresses", func(h *Host, s string) (err error) { h.Addresses, err = holdings(s); return err }},
	{"aliases", func(h *Host, s string) (err error) { h.Aliases, err = aliases(s); return err }},
}

// holdings reads addresses and networks with semicolons between.
func holdings(s string) ([]Holding, error) {
	var all []Holding
	for _, part := range parts(s) {
		p, err := parsePrefix(part)
		if err != nil {
			return nil, err
		}
		all = append(all, Holding{Prefix: p})
	}
	return all, nil
}

// aliases reads names with semicolons between.
func aliases(s string) ([]string, error) {
	var all []string
	for _, part := range parts(s) {
		name, err := ParseName(part)
		if err != nil {
			return nil, err
		}
		all = append(all, name)
	}
	return all, nil
}

// parts splits at semicolons and drops what is empty.
func parts(s string) []string {
	var all []string
	for p := range strings.SplitSeq(s, ";") {
		if p = strings.TrimSpace(p); p != "" {
			all = append(all, p)
		}
	}
	return all
}

// loadCSV reads an inventory whose first line names the columns.
func loadCSV(r io.Reader, name string) (*Inventory, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxCSV+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", name, err)
	case len(text) > maxCSV:
		return nil, fmt.Errorf("%s is larger than %d bytes", name, maxCSV)
	case !utf8.Valid(text):
		return nil, fmt.Errorf("%s is not UTF-8: save it as such", name)
	}
	c := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	c.Comment = '#'
	c.TrimLeadingSpace = true
	c.ReuseRecord = true
	order, err := header(c, name)
	if err != nil {
		return nil, err
	}
	var all register
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return &Inventory{Hosts: all.sorted()}, nil
		}
		if err != nil {
			return nil, unreadable(name, err)
		}
		var h Host
		for i, field := range row {
			if err := order[i].set(&h, strings.TrimSpace(field)); err != nil {
				return nil, at(c, name, i, fmt.Errorf("%s: %w", order[i].name, err))
			}
		}
		if err := all.add(h); err != nil {
			return nil, at(c, name, slices.IndexFunc(order, isHost), err)
		}
	}
}

func isHost(c column) bool { return c.name == "host" }

// header reads the names of the columns.
func header(c *csv.Reader, name string) ([]column, error) {
	row, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s:1:1: no header line: want columns among %s", name, columnNames())
	}
	if err != nil {
		return nil, unreadable(name, err)
	}
	var order []column
	for i, field := range row {
		field = strings.ToLower(strings.TrimSpace(field))
		named := func(k column) bool { return k.name == field }
		n := slices.IndexFunc(columns, named)
		if n < 0 {
			return nil, at(c, name, i, fmt.Errorf("unknown column %.60q: want %s", field, columnNames()))
		}
		if slices.ContainsFunc(order, named) {
			return nil, at(c, name, i, fmt.Errorf("column %s is there twice", field))
		}
		order = append(order, columns[n])
	}
	if !slices.ContainsFunc(order, isHost) {
		return nil, at(c, name, 0, errors.New("no column host"))
	}
	return order, nil
}

func columnNames() string {
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

// at places an error at a field of the row that was just read.
func at(c *csv.Reader, name string, field int, err error) error {
	line, col := c.FieldPos(field)
	return fmt.Errorf("%s:%d:%d: %w", name, line, col, err)
}

// unreadable places an error of the CSV itself.
func unreadable(name string, err error) error {
	var at *csv.ParseError
	if errors.As(err, &at) {
		return fmt.Errorf("%s:%d:%d: %w", name, at.Line, at.Column, at.Err)
	}
	return fmt.Errorf("reading %s: %w", name, err)
}
