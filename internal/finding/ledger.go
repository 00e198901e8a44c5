package finding

import "time"

// LedgerFormat names the version of the ledger's format.
const LedgerFormat = "postern.ledger/1"

// An Account says what became of some flows, connects and sessions.
type Account struct {
	Flows       int64            `json:"flows"`
	ByRung      map[string]int64 `json:"by_rung"`       // flows
	FlowsByKind map[string]int64 `json:"flows_by_kind"` // flows
	UnownedBy   map[string]int64 `json:"unowned_by"`    // flows below the owned rungs, by reason

	Connects        int64            `json:"connects"`
	ConnectOutcomes map[string]int64 `json:"connect_outcomes"`

	Sessions        int64            `json:"sessions"` // outbound TLS
	SessionsByRung  map[string]int64 `json:"sessions_by_rung"`
	SessionsNoBytes int64            `json:"sessions_with_unknown_bytes"`
	OwnedSessions   *float64         `json:"owned_share_sessions"` // of the sessions; null without any
	OwnedBytes      *float64         `json:"owned_share_bytes"`    // of their known outbound bytes; null without any
	BytesOut        int64            `json:"bytes_out"`

	// Of the sessions, and of their known outbound bytes, those whose
	// destination has a name, and those whose duration is known.
	NamedSessions *float64 `json:"named_share_sessions"`
	NamedBytes    *float64 `json:"named_share_bytes"`
	TimedSessions *float64 `json:"timed_share_sessions"`
	TimedBytes    *float64 `json:"timed_share_bytes"`

	First *time.Time `json:"first"` // session
	Last  *time.Time `json:"last"`
}

// A Ledger accounts for every flow and every connect, each once.
type Ledger struct {
	Format string  `json:"format"`
	Total  Account `json:"total"`

	Lookups         int64 `json:"lookups"`
	Contradictory   int64 `json:"contradictory"`
	HandshakesAlone int64 `json:"handshakes_without_flow"`
	RequestsAlone   int64 `json:"requests_without_flow"`
	Requests        int64 `json:"requests"`        // to proxies
	RequestsPlain   int64 `json:"requests_plain"`  // for http://
	RequestsWithin  int64 `json:"requests_within"` // within a connection that the proxy looks into

	CommunityIDs []CommunityIDs `json:"community_ids"` // by sensor

	Translators []Translator `json:"translators"` // by address

	Hosts   []NamedAccount  `json:"hosts"`   // by name; an address where no host is known
	Sensors []NamedAccount  `json:"sensors"` // of the wire, and sources of endpoints
	Hours   []HourlyAccount `json:"hours"`   // on the wire's clock
	Inputs  []Input         `json:"inputs"`
}

// CommunityIDs says with which seed a sensor, or a source of endpoints, makes
// its Community IDs.
type CommunityIDs struct {
	Sensor   string  `json:"sensor"`
	Compared int64   `json:"compared"`
	Seed     *uint16 `json:"seed"` // null when none of those tried gives them
}

// A NamedAccount is the account of a host or a sensor.
type NamedAccount struct {
	Name string `json:"name"`
	Account
}

// An HourlyAccount is the account of the hour that begins at Hour.
type HourlyAccount struct {
	Hour time.Time `json:"hour"`
	Account
}

// A Translator is an address that a wire saw, and behind which hosts stand.
type Translator struct {
	Address     string       `json:"address"`
	Hosts       []Translated `json:"behind"`
	FlowsJoined int64        `json:"flows_joined"` // to their owners
	FlowsBehind int64        `json:"flows_behind"` // whose host stays unknown
	KeepsPorts  bool         `json:"keeps_ports"`  // of the hosts
}

// Translated is a host behind a translator.
type Translated struct {
	Name      string  `json:"name"`
	Address   string  `json:"address"`   // the host's own
	Pairs     int     `json:"pairs"`     // of connects and flows by which it was found
	Explained float64 `json:"explained"` // share of its connects with a flow, beyond chance
}
