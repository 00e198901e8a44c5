// Package finding defines what Postern tells: the findings of a run and its
// summary, as docs/format/findings.md specifies them.
package finding

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Format names the version of the document's format. A change that a reader
// of the older version would not survive raises the number.
const Format = "postern.findings/1"

// Analytic is the MITRE ATT&CK analytic that findings are evidence for.
const Analytic = "AN1189"

// A Document is the result of one run.
type Document struct {
	Format   string    `json:"format"`
	Analytic string    `json:"analytic"`
	Findings []Finding `json:"findings"`

	ToldBefore  []ToldBefore `json:"told_before"`  // in a store that is kept, by rank
	Expected    []Expected   `json:"expected"`     // the highest score first
	NewPrograms []NewProgram `json:"new_programs"` // those on the most hosts first
	Standing    []Standing   `json:"standing"`     // by rank

	Summary Summary `json:"summary"`
}

// A Finding is one program's sessions to one registered domain, or to its rare
// destinations together.
type Finding struct {
	ID    string  `json:"id"` // see [ID]
	Rank  int     `json:"rank"`
	Score float64 `json:"score"` // nats: the sum of the parts' points
	Parts []Part  `json:"parts"` // the largest first

	Tier   Tier     `json:"tier"`
	QValue *float64 `json:"q_value"`   // expected share of false alarms among findings at least this strong; null with too few to say
	Update *Update  `json:"update_of"` // null when it is told for the first time

	// Counterfactual are changes of which each alone would have left it out
	// of the list; none where no single one would.
	Counterfactual []string `json:"counterfactual"`

	// Knobs are the mutable elements of the analytic, and how it stands to
	// them.
	Knobs []Knob `json:"knobs"`

	Program     Program     `json:"program"`
	Processes   []Process   `json:"processes"`
	Destination Destination `json:"destination"`
	Hosts       []string    `json:"hosts"`

	Sessions             int64  `json:"sessions"`
	BytesOut             *int64 `json:"bytes_out"` // of the sessions where it is known; null when of none
	BytesIn              *int64 `json:"bytes_in"`
	SessionsUnknownBytes int64  `json:"sessions_with_unknown_bytes"`

	FirstSeen     time.Time `json:"first_seen"`
	LastSeen      time.Time `json:"last_seen"`
	PeriodSeconds *float64  `json:"period_seconds"` // null when the contacts are not regular
	ActiveHours   int       `json:"active_hours"`
	ActiveDays    int       `json:"active_days"`

	TLS   TLS              `json:"tls"`
	Rungs map[string]int64 `json:"rungs"` // sessions by the rung that names their owner

	Series *Series `json:"series,omitempty"` // only where it was asked for
	Estate *Estate `json:"estate,omitempty"` // likewise
}

// A Part is one contribution to a score.
type Part struct {
	Name   string  `json:"name"`
	Points float64 `json:"points"`
	Text   string  `json:"text"`
}

// A Knob is a mutable element of the analytic, by the analytic's name for it.
type Knob struct {
	Name     string   `json:"name"`
	Value    string   `json:"value"`    // as configured
	Observed string   `json:"observed"` // of the edge that the parts explain
	Margin   *float64 `json:"margin"`   // observed over the threshold, or the share outside the window; null when unknown
}

// A Program is the identity that the finding's processes share.
type Program struct {
	Name      string `json:"name"`      // file name; "" when unknown
	Image     string `json:"image"`     // path as one host wrote it
	Identity  string `json:"identity"`  // path template, the key
	Publisher string `json:"publisher"` // as the file's version resource claims, not verified
	Class     string `json:"class"`
}

// A Process is one process instance.
type Process struct {
	Host        string     `json:"host"`
	PID         uint32     `json:"pid"`
	GUID        string     `json:"guid"`
	Image       string     `json:"image"`
	CommandLine string     `json:"command_line"`
	User        string     `json:"user"`
	Hashes      string     `json:"hashes"`
	Hosted      string     `json:"hosted"`      // the service, script or application that the image runs; "" for none
	OtherImage  string     `json:"other_image"` // what another source names instead; "" when none contradicts
	Started     *time.Time `json:"started"`     // null when the log does not show it
	Sessions    int64      `json:"sessions"`
	Parents     []Parent   `json:"parents"` // the direct parent first
}

// A Parent is a process in a lineage.
type Parent struct {
	PID         uint32     `json:"pid"`
	GUID        string     `json:"guid"`
	Image       string     `json:"image"`
	CommandLine string     `json:"command_line"`
	User        string     `json:"user"`
	Started     *time.Time `json:"started"`
}

