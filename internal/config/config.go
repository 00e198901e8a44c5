// Package config is what an operator may turn: one struct, read strictly from
// YAML, in which every knob has a default and says what it does.
package config

import (
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"github.com/postern/postern/internal/decode/columns"
	"github.com/postern/postern/internal/inventory"
	"github.com/postern/postern/internal/yamldoc"
)

// A Config holds every knob. [Default] makes a useful one.
//
// The tags of a field are its key in YAML and what it does, as "postern config
// show" and docs/config.md have it. The first three sections bear the names of
// the mutable elements of the analytic AN1189.
type Config struct {
	ProcessName           ProcessName           `yaml:"process_name" doc:"Which programs are not uncommon here (ProcessName of AN1189)."`
	DataTransferThreshold DataTransferThreshold `yaml:"data_transfer_threshold" doc:"How much in how short a time is a lot (DataTransferThreshold of AN1189)."`
	TimeWindow            TimeWindow            `yaml:"time_window" doc:"The business hours (TimeWindow of AN1189). What persists outside of them is told."`

	Budget      Budget      `yaml:"budget" doc:"How much people have time to read."`
	Materiality Materiality `yaml:"materiality" doc:"What is too small to matter."`

	Internal  []inventory.Network `yaml:"internal" doc:"Networks that are inside, beside the private ones. A flag overrides them, they override the inventory."`
	External  []inventory.Network `yaml:"external" doc:"Networks that are outside, though private."`
	Inventory string              `yaml:"inventory" doc:"The file that lists the hosts, from the folder of this one. See \"postern inventory draft\"."`

	CommunityID CommunityID   `yaml:"community_id" doc:"How sensors compute the Community ID of a flow."`
	Sites       []Site        `yaml:"sites" doc:"The places of the estate whose addresses may be the same, and what was recorded where."`
	Formats     []columns.Map `yaml:"formats" doc:"Logs of other makers, by the columns that they have. See docs/config.md; \"postern formats try\" shows what is read."`
}

// DataTransferThreshold is a volume in a short window.
type DataTransferThreshold struct {
	Bytes  Bytes    `yaml:"bytes" doc:"This many bytes sent, such as 1MB or 1MiB,"`
	Window Duration `yaml:"window" doc:"within this time, such as 90s, 5m, 12h or 7d."`
}

// A Budget bounds what is told.
type Budget struct {
	PerDay          int      `yaml:"per_day" doc:"Findings that are told per day, the highest scores first."`
	PerProgramShare float64  `yaml:"per_program_share" doc:"The greatest share of them that one program may take."`
	RepeatAfter     Duration `yaml:"repeat_after" doc:"A finding is told again after this time,"`
	RepeatRise      float64  `yaml:"repeat_rise" doc:"or before, when its score rose by this much."`
}

// Materiality is the least that a volume must be to count as one.
type Materiality struct {
	WeekBytes Bytes `yaml:"week_bytes" doc:"A volume over seven days below this is no sign of anything."`
}

// CommunityID is how sensors hash the 5-tuple of a flow.
type CommunityID struct {
	Seeds []uint16 `yaml:"seeds" doc:"The seeds that are tried. Most sensors use 0, some distributions 1."`
}

// A Site is a place of the estate.
type Site struct {
	Name    string   `yaml:"name" doc:"What the place is called."`
	Sensors []string `yaml:"sensors" doc:"The network sensors that listen there."`
	Inputs  []string `yaml:"inputs" doc:"Patterns (*, ?, [a-z]) of the paths of what was recorded there."`
}

// Site returns the site of that name, nil when there is none.
func (c *Config) Site(name string) *Site {
	for i := range c.Sites {
		if c.Sites[i].Name == name {
			return &c.Sites[i]
		}
	}
	return nil
}

// SiteOf returns the name of the first site at which what has that path was
// recorded, "" when none says so. A pattern that fits a folder, or an archive,
// speaks of all that is in it.
func (c *Config) SiteOf(path string) string {
	for i := range c.Sites {
		for _, pattern := range c.Sites[i].Inputs {
			for p := path; p != "." && p != string(filepath.Separator) && p != ""; p = parent(p) {
				if ok, err := filepath.Match(pattern, p); ok && err == nil {
					return c.Sites[i].Name
				}
			}
		}
	}
	return ""
}

// parent returns the archive or the folder that a path is in.
func parent(path string) string {
	if i := strings.LastIndexByte(path, '!'); i >= 0 {
		return path[:i]
	}
	return filepath.Dir(path)
}

// maxFile bounds the size of a configuration, in bytes.
const maxFile = 4 << 20

