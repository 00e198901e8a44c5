// Package pivot writes the queries that lead from a finding into other tools,
// with the finding's values in them.
//
// The values come from an attacker's hand. Each language has its own quoting
// here, and what it cannot quote is left out and counted.
package pivot

import (
	"fmt"
	"strings"
	"time"

	"github.com/postern/postern/internal/finding"
)

// A Query is ready to be pasted.
type Query struct {
	Name string // of the tool and what is asked
	Lang string // sh, kql, eql, spl, sql
	Text string
	Note string // what was left out; "" for nothing
}

// Bounds of what one query names.
const (
	maxImages    = 5
	maxHosts     = 10
	maxAddresses = 10
	maxNames     = 10
	maxUIDs      = 20
)

// around is how much time before and after a finding's sessions is asked for.
const around = time.Hour

// Queries returns the queries for f. One without any value to ask for is left
// out.
func Queries(f *finding.Finding) []Query {
	t := subjectOf(f)
	var all []Query
	for _, write := range []func(*subject) (Query, bool){zeekUIDs, zeekFlows, defender, elastic, splunk, osquery} {
		if q, ok := write(t); ok {
			all = append(all, q)
		}
	}
	return all
}

// A subject is what the queries ask for.
type subject struct {
	images, hosts, addresses, names, uids []string
	domains                               []string
	first, last                           time.Time
}

func subjectOf(f *finding.Finding) *subject {
	t := &subject{
		hosts: f.Hosts, addresses: f.Destination.Addresses, names: f.Destination.Names,
		domains: f.Destination.Members,
		first:   f.FirstSeen.Add(-around).UTC(), last: f.LastSeen.Add(around).UTC(),
	}
	if len(t.domains) == 0 {
		t.domains = []string{f.Destination.RegisteredDomain}
	}
	seen := make(map[string]bool)
	for i := range f.Processes {
		if image := f.Processes[i].Image; image != "" && !seen[image] {
			seen[image] = true
			t.images = append(t.images, image)
		}
	}
	if len(t.images) == 0 && f.Program.Image != "" {
		t.images = []string{f.Program.Image}
	}
	if f.Series != nil {
		for _, s := range f.Series.Largest {
			t.uids = append(t.uids, s.UID)
		}
	}
	return t
}

// A draft is a query under construction.
type draft struct {
	quoter
	without int
}

// list quotes values; it returns "" when none can be.
func (d *draft) list(values []string, limit int) string {
	out, without := quoted(d.quoter, values, limit)
	d.without += without
	return strings.Join(out, ", ")
}

func (d *draft) query(name, lang, text string) (Query, bool) {
	q := Query{Name: name, Lang: lang, Text: text}
	switch d.without {
	case 0:
	case 1:
		q.Note = "1 value is left out: too many, too long, or not to be written in this language."
	default:
		q.Note = fmt.Sprintf("%d values are left out: too many, too long, or not to be written in this language.", d.without)
	}
	return q, text != ""
}

// stamp is an instant as every one of the languages reads it.
func stamp(t time.Time) string { return t.Format("2006-01-02T15:04:05Z") }

// zeekUIDs finds Zeek's records of the largest sessions, and the Community IDs
// by which other tools know them.
func zeekUIDs(t *subject) (Query, bool) {
	d := &draft{quoter: shell}
	uids, without := quoted(shell, t.uids, maxUIDs)
	d.without = without
	if len(uids) == 0 {
		return Query{}, false
	}
	var patterns strings.Builder
	for _, uid := range uids {
		patterns.WriteString(" -e " + uid)
	}
	inJSON := &draft{quoter: jq}
	program, ok := shell(fmt.Sprintf(`select(.uid | IN(%s)) | [.ts, .uid, .community_id, ."id.orig_h", ."id.orig_p", ."id.resp_h", ."id.resp_p", .orig_bytes, .resp_bytes] | @tsv`,
		inJSON.list(t.uids, maxUIDs)))
	text := "# logs as tab-separated text: every log that names the largest sessions\n" +
		"zgrep -hF" + patterns.String() + " -- conn.*log* ssl.*log* x509.*log* files.*log*\n"
	if ok {
		text += "# logs as JSON: with the Community IDs by which Suricata, Sysmon tools and others know them\n" +
			"zcat -f conn.*log* | jq -r " + program
	}
	return d.query("Zeek, by uid: the largest sessions", "sh", strings.TrimSuffix(text, "\n"))
}

