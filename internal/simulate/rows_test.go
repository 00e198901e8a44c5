package simulate_test

import (
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/internal/event"
)

// A row is a row of a Zeek log by column.
type row map[string]string

func (r row) ends(t *testing.T) tuple {
	t.Helper()
	return tuple{
		proto: r["proto"],
		src:   addrPort(t, r["id.orig_h"], r["id.orig_p"]), dst: addrPort(t, r["id.resp_h"], r["id.resp_p"]),
	}
}

func (r row) time(t *testing.T) time.Time {
	t.Helper()
	sec, frac, _ := strings.Cut(r["ts"], ".")
	return time.UnixMicro(number(t, sec)*1e6 + number(t, frac)).UTC()
}

// A tuple identifies a connection.
type tuple struct {
	proto    string
	src, dst netip.AddrPort
}

func addrPort(t *testing.T, addr, port string) netip.AddrPort {
	t.Helper()
	a, err := netip.ParseAddr(addr)
	if err != nil {
		t.Fatal(err)
	}
	p, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return netip.AddrPortFrom(a, uint16(p))
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// rows reads a Zeek log and fails for what Zeek would not write.
func rows(t *testing.T, path string) []row {
	t.Helper()
	var fields, types []string
	var all []row
	closed := false
	lines(t, path, func(line string) {
		cells := strings.Split(line, "\t")
		switch {
		case closed:
			t.Fatalf("%s: a line after #close", path)
		case cells[0] == "#fields":
			fields = cells[1:]
		case cells[0] == "#types":
			types = cells[1:]
		case cells[0] == "#close":
			closed = true
		case strings.HasPrefix(line, "#"):
		case len(cells) != len(fields):
			t.Fatalf("%s: %d cells, want %d: %s", path, len(cells), len(fields), line)
		default:
			r := make(row, len(cells))
			for i, c := range cells {
				if c == "" {
					t.Fatalf("%s: %s is empty: %s", path, fields[i], line)
				}
				r[fields[i]] = c
			}
			all = append(all, r)
		}
	})
	if !closed || len(fields) == 0 || len(fields) != len(types) {
		t.Fatalf("%s: closed %v, %d fields, %d types", path, closed, len(fields), len(types))
	}
	return all
}

// A record is an endpoint's record, whatever the export.
type record struct {
	time     time.Time
	computer string
	channel  string
	number   int64
	id       int64
	data     map[string]string
}

// parse reads a line of either export.
func parse(t *testing.T, line string) record {
	t.Helper()
	var o struct {
		Timestamp time.Time `json:"@timestamp"`
		Winlog    struct {
			Computer string         `json:"computer_name"`
			Channel  string         `json:"channel"`
			Record   int64          `json:"record_id"`
			ID       string         `json:"event_id"`
			Data     map[string]any `json:"event_data"`
		} `json:"winlog"`
		Event struct {
			System struct {
				EventID       int64
				EventRecordID int64
				Channel       string
				Computer      string
				TimeCreated   struct {
					Attributes struct{ SystemTime time.Time } `json:"#attributes"`
				}
			}
			EventData map[string]any
		}
	}
	// Winlogbeat's "event" is another thing: encoding/json ignores case.
	line = strings.Replace(line, `"event":{`, `"ecs_event":{`, 1)
	if err := json.Unmarshal([]byte(line), &o); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	s := o.Event.System
	if s.Computer != "" {
		return record{s.TimeCreated.Attributes.SystemTime, s.Computer, s.Channel, s.EventRecordID, s.EventID, texts(o.Event.EventData)}
	}
	w := o.Winlog
	return record{o.Timestamp, w.Computer, w.Channel, w.Record, number(t, w.ID), texts(w.Data)}
}

// texts returns values as they are written.
func texts(data map[string]any) map[string]string {
	m := make(map[string]string, len(data))
	for k, v := range data {
		switch v := v.(type) {
		case string:
			m[k] = v
		case float64:
			m[k] = strconv.FormatFloat(v, 'f', -1, 64)
		case bool:
			m[k] = strconv.FormatBool(v)
		}
	}
	return m
}

// connect returns the ends of an outbound connect, if r is one.
func (r record) connect(t *testing.T) (tuple, bool) {
	t.Helper()
	d := r.data
	switch {
	case r.id == 3 && d["Initiated"] == "true":
		return tuple{d["Protocol"], addrPort(t, d["SourceIp"], d["SourcePort"]), addrPort(t, d["DestinationIp"], d["DestinationPort"])}, true
	case r.id == 5156 && d["Direction"] == "%%14593":
		proto := event.Proto(number(t, d["Protocol"])).String()
		return tuple{proto, addrPort(t, d["SourceAddress"], d["SourcePort"]), addrPort(t, d["DestAddress"], d["DestPort"])}, true
	}
	return tuple{}, false
}
