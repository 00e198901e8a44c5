package format

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/postern/postern/internal/event"
)

// A ZeekLog is one of Zeek's logs: its path and its columns.
type ZeekLog struct {
	Path   string
	fields string
	types  string
}

// The logs, with the columns that Zeek 6 and 7.0 write.
var (
	ConnLog = ZeekLog{
		"conn",
		"ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state local_orig local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents",
		"time string addr port addr port enum string interval count count string bool bool count string count count count count set[string]",
	}
	SSLLog = ZeekLog{
		"ssl",
		"ts uid id.orig_h id.orig_p id.resp_h id.resp_p version cipher curve server_name resumed last_alert next_protocol established ssl_history cert_chain_fps client_cert_chain_fps sni_matches_cert ja3 ja3s ja4",
		"time string addr port addr port string string string string bool string string bool string vector[string] vector[string] bool string string string",
	}
	X509Log = ZeekLog{
		"x509",
		"ts fingerprint certificate.version certificate.serial certificate.subject certificate.issuer certificate.not_valid_before certificate.not_valid_after certificate.key_alg certificate.sig_alg certificate.key_type certificate.key_length certificate.exponent certificate.curve san.dns san.uri san.email san.ip basic_constraints.ca basic_constraints.path_len host_cert client_cert",
		"time string count string string string time time string string string count string string vector[string] vector[string] vector[string] vector[addr] bool count bool bool",
	}
	DNSLog = ZeekLog{
		"dns",
		"ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto trans_id rtt query qclass qclass_name qtype qtype_name rcode rcode_name AA TC RD RA Z answers TTLs rejected",
		"time string addr port addr port enum count interval string count string count string count string bool bool bool bool count vector[string] vector[interval] bool",
	}
)

// Columns returns the number of columns of l.
func (l ZeekLog) Columns() int { return strings.Count(l.fields, " ") + 1 }

