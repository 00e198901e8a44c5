package owner

import "github.com/postern/postern/internal/event"

// Adopt returns the session of a flow with the owner that a connect names, of
// which a session was made before the two were known for one connection.
func Adopt(flow, connect event.Session) event.Session {
	s := flow
	s.Rung = event.RungTuple
	s.Host, s.Program = connect.Host, connect.Program
	s.PID, s.GUID, s.Image, s.User = connect.PID, connect.GUID, connect.Image, connect.User
	s.OriginalName, s.OtherImage = connect.OriginalName, connect.OtherImage
	if connect.NameSource < s.NameSource {
		s.Name, s.NameSource, s.Domain = connect.Name, connect.NameSource, connect.Domain
	}
	return s
}
