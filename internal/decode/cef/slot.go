package cef

// A slot is what is read of a message.
type slot int

// The slots.
const (
	unused slot = iota
	src
	spt
	dst
	dpt
	proto
	app
	in
	out
	url
	method
	user
	dhost
	status
	action
	received
	start
	end
	timeFormat
	duration // seconds
	device
	device2
	session
	slots // how many
)

// cefSlot maps the keys of CEF: of the standard, and those that the vendors of
// dialects add.
func cefSlot(key []byte) slot { //nolint:cyclop // a table
	switch string(key) {
	case "src":
		return src
	case "spt":
		return spt
	case "dst":
		return dst
	case "dpt":
		return dpt
	case "proto":
		return proto
	case "app", "requestProtocol":
		return app
	case "in":
		return in
	case "out":
		return out
	case "request":
		return url
	case "requestMethod":
		return method
	case "suser", "duser": // Fortinet has the client's user in the latter
		return user
	case "dhost":
		return dhost
	case "outcome":
		return status
	case "act":
		return action
	case "rt", "FTNTFGTeventtime":
		return received
	case "start":
		return start
	case "end":
		return end
	case "FTNTFGTduration":
		return duration
	case "dvchost", "deviceExternalId":
		return device
	case "dvc":
		return device2
	case "externalId":
		return session
	}
	return unused
}

// leefSlot maps the keys of LEEF, and those of the layout that Zscaler ships.
func leefSlot(key []byte) slot { //nolint:cyclop // a table
	switch string(key) {
	case "src":
		return src
	case "srcPort":
		return spt
	case "dst":
		return dst
	case "dstPort":
		return dpt
	case "proto":
		return proto
	case "appproto":
		return app
	case "dstBytes":
		return in
	case "srcBytes":
		return out
	case "url":
		return url
	case "method", "requestMethod", "reqmethod", "requestmethod":
		return method
	case "usrName":
		return user
	case "hostname":
		return dhost
	case "status", "respcode":
		return status
	case "action", "cat":
		return action
	case "devTime":
		return received
	case "devTimeFormat":
		return timeFormat
	case "deviceName":
		return device
	}
	return unused
}