// A Destination is the far end.
type Destination struct {
	Name             string   `json:"name"` // the most frequent
	NameSource       string   `json:"name_source"`
	Names            []string `json:"names"`
	RegisteredDomain string   `json:"registered_domain"` // or the address, or how many there are together
	Members          []string `json:"members"`           // registered domains, where there are several
	Service          string   `json:"service"`
	ServiceClass     string   `json:"service_class"`
	Addresses        []string `json:"addresses"`
	Ports            []uint16 `json:"ports"`
}

// TLS is the TLS metadata of a finding's sessions.
type TLS struct {
	SNI         []string         `json:"sni"`
	JA3         []string         `json:"ja3"`
	JA4         []string         `json:"ja4"`
	Issuers     []string         `json:"issuers"`
	Subjects    []string         `json:"subjects"`
	Established *bool            `json:"established"` // whether any handshake was completed; null when no sensor says
	Evidence    map[string]int64 `json:"evidence"`    // sessions by the ground on which they are TLS
}

// A Summary says what was read, joined and left out.
type Summary struct {
	Inputs []Input `json:"inputs"`

	Records int64 `json:"records"`
	Lookups int64 `json:"lookups"`

	Account

	Contradictory    int64 `json:"contradictory"`
	HandshakesAlone  int64 `json:"handshakes_without_flow"`
	RequestsAlone    int64 `json:"requests_without_flow"`
	Edges            int64 `json:"edges"`
	FindingsListed   int   `json:"findings_listed"`
	FindingsUnlisted int   `json:"findings_not_listed"` // below --min-score, or beyond --top or the budget

	// Budget is how many findings the budget allows, null where --top says
	// how many are listed; FindingsOver are those not listed for its sake.
	Budget       *int `json:"budget"`
	FindingsOver int  `json:"findings_over_budget"`

	Hosts []Host `json:"hosts"`

	// Notices are what sensors said of themselves: that they were stopped,
	// started or configured anew. The first of NoticesTotal.
	Notices      []Notice `json:"notices"`
	NoticesTotal int64    `json:"notices_total"`

	// Lacking says what the evidence as a whole cannot show.
	Lacking []string `json:"lacking"`
}

// A Notice is something that a sensor said of itself.
type Notice struct {
	Host   string    `json:"host"`
	Time   time.Time `json:"time"` // on the host's clock
	Source string    `json:"source"`
	Kind   string    `json:"kind"` // service-state, config-change
	Text   string    `json:"text"`
}

// An Input is what became of one input.
type Input struct {
	Path        string           `json:"path"`
	Format      string           `json:"format"` // "" when unknown
	Status      string           `json:"status"` // read, empty, ignored, damaged, failed
	Error       string           `json:"error,omitempty"`
	Records     int64            `json:"records"`
	Events      int64            `json:"events"`
	Ignored     int64            `json:"ignored"`
	Skipped     int64            `json:"skipped"`
	SkipReasons map[string]int64 `json:"skip_reasons"`
	Positions   []Position       `json:"positions,omitempty"` // of the first skipped records
	Clock       string           `json:"clock"`
	Warnings    []string         `json:"warnings,omitempty"`
}

// A Position says which record was skipped and why.
type Position struct {
	Where  string `json:"where"`
	Reason string `json:"reason"`
}

// A Host is a host that the endpoint telemetry names.
type Host struct {
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"`

	// ClockOffset is the host's clock minus the wire's, in seconds, by the
	// most exact of its sources; null when there is nothing to compare.
	ClockOffset *float64 `json:"clock_offset_seconds"`
	ClockSpread *float64 `json:"clock_spread_seconds"`
	ClockSource string   `json:"clock_source"`
	ClockPairs  int      `json:"clock_pairs"`

	// Clocks are the estimates of all sources, and of all times between
	// which a clock was set.
	Clocks []Clock `json:"clocks"`
}

// A Clock is a host's clock, as one source shows it, against the wire's.
type Clock struct {
	Source string    `json:"source"`
	Offset float64   `json:"offset_seconds"` // the host's time minus the wire's
	Spread float64   `json:"spread_seconds"`
	Pairs  int       `json:"pairs"`
	Agree  int       `json:"agree"` // of the pairs
	First  time.Time `json:"first"` // on the host's clock
	Last   time.Time `json:"last"`
}

// ID returns the identity of the finding about a program and a registered
// domain. It is the same in every run, whatever else is found. The program's
// length keeps apart what hostile names would make alike.
func ID(program, domain string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d\x00%s\x00%s", Analytic, len(program), program, domain))
	return Analytic + "-" + hex.EncodeToString(sum[:6])
}
