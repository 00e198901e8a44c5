package finding

import "time"

// A ToldBefore is a finding that was told lately and has not become stronger.
type ToldBefore struct {
	ID        string    `json:"id"`
	Rank      int       `json:"rank"`
	Program   string    `json:"program"` // identity
	Domain    string    `json:"domain"`
	Score     float64   `json:"score"`      // now
	ScoreThen float64   `json:"score_then"` // when it was told last
	FirstTold time.Time `json:"first_told"` // the evidence's end then
	LastTold  time.Time `json:"last_told"`
}

// An Update says what a finding was when it was told last.
type Update struct {
	FirstTold time.Time `json:"first_told"` // the evidence's end then
	LastTold  time.Time `json:"last_told"`
	ScoreThen float64   `json:"score_then"`
	HostsThen int       `json:"hosts_then"`
	BytesThen *int64    `json:"bytes_out_then"`
	Grew      []string  `json:"grew"` // score, hosts, bytes
}

// What of a finding may have grown since it was told.
const (
	GrewScore = "score"
	GrewHosts = "hosts"
	GrewBytes = "bytes"
)

// An Expected is a finding that an operator said is fine. Its score is that
// which it would have been told with.
type Expected struct {
	ID      string  `json:"id"`
	Program string  `json:"program"` // identity
	Domain  string  `json:"domain"`
	Score   float64 `json:"score"`
	Owner   string  `json:"owner"`
	Reason  string  `json:"reason"`
	Expires string  `json:"expires"` // the last day, such as 2027-06-30
}

// A NewProgram is a program that came into the fleet and is on several hosts.
type NewProgram struct {
	Program   string    `json:"program"` // identity
	Hosts     int       `json:"hosts"`
	FirstSeen time.Time `json:"first_seen"`
	Domains   []string  `json:"domains"` // of the most sessions, the first 5
}

// A Standing is a finding that was there when the evidence began, and that is
// not told.
type Standing struct {
	ID       string  `json:"id"`
	Rank     int     `json:"rank"`
	Program  string  `json:"program"` // identity
	Domain   string  `json:"domain"`
	Score    float64 `json:"score"`
	Hosts    int     `json:"hosts"`
	Sessions int64   `json:"sessions"`
	BytesOut *int64  `json:"bytes_out"` // where known; null when of no session
}
