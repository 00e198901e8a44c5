package zeek

import "strings"

// A column is one that an event is made of, or that tells a log.
type column uint8

const (
	noColumn column = iota
	colTime
	colUID
	colOrigHost
	colOrigPort
	colRespHost
	colRespPort
	colProto
	colIPProto
	colNode

	// conn
	colService
	colDuration
	colOrigBytes
	colRespBytes
	colOrigPackets
	colRespPackets
	colConnState
	colHistory
	colCommunityID

	// ssl and quic
	colVersion
	colCipher
	colServerName
	colNextProtocol
	colClientProtocol
	colEstablished
	colCertPrints
	colCertFiles
	colSubject
	colIssuer
	colJA3
	colJA3S
	colJA4
	colQUICID

	// x509
	colFingerprint
	colID
	colCertSubject
	colCertIssuer
	colNotBefore
	colNotAfter

	// dns
	colQuery
	colQtype
	colQtypeName
	colAnswers
	colTransID
	colRcode

	// http
	colMethod
	colHost
	colURI
	colStatus
	colUser
	colProxied
	colBodyLen
	colSIP

	// dhcp
	colMAC
	colHostName
	colClientName
	colAssignedAddr
	colClientAddr
	colRequestedAddr
	colLeaseTime
	colMessages

	// of a stream of logs, and of logs that are ignored
	colPath
	colWriteTime
	colFile
	colPeer
	colMeasure
	colPortNumber

	numColumns
)

// columns has the columns by Zeek's names.
var columns = map[string]column{
	"ts":        colTime,
	"uid":       colUID,
	"id.orig_h": colOrigHost,
	"id.orig_p": colOrigPort,
	"id.resp_h": colRespHost,
	"id.resp_p": colRespPort,
	"proto":     colProto,
	"ip_proto":  colIPProto,

	// The node of a cluster, by Zeek's extension field, the streaming
	// package, and Corelight.
	"_node_name":   colNode,
	"_system_name": colNode,
	"@system":      colNode,

	"service":    colService,
	"duration":   colDuration,
	"orig_bytes": colOrigBytes,
	"resp_bytes": colRespBytes,
	"orig_pkts":  colOrigPackets,
	"resp_pkts":  colRespPackets,
	"conn_state": colConnState,
	"history":    colHistory,

	"community_id": colCommunityID,

	"version":          colVersion,
	"cipher":           colCipher,
	"server_name":      colServerName,
	"next_protocol":    colNextProtocol,
	"client_protocol":  colClientProtocol,
	"established":      colEstablished,
	"cert_chain_fps":   colCertPrints,
	"cert_chain_fuids": colCertFiles,
	"subject":          colSubject,
	"issuer":           colIssuer,
	"ja3":              colJA3,
	"ja3s":             colJA3S,
	"ja4":              colJA4,

	"client_initial_dcid": colQUICID,
	"client_scid":         colQUICID,
	"server_scid":         colQUICID,

	"fingerprint":                  colFingerprint,
	"id":                           colID,
	"certificate.subject":          colCertSubject,
	"certificate.issuer":           colCertIssuer,
	"certificate.not_valid_before": colNotBefore,
	"certificate.not_valid_after":  colNotAfter,

	"query":      colQuery,
	"qtype":      colQtype,
	"qtype_name": colQtypeName,
	"answers":    colAnswers,
	"trans_id":   colTransID,
	"rcode":      colRcode,

	"method":            colMethod,
	"host":              colHost,
	"uri":               colURI,
	"status_code":       colStatus,
	"username":          colUser,
	"proxied":           colProxied,
	"request_body_len":  colBodyLen,
	"response_body_len": colBodyLen,
	"call_id":           colSIP,
	"request_from":      colSIP,

	"mac":            colMAC,
	"host_name":      colHostName,
	"client_fqdn":    colClientName,
	"assigned_addr":  colAssignedAddr,
	"assigned_ip":    colAssignedAddr, // before Zeek 2.6
	"client_addr":    colClientAddr,
	"requested_addr": colRequestedAddr,
	"lease_time":     colLeaseTime,
	"msg_types":      colMessages,

	"_path":     colPath,
	"@stream":   colPath,
	"_write_ts": colWriteTime,
	"fuid":      colFile,
	"peer":      colPeer,
	"ts_delta":  colMeasure,
	"pkts_proc": colMeasure,
	"port_num":  colPortNumber,
}

// flatColumns has the columns by the names in a JSON object, where exporters
// that may not use dots have turned them into underscores.
var flatColumns = flatten(columns)

func flatten(columns map[string]column) map[string]column {
	flat := make(map[string]column)
	for name, c := range columns {
		flat[name] = c
		flat[strings.ReplaceAll(name, ".", "_")] = c
	}
	return flat
}

// idColumns and certificateColumns have the columns by their names within the
// JSON objects "id" and "certificate".
var (
	idColumns          = below(columns, "id.")
	certificateColumns = below(columns, "certificate.")
)

func below(columns map[string]column, prefix string) map[string]column {
	inner := make(map[string]column)
	for name, c := range columns {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			inner[rest] = c
		}
	}
	return inner
}

// A columnSet says which columns a log or an object has.
type columnSet [numColumns]bool

// A row is one record of a log, by columns.
//
// A column is nil where it is unset or absent.
type row struct {
	col     [numColumns][]byte
	set     byte // what separates the elements of a set
	escaped bool // columns may hold Zeek's \x escapes
}

// text returns the column's value without escapes.
func (r *row) text(c column) []byte {
	if r.escaped {
		return unescape(r.col[c])
	}
	return r.col[c]
}