// AppendHeader appends the lines with which a log opened at t begins.
func (l ZeekLog) AppendHeader(b []byte, t event.Time) []byte {
	b = append(b, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t"...)
	b = append(b, l.Path...)
	b = append(b, "\n#open\t"...)
	b = appendZeekDate(b, t)
	b = append(b, "\n#fields\t"...)
	b = append(b, strings.ReplaceAll(l.fields, " ", "\t")...)
	b = append(b, "\n#types\t"...)
	b = append(b, strings.ReplaceAll(l.types, " ", "\t")...)
	return append(b, '\n')
}

// AppendFooter appends the line with which a log closed at t ends.
func AppendFooter(b []byte, t event.Time) []byte {
	b = append(b, "#close\t"...)
	b = appendZeekDate(b, t)
	return append(b, '\n')
}

func appendZeekDate(b []byte, t event.Time) []byte {
	return t.Std().AppendFormat(b, "2006-01-02-15-04-05")
}

// AppendConn appends a row of conn.log.
func AppendConn(b []byte, c *Conn) []byte {
	b = appendID(b, c.Time, c.UID, c.Src, c.Dst)
	b = appendCell(b, c.Proto.String())
	b = appendCell(b, c.Service)
	if c.Duration < 0 {
		b = append(b, "\t-"...)
	} else {
		b = appendSeconds(append(b, '\t'), c.Duration)
	}
	b = appendCount(b, c.BytesOut)
	b = appendCount(b, c.BytesIn)
	b = appendCell(b, c.State)
	b = append(b, "\tT"...)
	b = appendFlag(b, c.LocalDst)
	b = append(b, "\t0"...)
	b = appendCell(b, c.History)
	b = appendCount(b, c.PktsOut)
	b = appendCount(b, c.IPOut)
	b = appendCount(b, c.PktsIn)
	b = appendCount(b, c.IPIn)
	return append(b, "\t-\n"...)
}

// AppendHandshake appends a row of ssl.log.
func AppendHandshake(b []byte, h *Handshake) []byte {
	b = appendID(b, h.Time, h.UID, h.Src, h.Dst)
	b = appendCell(b, h.Version)
	b = appendCell(b, h.Cipher)
	b = appendCell(b, h.Curve)
	b = appendCell(b, h.SNI)
	b = appendFlag(b, h.Resumed)
	b = append(b, "\t-"...)
	b = appendCell(b, h.ALPN)
	b = appendFlag(b, h.Established)
	b = appendCell(b, h.History)
	if h.Chain == nil {
		b = append(b, "\t-\t-\t-"...)
	} else {
		b = appendVector(b, h.Chain)
		b = append(b, "\t(empty)"...)
		b = appendFlag(b, h.SNIMatches)
	}
	b = appendCell(b, h.JA3)
	b = appendCell(b, h.JA3S)
	b = appendCell(b, h.JA4)
	return append(b, '\n')
}

// AppendCertificate appends a row of x509.log.
func AppendCertificate(b []byte, c *Certificate) []byte {
	b = appendSeconds(b, int64(c.Time))
	b = appendCell(b, c.Fingerprint)
	b = append(b, "\t3"...)
	b = appendCell(b, c.Serial)
	b = appendCell(b, c.Subject)
	b = appendCell(b, c.Issuer)
	b = appendSeconds(append(b, '\t'), int64(c.NotBefore))
	b = appendSeconds(append(b, '\t'), int64(c.NotAfter))
	if c.ECDSA {
		b = append(b, "\tid-ecPublicKey\tecdsa-with-SHA384\tecdsa\t256\t-\tprime256v1"...)
	} else {
		b = append(b, "\trsaEncryption\tsha256WithRSAEncryption\trsa\t2048\t65537\t-"...)
	}
	b = appendVector(b, c.Names)
	b = append(b, "\t-\t-\t-"...)
	b = appendFlag(b, c.CA)
	b = append(b, "\t-"...)
	b = appendFlag(b, !c.CA)
	return append(b, "\tF\n"...)
}

// AppendQuery appends a row of dns.log.
func AppendQuery(b []byte, q *Query) []byte {
	b = appendID(b, q.Time, q.UID, q.Src, q.Dst)
	b = append(b, "\tudp\t"...)
	b = strconv.AppendUint(b, uint64(q.ID), 10)
	b = appendSeconds(append(b, '\t'), q.RTT)
	b = appendCell(b, q.Name)
	b = append(b, "\t1\tC_INTERNET"...)
	if q.V6 {
		b = append(b, "\t28\tAAAA"...)
	} else {
		b = append(b, "\t1\tA"...)
	}
	if q.Missing {
		return append(b, "\t3\tNXDOMAIN\tF\tF\tT\tT\t0\t-\t-\tF\n"...)
	}
	b = append(b, "\t0\tNOERROR\tF\tF\tT\tT\t0"...)
	b = appendVector(b, q.Answers)
	b = append(b, '\t')
	for i := range q.Answers {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendSeconds(b, int64(q.TTL)*1e6)
	}
	return append(b, "\tF\n"...)
}

func appendID(b []byte, t event.Time, uid string, src, dst netip.AddrPort) []byte {
	b = appendSeconds(b, int64(t))
	b = append(b, '\t')
	b = append(b, uid...)
	for _, end := range [...]netip.AddrPort{src, dst} {
		b = end.Addr().AppendTo(append(b, '\t'))
		b = strconv.AppendUint(append(b, '\t'), uint64(end.Port()), 10)
	}
	return b
}

func appendCell(b []byte, s string) []byte {
	return append(append(b, '\t'), orDash(s)...)
}

func appendCount(b []byte, n int64) []byte {
	if n < 0 {
		return append(b, "\t-"...)
	}
	return strconv.AppendInt(append(b, '\t'), n, 10)
}

func appendFlag(b []byte, f bool) []byte {
	if f {
		return append(b, "\tT"...)
	}
	return append(b, "\tF"...)
}

func appendVector(b []byte, s []string) []byte {
	if len(s) == 0 {
		return append(b, "\t-"...)
	}
	b = append(b, '\t')
	for i, v := range s {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, v...)
	}
	return b
}