// Default returns the configuration that holds where nobody says otherwise.
func Default() Config {
	return Config{
		ProcessName:           ProcessName{Expected: []Expectation{}},
		DataTransferThreshold: DataTransferThreshold{Bytes: 1e6, Window: Duration(5 * time.Minute)},
		TimeWindow:            TimeWindow{Days: weekdays, From: 7 * 60, To: 19 * 60},
		Budget:                Budget{PerDay: 10, PerProgramShare: 0.33, RepeatAfter: Duration(7 * day), RepeatRise: 2},
		Materiality:           Materiality{WeekBytes: 1e6},
		Internal:              []inventory.Network{},
		External:              []inventory.Network{},
		CommunityID:           CommunityID{Seeds: []uint16{0, 1}},
		Sites:                 []Site{},
		Formats:               []columns.Map{},
	}
}

// Load reads a configuration over the default. The name stands in errors,
// which say where in the file the mistake is.
func Load(r io.Reader, name string) (Config, error) {
	d, err := yamldoc.Read(r, name, maxFile)
	if err != nil {
		return Config{}, err
	}
	c := Default()
	if err := d.Decode(&c); err != nil {
		return Config{}, err
	}
	if err := c.Validate(); err != nil {
		return Config{}, d.Locate(err)
	}
	return c, nil
}

// Lists returns the networks that c says are inside and outside.
func (c *Config) Lists() inventory.Lists {
	return inventory.Lists{Internal: inventory.Prefixes(c.Internal), External: inventory.Prefixes(c.External)}
}

// Validate returns what is wrong with c first, with the path to it.
func (c *Config) Validate() error {
	for _, check := range []struct {
		section string
		err     error
	}{
		{"process_name", c.ProcessName.validate()},
		{"data_transfer_threshold", c.DataTransferThreshold.validate()},
		{"time_window", c.TimeWindow.validate()},
		{"budget", c.Budget.validate()},
		{"materiality", c.Materiality.validate()},
		{"external", networks(c.Lists())},
		{"community_id", c.CommunityID.validate()},
		{"sites", validateSites(c.Sites)},
		{"formats", columns.Validate(c.Formats)},
	} {
		if check.err != nil {
			return yamldoc.At(check.err, check.section)
		}
	}
	return nil
}

func networks(l inventory.Lists) error {
	_, err := l.Networks()
	return err
}

func (t DataTransferThreshold) validate() error {
	if t.Bytes < 1 {
		return yamldoc.At(errors.New("want at least one byte"), "bytes")
	}
	if t.Window < Duration(time.Second) || t.Window > Duration(day) {
		return yamldoc.At(errors.New("want between 1s and 1d"), "window")
	}
	return nil
}

func (b Budget) validate() error {
	switch {
	case b.PerDay < 1:
		return yamldoc.At(errors.New("want at least 1"), "per_day")
	case !(b.PerProgramShare > 0 && b.PerProgramShare <= 1):
		return yamldoc.At(errors.New("want more than 0 and at most 1"), "per_program_share")
	case b.RepeatAfter < Duration(time.Hour) || b.RepeatAfter > Duration(366*day):
		return yamldoc.At(errors.New("want between 1h and 366d"), "repeat_after")
	case !(b.RepeatRise > 0) || math.IsInf(b.RepeatRise, 0):
		return yamldoc.At(errors.New("want more than 0"), "repeat_rise")
	}
	return nil
}

func (m Materiality) validate() error {
	if m.WeekBytes < 0 {
		return yamldoc.At(errors.New("want 0 or more"), "week_bytes")
	}
	return nil
}

// maxSeeds bounds the seeds: each is a hash of every flow that is tried.
const maxSeeds = 8

func (c CommunityID) validate() error {
	if n := len(c.Seeds); n == 0 || n > maxSeeds {
		return yamldoc.At(fmt.Errorf("want between 1 and %d", maxSeeds), "seeds")
	}
	seen := make(map[uint16]bool)
	for i, s := range c.Seeds {
		if seen[s] {
			return yamldoc.At(fmt.Errorf("%d is there twice", s), "seeds", i)
		}
		seen[s] = true
	}
	return nil
}

func validateSites(sites []Site) error {
	names, sensors := make(map[string]bool), make(map[string]string)
	for i, s := range sites {
		if s.Name == "" || names[s.Name] {
			return yamldoc.At(fmt.Errorf("a site needs a name of its own, not %q", s.Name), i)
		}
		names[s.Name] = true
		for j, sensor := range s.Sensors {
			if at, ok := sensors[sensor]; ok || sensor == "" {
				return yamldoc.At(fmt.Errorf("sensor %q is at site %q already", sensor, at), i, "sensors", j)
			}
			sensors[sensor] = s.Name
		}
		for j, pattern := range s.Inputs {
			if _, err := filepath.Match(pattern, ""); err != nil || pattern == "" {
				return yamldoc.At(fmt.Errorf("%q is no pattern of paths", pattern), i, "inputs", j)
			}
		}
	}
	return nil
}
