package coverage

import (
	"time"

	"github.com/postern/postern/internal/coverage/sysmon"
	"github.com/postern/postern/internal/finding"
)

// Format names the version of the document's format.
const Format = "postern.coverage/1"

// A Document says what of the outbound TLS sessions could be seen, and what
// not. docs/format/coverage.md explains each field.
type Document struct {
	Format string     `json:"format"`
	First  *time.Time `json:"first"` // session
	Last   *time.Time `json:"last"`

	Total      Known       `json:"total"`
	Sites      []Part      `json:"sites"`
	Roles      []Part      `json:"roles"`
	Hosts      []Host      `json:"hosts"`
	Population Population  `json:"population"`
	BlindSpots []BlindSpot `json:"blind_spots"` // the most bytes at risk first
	Traffic    []Traffic   `json:"traffic"`

	Needs       []Need               `json:"needs"`
	Sources     []Source             `json:"sources"`
	Translators []finding.Translator `json:"translators"`
	Sysmon      *sysmon.Report       `json:"sysmon"`
	Inputs      []finding.Input      `json:"inputs"`
}

// Known says of how many sessions each question can be answered.
type Known struct {
	Sessions int64  `json:"sessions"`
	OnWire   int64  `json:"sessions_on_wire"` // that a network sensor or a proxy saw
	NoBytes  int64  `json:"sessions_with_unknown_bytes"`
	BytesOut *int64 `json:"bytes_out"` // of the others; null when there are none

	Who       Answer `json:"who"`
	Where     Answer `json:"where"`
	HowMuch   Answer `json:"how_much"`
	Persisted Answer `json:"persisted"`
	All       Answer `json:"all_four"`
}

// An Answer is how much of the sessions it is known for. A share is null where
// nothing says what it would be of.
type Answer struct {
	Sessions int64    `json:"sessions"`
	Share    *float64 `json:"share_sessions"`
	BytesOut *int64   `json:"bytes_out"`
	Bytes    *float64 `json:"share_bytes"`
}

// A Part is the hosts of a site or of a role; "" is where that is not known.
type Part struct {
	Name  string `json:"name"`
	Hosts int    `json:"hosts"`
	Known
}

// The states of a host's endpoint telemetry.
const (
	StateNone    = "none"    // no event
	StateSilent  = "silent"  // events, and no connect among them
	StatePartial = "partial" // connects, and something is missing
	StatePresent = "present"
)

// A Host is a machine, or an address that no host claims.
type Host struct {
	Name     string `json:"name"`
	Site     string `json:"site"`
	Role     string `json:"role"`
	Inferred bool   `json:"role_inferred"`
	OnWire   bool   `json:"on_wire"`
	Endpoint string `json:"endpoint"`
	Known

	Logs     []Log     `json:"logs"`
	Silence  *Silence  `json:"silence"` // null where the wire or the endpoint has nothing to compare
	Problems []Problem `json:"problems"`
}

// A Log is what one source of a host reported.
type Log struct {
	Source   string     `json:"source"`
	Starts   int64      `json:"starts"`
	Stops    int64      `json:"stops"`
	Connects int64      `json:"connects"` // outbound
	Lookups  int64      `json:"lookups"`
	First    *time.Time `json:"first"`
	Last     *time.Time `json:"last"`
	Records  *Records   `json:"records"` // null when the numbers of records are not known
}

// Records says which records of a log are missing by their numbers.
type Records struct {
	First   uint64  `json:"first"`
	Last    uint64  `json:"last"`
	Seen    uint64  `json:"seen"`
	Holes   int     `json:"holes"`
	Missing uint64  `json:"missing"`
	Share   float64 `json:"missing_share"`

	// Judged is whether what is missing was lost rather than never exported,
	// and Why says by what that was told.
	Judged bool   `json:"judged"`
	Why    string `json:"why"`
}

// Silence counts the hours in which the wire saw sessions of the host begin
// while its endpoint reported something: those with no connect among that are
// silent.
type Silence struct {
	Hours   int        `json:"hours"`
	Silent  int        `json:"silent_hours"`
	Longest int        `json:"longest_run_hours"` // of the hours that count
	From    *time.Time `json:"longest_run_from"`
	To      *time.Time `json:"longest_run_to"`
}

// A Problem is a reason for which a host's telemetry is not whole.
type Problem struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// Population counts hosts by who sees them.
type Population struct {
	Both         int      `json:"both"`
	WireOnly     int      `json:"wire_only"`
	EndpointOnly int      `json:"endpoint_only"`
	Unseen       []string `json:"unseen"` // of the inventory, by name
}

// A BlindSpot is sessions for which one question has no answer, for one cause.
type BlindSpot struct {
	Question string   `json:"question"` // "who", "where", "how_much", "persisted"
	Cause    string   `json:"cause"`
	Sessions int64    `json:"sessions"`
	NoBytes  int64    `json:"sessions_with_unknown_bytes"`
	BytesOut *int64   `json:"bytes_at_risk"` // of the others; null when there are none
	Hosts    int      `json:"hosts"`
	Names    []string `json:"host_names"` // those with the most bytes, then sessions
	Text     string   `json:"text"`
	Fix      string   `json:"fix"`
}

// Traffic is sessions of a kind that is harder to see, or to control.
type Traffic struct {
	Kind     string   `json:"kind"`
	Sessions int64    `json:"sessions"`
	NoBytes  int64    `json:"sessions_with_unknown_bytes"`
	BytesOut *int64   `json:"bytes_out"`
	Hosts    int      `json:"hosts"`
	Names    []string `json:"host_names"`
	Text     string   `json:"text"`
	Fix      string   `json:"fix"`
}

// A Source is a sensor or a kind of endpoint log, and how far back it reaches.
type Source struct {
	Name   string     `json:"name"`
	Kind   string     `json:"kind"` // "flows", "handshakes", "lookups", "requests", "endpoint"
	Events int64      `json:"events"`
	First  *time.Time `json:"first"`
	Last   *time.Time `json:"last"`

	// Oldest is the oldest day since which there was no gap of more than
	// three days, and Days how many days lie from it to the last event.
	Oldest string  `json:"oldest_usable_day"`
	Days   float64 `json:"usable_days"`
}

// A Need is how far back evidence must reach for a question of the baseline.
type Need struct {
	What    string   `json:"what"`
	Days    float64  `json:"days"`
	Lacking []string `json:"lacking"` // sources that do not reach as far
	Hosts   int      `json:"hosts_lacking"`
}
