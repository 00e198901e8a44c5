package cef

import "bytes"

// A dialect is what a vendor's messages mean beyond the standard.
type dialect struct {
	outIsSent bool // "out" is what the client sent, whatever the standard says
	firewall  bool // URLs are of sessions that it let pass, not of requests to it
	session   bool // externalId is the session's number
	ignored   string
}

// The vendors whose meaning is published. This is the one place of it.
var (
	zscalerWeb = dialect{outIsSent: true}
	zscaler    = dialect{ignored: "Zscaler, no web log"}
	fortinet   = dialect{outIsSent: true, firewall: true, session: true}
	paloAlto   = dialect{outIsSent: true, firewall: true}
	checkPoint = dialect{firewall: true}
	standard   = dialect{}
)

// dialectOf returns that of a message.
func dialectOf(m *message) *dialect {
	switch string(m.vendor) {
	case "Zscaler":
		if bytes.EqualFold(m.product, []byte("NSSWeblog")) || string(m.product) == "NSS" {
			return &zscalerWeb
		}
		return &zscaler
	case "Fortinet":
		return &fortinet
	case "Palo Alto Networks":
		return &paloAlto
	case "Check Point":
		return &checkPoint
	}
	return &standard
}
