// Package columns reads tables that an operator describes: which column of a
// CSV file, or member of a JSON object, holds what of a request or a flow.
package columns

import (
	"bytes"
	"io"
	"time"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/gateway"
)

// A Map describes a format.
type Map struct {
	Name       string `yaml:"name" doc:"What the format is called, as --format takes it: lower case, digits and hyphens."`
	Kind       string `yaml:"kind" doc:"csv (with a line of names first) or json (objects)."`
	Separator  string `yaml:"separator" doc:"What stands between the columns of csv: a comma unless said otherwise; tab is the tab."`
	Event      string `yaml:"event" doc:"What a row is: a request to a proxy (request), or a connection that a firewall saw (flow)."`
	TimeLayout string `yaml:"time_layout" doc:"How times are written: epoch, rfc3339, or 2006-01-02 15:04:05 as this one instant is written there."`
	Zone       string `yaml:"zone" doc:"The clock on the wall that times without a zone show: UTC, or a name such as Europe/Berlin."`
	Durations  string `yaml:"durations" doc:"The unit of durations: s, ms or us."`
	Columns    Fields `yaml:"columns" doc:"Which column holds what. See docs/config.md."`
	Constants  Fields `yaml:"constants" doc:"What no column says, and is the same in every row."`
}

// Fields are what a row can say. In a Map's columns they are the names of
// columns, in its constants the values themselves.
type Fields struct {
	Date       string `yaml:"date" doc:"the date, where time and end have only the clock"`
	Time       string `yaml:"time" doc:"when it began"`
	End        string `yaml:"end" doc:"when it ended"`
	Duration   string `yaml:"duration" doc:"how long it lasted"`
	Client     string `yaml:"client" doc:"the client's address"`
	ClientPort string `yaml:"client_port" doc:"the client's port"`
	Server     string `yaml:"server" doc:"the address of the proxy (request), or of the far end (flow)"`
	ServerPort string `yaml:"server_port" doc:"the port of it"`
	Protocol   string `yaml:"protocol" doc:"tcp, udp, or a number (flow)"`
	Method     string `yaml:"method" doc:"the method of HTTP (request)"`
	Scheme     string `yaml:"scheme" doc:"http or https, where the URL does not say it (request)"`
	URL        string `yaml:"url" doc:"what was asked for, with or without the scheme (request)"`
	Host       string `yaml:"host" doc:"the host asked for, where there is no URL (request)"`
	Port       string `yaml:"port" doc:"the port asked for (request)"`
	User       string `yaml:"user" doc:"the user (request)"`
	Status     string `yaml:"status" doc:"the status of HTTP (request)"`
	Action     string `yaml:"action" doc:"what the proxy did; block…, den…, drop… and reject… count as status 403 (request)"`
	BytesOut   string `yaml:"bytes_out" doc:"bytes from the client"`
	BytesIn    string `yaml:"bytes_in" doc:"bytes to the client"`
	Session    string `yaml:"session" doc:"the sensor's number of the connection (flow)"`
	Service    string `yaml:"service" doc:"the protocol, where the sensor knows it: ssl, http (flow)"`
	Sensor     string `yaml:"sensor" doc:"the device that wrote the row; the format's name where nothing says it"`
}

// Formats returns the formats that valid maps describe.
func Formats(maps []Map) []*decode.Format {
	var all []*decode.Format
	for i := range maps {
		all = append(all, format(&maps[i]))
	}
	return all
}

func format(m *Map) *decode.Format {
	t := newTable(m)
	f := &decode.Format{
		Name:       m.Name,
		Doc:        "Rows of " + m.Kind + " as the configuration describes them, each a " + m.Event + "\n\n" + doc,
		Extensions: []string{"." + m.Kind},
	}
	const clock = "as the configuration says"
	if m.Kind == kindJSON {
		f.Match = t.matchObject
		f.Open = func(r io.Reader, tally *decode.Tally) decode.Decoder {
			rows := &rows{table: t}
			return gateway.NewObjectDecoder(r, tally, clock, rows.object)
		}
		return f
	}
	f.Match = t.matchHeader
	f.Open = func(r io.Reader, tally *decode.Tally) decode.Decoder {
		rows := &rows{table: t}
		return gateway.NewDecoder(r, tally, clock, rows.line)
	}
	return f
}

const doc = `An input is of this format when its first line names all columns of the map, or
its first object has them all. Fields may be in double quotes, with quotes in them
doubled; a field cannot span lines. Names of members of objects within objects
have dots between.`

// matchHeader reports whether head begins with a line that names all columns.
func (t *table) matchHeader(head []byte) bool {
	for line := range bytes.Lines(head) {
		if line = bytes.TrimRight(line, "\r\n"); len(line) > 0 {
			_, missing := t.header(line)
			return missing == ""
		}
	}
	return false
}

// matchObject reports whether the first object in head has all columns.
func (t *table) matchObject(head []byte) bool {
	text, err := decode.NewValues(bytes.NewReader(head), 0).Next()
	if err != nil {
		return false
	}
	v, err := fastjson.ParseBytes(text)
	if err != nil || v.Type() != fastjson.TypeObject {
		return false
	}
	for _, c := range t.columns {
		if find(v, c.name) == nil {
			return false
		}
	}
	return true
}

// find returns a member by its name, or by names with dots between.
func find(v *fastjson.Value, name string) *fastjson.Value {
	if m := v.Get(name); m != nil {
		return m
	}
	for i := 0; i < len(name); i++ {
		if name[i] == '.' {
			if m := v.Get(name[:i]); m != nil && m.Type() == fastjson.TypeObject {
				return find(m, name[i+1:])
			}
		}
	}
	return nil
}

// zoneOf returns the zone of a name; UTC where there is none.
func zoneOf(name string) (*time.Location, error) { return time.LoadLocation(name) }
