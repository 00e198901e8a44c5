package gateway

import (
	"bytes"
	"net/http"
	"net/netip"
	"strings"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
)

// A Request is what a record of a proxy's log says.
type Request struct {
	Sensor   string
	End      event.Time     // when the request was done with
	Src, Dst netip.AddrPort // the client, and the proxy where the log says it
	Method   string
	Target   decode.Target
	User     string
	Status   int

	Duration event.Count // microseconds
	BytesOut event.Count // from the client
	BytesIn  event.Count // to the client
}

// maxHost is the length of a host's name in bytes, from which on none is real.
const maxHost = 255

// The reasons to skip a record, which all formats share.
const (
	NoTime   = "no time that can be read"
	NoClient = "no client's address"
	NoEnd    = "no far end's address"
	NoNumber = "a number that is none"
	noHost   = "no host that was asked for"
	longHost = "host too long"
	early    = "began before the epoch"
)

// Append makes the event of r.
func (r *Request) Append(b *event.Batch) Verdict {
	begin := r.End
	if r.Duration.Known() {
		begin -= event.Time(r.Duration)
	}
	switch {
	case r.Target.Host == "":
		return Skip(noHost)
	case len(r.Target.Host) > maxHost:
		return Skip(longHost)
	case begin <= 0:
		return Skip(early)
	}
	b.Requests = append(b.Requests, event.Request{
		Sensor: r.Sensor, Time: begin, Src: r.Src, Dst: r.Dst,
		Method: r.Method, Scheme: r.Target.Scheme, Host: r.Target.Host, Port: r.Target.Port,
		User: r.User, Status: r.Status,
		Volume: event.Volume{Counted: true, Duration: r.Duration, BytesOut: r.BytesOut, BytesIn: r.BytesIn},
	})
	return Done
}

// ServerName reports whether a host can have been the server name of a TLS
// handshake: an address cannot.
func ServerName(host string) bool {
	if host == "" || len(host) > maxHost || strings.ContainsAny(host, " /") {
		return false
	}
	_, err := netip.ParseAddr(host)
	return err != nil
}

// Method returns a method in upper case, as some logs do not have it.
func Method(b []byte) string {
	if string(b) == http.MethodConnect {
		return http.MethodConnect // most of them; no copy
	}
	return strings.ToUpper(Name(b))
}

// Asked returns the target of a URL that may lack its scheme, as logs write it:
// "https://host/path", "host/path", "host:443". The scheme is that of the
// record, "http", "https" or "", and holds where the URL has none.
func Asked(method, scheme string, url []byte) decode.Target {
	if method == http.MethodConnect {
		if t, ok := decode.URITarget(url); ok {
			t.Scheme = ""
			return t
		}
		return decode.AuthorityTarget(authority(url))
	}
	t, ok := decode.URITarget(url)
	if !ok {
		host := authority(url)
		if bytes.HasPrefix(url[len(host):], []byte("//")) && bytes.HasSuffix(host, []byte(":")) {
			return decode.Target{} // of another scheme
		}
		t = decode.AuthorityTarget(host)
		t.Scheme = scheme
	}
	return Complete(t)
}

// Complete gives a target the port of its scheme where it names none.
func Complete(t decode.Target) decode.Target {
	if t.Port == 0 {
		switch t.Scheme {
		case "http":
			t.Port = 80
		case "https":
			t.Port = 443
		}
	}
	return t
}

// authority cuts what follows the host and port of a URL without a scheme.
func authority(url []byte) []byte {
	if i := bytes.IndexAny(url, "/?#"); i >= 0 {
		return url[:i]
	}
	return url
}
