package zeek

// A log is a kind of Zeek log that gives events, or none of them.
type log uint8

const (
	otherLog log = iota
	connLog
	openConnLog
	sslLog
	quicLog
	x509Log
	dnsLog
	httpLog
	dhcpLog
)

// logNames has the names of the logs that give events.
var logNames = map[string]log{
	"conn":      connLog,
	"open_conn": openConnLog,
	"conn_long": openConnLog,
	"ssl":       sslLog,
	"open_ssl":  sslLog,
	"quic":      quicLog,
	"x509":      x509Log,
	"dns":       dnsLog,
	"http":      httpLog,
	"open_http": httpLog,
	"dhcp":      dhcpLog,
}

// unnamed is the log that neither its name nor its columns tell.
const unnamed = "zeek, unnamed log"

// infer tells a log by the columns that it has. A JSON object lacks those
// that are unset, so it goes by those that Zeek always sets.
func infer(has *columnSet) log {
	switch {
	case has[colCertSubject] && !has[colOrigHost]:
		return x509Log
	case has[colMessages] && has[colMAC]:
		return dhcpLog
	case !has[colOrigHost] || !has[colRespHost]:
		return otherLog
	case has[colConnState], has[colProto] && has[colHistory]:
		return connLog
	case has[colEstablished], has[colCipher] && has[colVersion]:
		return sslLog
	case has[colVersion] && has[colQUICID]:
		return quicLog
	case has[colQuery], has[colQtype], has[colQtypeName], has[colTransID] && has[colRcode]:
		return dnsLog
	case has[colSIP]:
		return otherLog // SIP borrows the columns of HTTP
	case has[colBodyLen], has[colMethod] && has[colURI]:
		return httpLog
	}
	return otherLog
}

// maxLabels bounds how many names of logs a tally may show: they come from
// the input.
const maxLabels = 100

// labels names the logs that are ignored.
type labels map[string]string

// of returns what the tally calls the rows of the log of that name.
func (l labels) of(path []byte) string {
	if len(path) == 0 {
		return unnamed
	}
	if s, ok := l[string(path)]; ok {
		return s
	}
	if len(l) >= maxLabels || !isLogName(path) {
		return "zeek, other log"
	}
	s := "zeek " + string(path)
	l[string(path)] = s
	return s
}

// isLogName reports whether path looks like what Zeek names a log.
func isLogName(path []byte) bool {
	for _, c := range path {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return 0 < len(path) && len(path) <= 48
}
