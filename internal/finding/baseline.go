package finding

import "time"

// BaselineFormat names the version of the baseline's format.
const BaselineFormat = "postern.baseline/1"

// A Baseline is what is known under a name: of programs, of hosts and of
// destinations that it may mean. All lists are empty when nothing is.
type Baseline struct {
	Format string        `json:"format"`
	Name   string        `json:"name"` // as asked for
	Fleet  BaselineFleet `json:"fleet"`

	Programs     []BaselineProgram     `json:"programs"`     // by key
	Hosts        []BaselineHost        `json:"hosts"`        // by name
	Destinations []BaselineDestination `json:"destinations"` // the registered domain, if any
	Similar      []string              `json:"similar"`      // names that hold the one asked for, when nothing has it

	Inputs []Input `json:"inputs"`
}

// Known reports whether anything has the name.
func (b *Baseline) Known() bool { return len(b.Programs)+len(b.Hosts)+len(b.Destinations) > 0 }

// A BaselineFleet says how much all that is known rests on.
type BaselineFleet struct {
	Hosts int64      `json:"hosts"`
	First *time.Time `json:"first"` // session
	Last  *time.Time `json:"last"`
	Days  float64    `json:"days"` // from the first session to the last

	ShippedEdges  float64 `json:"shipped_edges"`  // of a class, that what is shipped stands for
	ShippedShare  float64 `json:"shipped_share"`  // of what it stood for on the first day
	ClassEdges    float64 `json:"class_edges"`    // of a program, that its image or class stands for
	PeriodicEdges float64 `json:"periodic_edges"` // the same, in shares of periodic edges
	NewAfterDays  float64 `json:"new_after_days"` // of a host's evidence: what begins earlier is not new
	SeasonDays    float64 `json:"season_days"`    // that nobody's program must be there before its hosts count
}

// A Fraction is how many of how many.
type Fraction struct {
	Count int64 `json:"count"`
	Of    int64 `json:"of"`
}

// A BaselineProgram is what is known of a program.
type BaselineProgram struct {
	Program string   `json:"program"` // its key
	Name    string   `json:"name"`    // of its file, with what it hosts
	Class   string   `json:"class"`
	Hosts   Fraction `json:"hosts"` // of the fleet's
	Groups  []Group  `json:"groups"`

	FirstSeen  time.Time  `json:"first_seen"`
	Standing   string     `json:"standing"`
	CountsFrom *time.Time `json:"counts_from"` // null unless it must be seasoned

	Links    int64          `json:"links"`
	Rare     Estimate       `json:"rare_links"`
	Periodic Estimate       `json:"periodic"`
	Spreads  []Spread       `json:"spreads"`
	Hosted   []BaselinePart `json:"hosted"`
}

// A Group is how many hosts with an attribute have a program.
type Group struct {
	Attribute string `json:"attribute"`
	Fraction
}

// An Estimate is a share as it was seen of a program, of its image and of its
// class, as it is shipped, and what a score makes of these.
type Estimate struct {
	Program Fraction  `json:"program"`
	Image   *Fraction `json:"image"` // null unless the image hosts others
	Class   Fraction  `json:"class"`
	Shipped float64   `json:"shipped"`
	Weights Weights   `json:"weights"`
	Value   float64   `json:"value"`
}

// Weights are how far a number rests on what was seen of the program, of its
// image and of its class, and on what is shipped: they add up to one.
type Weights struct {
	Program float64 `json:"program"`
	Image   float64 `json:"image"`
	Class   float64 `json:"class"`
	Shipped float64 `json:"shipped"`
}

// A Spread is how much of a measure edges have.
type Spread struct {
	Measure string     `json:"measure"`
	Unit    string     `json:"unit"`
	Known   int64      `json:"known"` // edges
	Program *Quantiles `json:"program"`
	Class   *Quantiles `json:"class"`
	Shipped Quantiles  `json:"shipped"`
	Value   Quantiles  `json:"value"`
	Weights Weights    `json:"weights"`
}

// Quantiles are what half of the edges do not exceed, what nine in ten do not,
// and what ninety-nine in a hundred do not.
type Quantiles struct {
	P50 int64 `json:"p50"`
	P90 int64 `json:"p90"`
	P99 int64 `json:"p99"`
}

// A BaselinePart is one of the programs that an image hosts.
type BaselinePart struct {
	Program   string    `json:"program"`
	Hosts     int64     `json:"hosts"`
	Links     int64     `json:"links"`
	FirstSeen time.Time `json:"first_seen"`
}

// A BaselineHost is what is known of a host.
type BaselineHost struct {
	Host       string           `json:"host"`
	Attributes []string         `json:"attributes"`
	FirstSeen  time.Time        `json:"first_seen"` // session
	LastSeen   time.Time        `json:"last_seen"`
	Days       int64            `json:"days"` // with sessions
	Sessions   int64            `json:"sessions"`
	Links      int64            `json:"links"`
	Young      int64            `json:"young_links"`
	Unowned    int64            `json:"links_without_owner"`
	Rungs      map[string]int64 `json:"by_rung"` // links, those without an owner too
	Programs   []HostProgram    `json:"programs"`
}

// A HostProgram is a program on a host.
type HostProgram struct {
	Program    string `json:"program"`
	OtherHosts int64  `json:"other_hosts"`
	Links      int64  `json:"links"`
	Sessions   int64  `json:"sessions"`
}

// A BaselineDestination is what is known of a registered domain.
type BaselineDestination struct {
	Domain   string               `json:"registered_domain"`
	Services []BaselineService    `json:"services"` // that its names belong to
	Hosts    Fraction             `json:"hosts"`    // of the fleet's
	First    time.Time            `json:"first_seen"`
	Last     time.Time            `json:"last_seen"`
	Sessions int64                `json:"sessions"`
	NoBytes  int64                `json:"sessions_with_unknown_bytes"`
	BytesOut *int64               `json:"bytes_out"` // null when unknown for all
	Names    []string             `json:"names"`
	Programs []DestinationProgram `json:"programs"`
}

// A BaselineService is a web service of the catalogue.
type BaselineService struct {
	Service string `json:"service"`
	Class   string `json:"service_class"`
}

// A DestinationProgram is a program that goes to a destination.
type DestinationProgram struct {
	Program   string    `json:"program"` // "" when unknown
	Hosts     int64     `json:"hosts"`
	FirstSeen time.Time `json:"first_seen"`
}
