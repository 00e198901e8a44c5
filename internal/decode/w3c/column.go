package w3c

import (
	"bytes"

	"github.com/postern/postern/internal/decode/gateway"
)

// A column is what is read of a line.
type column int

// The columns. Where two names mean one, the second is of another product, or
// stands in where the first says nothing.
const (
	unused column = iota
	date
	clock
	taken
	clientAddr
	clientPort
	proxyAddr
	proxyPort
	proxyName
	proxyName2
	user
	user2
	method
	method2
	scheme
	scheme2
	host
	host2
	port
	port2
	uri
	query
	status
	bytesOut
	bytesIn
	columns // how many
)

// names maps the columns' names, in lower case.
var names = map[string]column{
	"date": date, "time": clock, "time-taken": taken,
	"c-ip": clientAddr, "c-port": clientPort, "s-ip": proxyAddr, "s-port": proxyPort,
	"s-computername": proxyName, "x-bluecoat-appliance-name": proxyName2,
	"cs-username": user, "cs-userdn": user2,
	"cs-method": method, "s-operation": method2,
	"cs-uri-scheme": scheme, "cs-protocol": scheme2,
	"cs-host": host, "r-host": host2, "cs-uri-port": port, "r-port": port2,
	"cs-uri": uri, "cs-uri-query": query,
	"sc-status": status, "cs-bytes": bytesOut, "sc-bytes": bytesIn,
}

// maxColumns bounds the columns of a line.
const maxColumns = 512

// columnsOf reads what follows "#Fields:".
func columnsOf(list []byte) (all []column, tabs bool) {
	tabs = bytes.IndexByte(bytes.TrimSpace(list), '\t') >= 0
	for _, name := range bytes.Fields(list) {
		if len(all) == maxColumns {
			return nil, false
		}
		all = append(all, names[string(bytes.ToLower(name))])
	}
	return all, tabs
}

// missing names what a log with these columns lacks to be of use, or is "".
func missing(all []column) string {
	var has [columns]bool
	for _, c := range all {
		has[c] = true
	}
	switch {
	case !has[date] || !has[clock]:
		return "date and time"
	case !has[clientAddr]:
		return "c-ip"
	case !has[method] && !has[method2]:
		return "cs-method"
	case !has[host] && !has[host2] && !has[uri]:
		return "cs-host"
	}
	return ""
}

// A row is the fields of a line by column.
type row [columns][]byte

// split fills the row with the fields of a line. It is false when they are not
// as many as the columns.
func (r *row) split(line []byte, all []column, tabs bool) bool {
	separator := byte(' ')
	if tabs {
		separator = '\t'
	}
	for i, c := range all {
		field, rest, more := gateway.Field(line, separator)
		if more == (i == len(all)-1) {
			return false
		}
		if c != unused && r[c] == nil {
			r[c] = field
		}
		line = rest
	}
	return true
}

// first returns the first field that says something.
func first(a, b []byte) []byte {
	if gateway.Said(a) {
		return a
	}
	return b
}