// zeekFlows finds all flows to the destination.
func zeekFlows(t *subject) (Query, bool) {
	d := &draft{quoter: jq}
	var conditions []string
	if names := d.list(t.names, maxNames); names != "" {
		conditions = append(conditions, fmt.Sprintf("(.server_name | IN(%s))", names))
	}
	if addresses := d.list(t.addresses, maxAddresses); addresses != "" {
		conditions = append(conditions, fmt.Sprintf(`(."id.resp_h" | IN(%s))`, addresses))
	}
	program, ok := shell("select(" + strings.Join(conditions, " or ") + ") | [.ts, .uid, .\"id.orig_h\", .\"id.resp_h\", .server_name, .ja4, .subject] | @tsv")
	if len(conditions) == 0 || !ok {
		return Query{}, false
	}
	return d.query("Zeek, JSON: everyone who goes there", "sh", "zcat -f ssl.*log* | jq -r "+program)
}

// conditions joins those that are not empty.
func conditions(sep string, all ...string) string {
	var out []string
	for _, c := range all {
		if c != "" {
			out = append(out, c)
		}
	}
	return strings.Join(out, sep)
}

// with writes a list into a condition, "" for an empty list.
func with(format, list string) string {
	if list == "" {
		return ""
	}
	return fmt.Sprintf(format, list)
}

func defender(t *subject) (Query, bool) {
	d := &draft{quoter: kql}
	images := with("InitiatingProcessFolderPath in~ (%s)", d.list(t.images, maxImages))
	there := conditions(" or ",
		with("RemoteIP in (%s)", d.list(t.addresses, maxAddresses)),
		with("RemoteUrl has_any (%s)", d.list(t.domains, maxNames)))
	if images == "" && there == "" {
		return Query{}, false
	}
	text := conditions("\n",
		"DeviceNetworkEvents",
		fmt.Sprintf("| where Timestamp between (datetime(%s) .. datetime(%s))", stamp(t.first), stamp(t.last)),
		with("| where %s", images),
		with("| where %s", there),
		"| project Timestamp, DeviceName, ActionType, InitiatingProcessAccountName, InitiatingProcessFolderPath,",
		"    InitiatingProcessCommandLine, InitiatingProcessSHA256, InitiatingProcessParentFileName, RemoteIP, RemotePort, RemoteUrl",
		"| order by Timestamp asc")
	return d.query("Microsoft Defender XDR (KQL)", "kql", text)
}

func elastic(t *subject) (Query, bool) {
	d := &draft{quoter: eql}
	images := with("process.executable in~ (%s)", d.list(t.images, maxImages))
	there := conditions(" or ",
		with("destination.ip in (%s)", d.list(t.addresses, maxAddresses)),
		with("destination.domain in~ (%s)", d.list(t.names, maxNames)))
	if images == "" && there == "" {
		return Query{}, false
	}
	text := conditions("\n  and ",
		fmt.Sprintf("network where @timestamp >= %q and @timestamp <= %q", stamp(t.first), stamp(t.last)),
		images, with("(%s)", there))
	return d.query("Elastic (EQL)", "eql", text)
}

func splunk(t *subject) (Query, bool) {
	d := &draft{quoter: spl}
	var lower []string
	for _, image := range t.images {
		lower = append(lower, strings.ToLower(image))
	}
	images := with("in(image, %s)", d.list(lower, maxImages))
	there := with("in(DestinationIp, %s)", d.list(t.addresses, maxAddresses))
	if images == "" && there == "" {
		return Query{}, false
	}
	text := conditions("\n",
		fmt.Sprintf(`index=* source="*Microsoft-Windows-Sysmon/Operational" EventCode=3 earliest=%d latest=%d`, t.first.Unix(), t.last.Unix()),
		with("| eval image=lower(Image) | where %s", conditions(" AND ", images, there)),
		"| table _time, host, User, ProcessGuid, ProcessId, Image, SourceIp, SourcePort, DestinationIp, DestinationPort, DestinationHostname",
		"| sort 0 _time")
	return d.query("Splunk, Sysmon 3 (SPL)", "spl", text)
}

func osquery(t *subject) (Query, bool) {
	d := &draft{quoter: sql}
	images := with("p.path COLLATE NOCASE IN (%s)", d.list(t.images, maxImages))
	there := with("s.remote_address IN (%s)", d.list(t.addresses, maxAddresses))
	if images == "" && there == "" {
		return Query{}, false
	}
	text := conditions("\n",
		"SELECT p.pid, p.parent, p.path, p.cmdline, datetime(p.start_time, 'unixepoch') AS started,",
		"       s.remote_address, s.remote_port, h.sha256",
		"FROM processes p",
		"LEFT JOIN process_open_sockets s USING (pid)",
		"LEFT JOIN hash h ON h.path = p.path",
		"WHERE "+conditions(" OR ", images, there)+";")
	return d.query("osquery: is it running now?", "sql", text)
}
