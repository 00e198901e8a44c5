package simulate

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/simulate/format"
)

// A Truth is what a scenario hid, for those who check what was found.
type Truth struct {
	Scenario string `json:"scenario"`
	Seed     uint64 `json:"seed"`
	From     string `json:"from"` // RFC 3339
	To       string `json:"to"`
	Hidden   []Deed `json:"hidden"`
}

// A Deed is one hidden activity. Times are true ones, whatever the clock of
// the host says; sessions and bytes are those that Zeek's conn.log has.
type Deed struct {
	Kind        string `json:"kind"` // "beacon", "exfiltration"
	Host        string `json:"host"`
	User        string `json:"user"`
	Image       string `json:"image"`
	Destination string `json:"destination"` // registered domain
	First       string `json:"first"`       // RFC 3339, of the first session's first packet
	Last        string `json:"last"`        // of the last session's
	Sessions    int    `json:"sessions"`
	Bytes       int64  `json:"bytes"` // out
}

const instant = "2006-01-02T15:04:05.000000Z"

// note adds a session of which the sensor kept the row, nil when it did not.
func (d *Deed) note(row *format.Conn) {
	if row == nil {
		return
	}
	if d.Sessions == 0 {
		d.First = row.Time.Std().Format(instant)
	}
	d.Last = row.Time.Std().Format(instant)
	d.Sessions++
	d.Bytes += row.BytesOut
}

func newTruth(scenario string, seed uint64, from, to event.Time) *Truth {
	return &Truth{
		Scenario: scenario, Seed: seed,
		From: from.Std().Format(time.RFC3339), To: to.Std().Format(time.RFC3339),
	}
}

// write writes t to truth.json in dir.
func (t *Truth) write(dir string) error {
	b, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the truth: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "truth.json"), append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the truth: %w", err)
	}
	return nil
}
