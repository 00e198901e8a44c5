package finding

import "time"

// A Series shows a finding's sessions over time, as pictures are drawn of
// them. It holds the last days of the finding, at most SeriesDays; the numbers
// of the finding itself always are of all.
type Series struct {
	From time.Time `json:"from"` // the midnight (UTC) before the first of Days
	Days []Volume  `json:"days"` // each day from then on, also those without sessions
	Cut  bool      `json:"cut"`  // there were sessions before From

	// HoursOfDay are the 24 hours of the day (UTC), over all days of the
	// finding.
	HoursOfDay []Volume `json:"hours_of_day"`

	// Slots are when sessions began, in steps of SlotMinutes since From;
	// those in which none began are left out.
	SlotMinutes int    `json:"slot_minutes"`
	Slots       []Slot `json:"slots"`

	// Intervals are the times between the starts of a host's sessions, over
	// all hosts and days. Those that never occur are left out.
	Intervals []Interval `json:"intervals"`

	Longest []Sample `json:"longest"` // sessions of known duration, the longest first
	Largest []Sample `json:"largest"` // sessions that a sensor named, those that sent most first
}

// Bounds of a series.
const (
	SeriesDays  = 60
	SeriesSlots = 1440
	SeriesLong  = 10
	SeriesLarge = 20
)

// A Volume is what the sessions that began in some time sent and received.
type Volume struct {
	Sessions int64 `json:"sessions"`
	BytesOut int64 `json:"bytes_out"` // of those where it is known
	BytesIn  int64 `json:"bytes_in"`
	Unknown  int64 `json:"sessions_with_unknown_bytes"` // outbound
}

// A Slot is a short time in which sessions began.
type Slot struct {
	Minute   int   `json:"minute"` // since the series' From
	Sessions int64 `json:"sessions"`
}

// An Interval is a range of intervals between sessions, and how often they
// occur.
type Interval struct {
	From  float64 `json:"from_seconds"`
	To    float64 `json:"to_seconds"` // not in it
	Count int64   `json:"count"`
}

// A Sample is one session.
type Sample struct {
	UID      string    `json:"uid"` // the sensor's name of the flow; "" when it has none
	Host     string    `json:"host"`
	Address  string    `json:"address"` // and port, of the far end
	Start    time.Time `json:"start"`
	Duration *float64  `json:"duration_seconds"` // null when unknown
	BytesOut *int64    `json:"bytes_out"`
	BytesIn  *int64    `json:"bytes_in"`
}

// An Estate is what the rest of the estate has to do with a finding.
type Estate struct {
	FirstSeen time.Time `json:"first_seen"` // the first session of anyone to the registered domain
	Hosts     int       `json:"hosts"`      // that go there, by any program

	// Programs are the other programs that go there, those of the most hosts
	// first; the first of ProgramsTotal.
	Programs      []User `json:"programs"`
	ProgramsTotal int    `json:"programs_total"`

	Fingerprints []Fingerprint `json:"fingerprints"` // the finding's JA4
}

// A Fingerprint is a JA4 and who else in the estate has it.
type Fingerprint struct {
	JA4           string `json:"ja4"`
	Programs      []User `json:"programs"` // other than the finding's own
	ProgramsTotal int    `json:"programs_total"`
}

// A User is a program that does something too.
type User struct {
	Program  string `json:"program"` // identity; "" for what is unknown
	Hosts    int    `json:"hosts"`
	Sessions int64  `json:"sessions"`
}
