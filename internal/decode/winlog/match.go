package winlog

import (
	"bytes"

	"github.com/valyala/fastjson"

	"github.com/postern/postern/internal/decode"
)

// A shape is an arrangement of events in JSON, by its keys.
type shape int

const (
	shapeNone shape = iota
	shapeWinlogbeat
	shapeNXLog
	shapeExport
	shapeEVTX
	shapeWazuh
)

// matchJSON returns what a format's Match is. An input has one shape, so that
// no two formats match it.
func matchJSON(want shape) func([]byte) bool {
	return func(head []byte) bool { return shapeOf(head) == want }
}

// maxLook is how many objects shapeOf looks at: the first may be broken.
const maxLook = 16

// shapeOf tells the shape of an input by its first object that can be read, or
// by what there is of one that cannot.
func shapeOf(head []byte) shape {
	values := decode.NewValues(bytes.NewReader(head), 0)
	var parser fastjson.Parser
	for range maxLook {
		b, err := values.Next()
		if err != nil {
			break
		}
		if len(b) == 0 || b[0] != '{' {
			continue
		}
		if s := keysOf(b).shape(); s != shapeNone {
			return s
		}
		// A parser bounds the nesting, which fastjson.Validate does not.
		if _, err := parser.ParseBytes(b); err == nil {
			break
		}
	}
	return shapeNone
}

// keys are those of an object, and those of the objects in it as "outer.inner".
type keys map[string]bool

func (k keys) has(all ...string) bool {
	for _, key := range all {
		if !k[key] {
			return false
		}
	}
	return true
}

func (k keys) any(some ...string) bool {
	for _, key := range some {
		if k[key] {
			return true
		}
	}
	return false
}

// shape tells the shape of an object with those keys.
func (k keys) shape() shape {
	switch {
	case k.any("_path", "id.orig_h", "event_type"): // Zeek, Suricata
		return shapeNone
	case k["Event.System"], k["System.EventID"] && k.any("System.Channel", "System.Computer", "System.TimeCreated"):
		return shapeEVTX
	case k["data.win"], k.has("manager.name", "agent.id", "decoder.name"),
		k.has("_source.data", "_source.manager", "_source.decoder"):
		return shapeWazuh
	case k.has("winlog.event_id"), k.has("winlog.channel", "winlog.computer_name"),
		k.has("_source.winlog"), k.has("_source.event_data", "_source.computer_name"),
		k.has("event_id", "log_name", "computer_name"), k.has("event_id", "event_data", "computer_name"):
		return shapeWinlogbeat
	case !k["EventID"]:
		return shapeNone
	case k.any("SourceModuleType", "SourceModuleName", "EventReceivedTime"), k.has("EventTime", "Hostname"):
		return shapeNXLog
	case k.has("TimeCreated", "Hostname") && k.any("Channel", "SourceName"):
		return shapeExport
	}
	return shapeNone
}

// maxKeys bounds how many keys of an object are looked at.
const maxKeys = 4096

// keysOf returns the keys of the object b, of which the end may be missing.
func keysOf(b []byte) keys {
	found := make(keys)
	var outer string
	depth, key := 0, true // key: the next string is one, in an object
	var arrays uint64     // bit n: depth n+1 is an array
	for i := 0; i < len(b) && len(found) < maxKeys; i++ {
		switch c := b[i]; c {
		case '"':
			s, n := quoted(b[i+1:])
			i += n
			if key && depth == 1 {
				outer = s
				found[s] = true
			} else if key && depth == 2 {
				found[outer+"."+s] = true
			}
			key = false
		case '{', '[':
			if depth++; depth > 60 {
				return found
			}
			key = c == '{'
			arrays &^= 1 << depth
			if !key {
				arrays |= 1 << depth
			}
		case '}', ']':
			depth--
			key = false
			if depth <= 0 {
				return found
			}
		case ',':
			key = arrays&(1<<depth) == 0
		}
	}
	return found
}

// quoted returns the string that b begins with, behind its opening quote, and
// its length with the closing one. Escapes stay: no key in use here has any.
func quoted(b []byte) (string, int) {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return string(b[:i]), i + 1
		}
	}
	return "", len(b)
}
