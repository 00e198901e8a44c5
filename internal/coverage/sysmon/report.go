package sysmon

// Format names the version of the report's format.
const Format = "postern.sysmon-audit/1"

// A Report is what a configuration, or the lack of events, keeps from the
// analytic.
type Report struct {
	Format   string `json:"format"`
	Inferred bool   `json:"inferred"`       // from the mix of events, without a file
	Schema   string `json:"schema_version"` // "" when inferred

	Classes  []Class   `json:"classes"`  // of programs, their connects to port 443
	Places   []Place   `json:"places"`   // folders in which an uncommon program may lie
	Ports    []Port    `json:"ports"`    // on which TLS is usual
	Services []Service `json:"services"` // classes of web services that are not seen whole
	Missing  []Missing `json:"missing"`  // what the inference found
	Changes  []Change  `json:"changes"`  // in the order in which they are to be made

	// Days is how long the evidence is by which events are counted; null
	// without evidence, or with less than a day.
	Days  *float64 `json:"days"`
	Notes []string `json:"notes"`
}

// Logged counts what is logged, what is not, and where that depends on what is
// not known here.
type Logged struct {
	Yes     int `json:"logged"`
	No      int `json:"not_logged"`
	Depends int `json:"depends"`
}

// A Class is a class of programs that Postern knows.
type Class struct {
	Class string `json:"class"`
	Logged
	Hidden []string `json:"hidden"` // the first of those not logged
}

// A Place is a folder with a program that no rule knows.
type Place struct {
	Folder  string `json:"folder"`
	What    string `json:"what"`
	Start   string `json:"start"`   // is logged: "yes", "no" or "depends"
	Connect string `json:"connect"` // to port 443
}

// A Port says from how many of the places a connect to it is logged.
type Port struct {
	Port      uint16 `json:"port"`
	Transport string `json:"transport"`
	Logged
}

// A Service is a class of web services of the catalogue, by its names.
type Service struct {
	Class   string   `json:"class"`
	Names   int      `json:"names"`
	Lookups Logged   `json:"lookups"`
	Connect Logged   `json:"connects"` // whose reverse name is that one
	Hidden  []string `json:"hidden"`   // the first services of which either is not logged
}

// A Missing is something that the evidence shows beside Sysmon, and of which
// Sysmon never tells.
type Missing struct {
	Event string `json:"event"`
	What  string `json:"what"` // "port", "program" or "domain"
	Name  string `json:"name"`
	Seen  int64  `json:"seen"` // by another source
}

// A Change is one to the configuration.
type Change struct {
	Event  string   `json:"event"`
	Action string   `json:"action"` // "insert after", "insert before", "remove"; "add" without a file
	Line   int      `json:"line"`   // 0 when there is no file
	XML    []string `json:"xml"`    // lines
	Why    string   `json:"why"`

	// Of the evidence, the events that it would add: those that certainly
	// would come, and with those of which too little is known to say. They are
	// null without evidence, per day also with less than a day.
	Events       *int64   `json:"events"`
	EventsMost   *int64   `json:"events_at_most"`
	PerDay       *float64 `json:"events_per_day"`
	PerDayAtMost *float64 `json:"events_per_day_at_most"`
}

// Seen is what the evidence at hand shows of the hosts that run Sysmon, beside
// what Sysmon says.
type Seen struct {
	Connects []SeenConnect
	Lookups  []SeenLookup
	Days     float64 // that it spans
}

// A SeenConnect is outbound TLS connections that a wire saw.
type SeenConnect struct {
	Image string // of the owner, "" when unknown
	Port  uint16
	UDP   bool
	Count int64
}

// A SeenLookup is DNS questions for a name that a wire saw.
type SeenLookup struct {
	Name  string
	Count int64
}
