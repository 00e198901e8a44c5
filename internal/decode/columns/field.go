package columns

import "reflect"

// A field is one of Fields, by its number there.
type field int

// The fields, in the order of Fields.
const (
	date field = iota
	begin
	end
	duration
	client
	clientPort
	server
	serverPort
	protocol
	method
	scheme
	url
	host
	port
	user
	status
	action
	bytesOut
	bytesIn
	session
	service
	sensor
	fields // how many
)

// all returns the values of f in order.
func (f *Fields) all() (values [fields]string) {
	v := reflect.ValueOf(*f)
	for i := range values {
		values[i] = v.Field(i).String()
	}
	return values
}

// key returns the name of a field in a configuration.
func (f field) key() string { return reflect.TypeFor[Fields]().Field(int(f)).Tag.Get("yaml") }

// constant reports whether a field can be the same in every row.
func (f field) constant() bool {
	switch f {
	case server, serverPort, protocol, method, scheme, port, service, sensor:
		return true
	default:
		return false
	}
}

// of reports whether a field says something of that kind of event.
func (f field) of(event string) bool {
	switch f {
	case protocol, session, service:
		return event == eventFlow
	case method, scheme, url, host, port, user, status, action:
		return event == eventRequest
	default:
		return true
	}
}
