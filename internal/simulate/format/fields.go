package format

import (
	"net/netip"

	"github.com/postern/postern/internal/event"
)

// values writes the fields of an event's data in the way of one export.
type values interface {
	text(name, v string)
	clock(name string, t event.Time) // Sysmon's UtcTime
	guid(name string, g GUID)
	num(name string, n uint64)
	digits(name string, n uint64) // a number that the event declares as text
	hex(name string, n uint64)
	flag(name string, v bool)
	addr(name string, a netip.Addr)
	user(name string, p *Process)   // DOMAIN\name
	device(name string, img string) // the image by its device, in lower case
}

// A schema says what the header of a kind of event holds.
type schema struct {
	id      uint64
	version uint64
	task    uint64
	name    string // the task's name as the provider's messages have it
	write   func(v values, e *Event)
}

var sysmonSchemas = [kinds]schema{
	Start:   {1, 5, 1, "Process Create (rule: ProcessCreate)", sysmonStart},
	Stop:    {5, 3, 5, "Process terminated (rule: ProcessTerminate)", sysmonStop},
	Connect: {3, 5, 3, "Network connection detected (rule: NetworkConnect)", sysmonConnect},
	Lookup:  {22, 5, 22, "Dns query (rule: DnsQuery)", sysmonLookup},
}

var securitySchemas = [kinds]schema{
	Start:   {4688, 2, 13312, "Process Creation", securityStart},
	Stop:    {4689, 0, 13313, "Process Termination", securityStop},
	Connect: {5156, 1, 12810, "Filtering Platform Connection", securityConnect},
}

// schemaOf returns how e is written. The Security log has no lookups, and a
// scenario asks for none.
func schemaOf(e *Event) *schema {
	if e.Source == event.Security {
		return &securitySchemas[e.Kind]
	}
	return &sysmonSchemas[e.Kind]
}

func sysmonHead(v values, e *Event) {
	v.text("RuleName", "-")
	v.clock("UtcTime", e.UTC)
	v.guid("ProcessGuid", e.Proc.GUID)
	v.num("ProcessId", uint64(e.Proc.PID))
}

func sysmonStart(v values, e *Event) {
	p := e.Proc
	sysmonHead(v, e)
	v.text("Image", p.Image)
	v.text("FileVersion", p.FileVersion)
	v.text("Description", p.Description)
	v.text("Product", p.Product)
	v.text("Company", p.Company)
	v.text("OriginalFileName", p.Original)
	v.text("CommandLine", p.CommandLine)
	v.text("CurrentDirectory", p.Dir)
	v.user("User", p)
	v.guid("LogonGuid", p.LogonGUID)
	v.hex("LogonId", p.LogonID)
	v.num("TerminalSessionId", uint64(p.Session))
	v.text("IntegrityLevel", p.Integrity)
	v.text("Hashes", p.Hashes)
	v.guid("ParentProcessGuid", p.Parent.GUID)
	v.num("ParentProcessId", uint64(p.Parent.PID))
	v.text("ParentImage", p.Parent.Image)
	v.text("ParentCommandLine", p.Parent.CommandLine)
	v.user("ParentUser", p.Parent)
}

func sysmonStop(v values, e *Event) {
	sysmonHead(v, e)
	v.text("Image", e.Proc.Image)
	v.user("User", e.Proc)
}

func sysmonConnect(v values, e *Event) {
	if e.Unknown {
		v.text("RuleName", "-")
		v.clock("UtcTime", e.UTC)
		v.guid("ProcessGuid", GUID{})
		v.num("ProcessId", uint64(e.Proc.PID))
		v.text("Image", "<unknown process>")
		v.text("User", "-")
	} else {
		sysmonHead(v, e)
		v.text("Image", e.Proc.Image)
		v.user("User", e.Proc)
	}
	v.text("Protocol", e.Proto.String())
	v.flag("Initiated", !e.Inbound)
	v.flag("SourceIsIpv6", e.Src.Addr().Is6())
	v.addr("SourceIp", e.Src.Addr())
	v.text("SourceHostname", "-")
	v.num("SourcePort", uint64(e.Src.Port()))
	v.text("SourcePortName", "-")
	v.flag("DestinationIsIpv6", e.Dst.Addr().Is6())
	v.addr("DestinationIp", e.Dst.Addr())
	v.text("DestinationHostname", orDash(e.DstName))
	v.num("DestinationPort", uint64(e.Dst.Port()))
	v.text("DestinationPortName", portName(e.Dst.Port()))
}

func sysmonLookup(v values, e *Event) {
	sysmonHead(v, e)
	v.text("QueryName", e.Query)
	if e.Results == "" {
		v.digits("QueryStatus", 9003)
	} else {
		v.digits("QueryStatus", 0)
	}
	v.text("QueryResults", orDash(e.Results))
	v.text("Image", e.Proc.Image)
	v.user("User", e.Proc)
}

func securityStart(v values, e *Event) {
	p := e.Proc
	v.text("SubjectUserSid", p.SID)
	v.text("SubjectUserName", p.User)
	v.text("SubjectDomainName", p.Domain)
	v.hex("SubjectLogonId", p.LogonID)
	v.hex("NewProcessId", uint64(p.PID))
	v.text("NewProcessName", p.Image)
	v.text("TokenElevationType", "%%1936")
	v.hex("ProcessId", uint64(p.Parent.PID))
	v.text("CommandLine", p.CommandLine)
	v.text("TargetUserSid", "S-1-0-0")
	v.text("TargetUserName", "-")
	v.text("TargetDomainName", "-")
	v.hex("TargetLogonId", 0)
	v.text("ParentProcessName", p.Parent.Image)
	v.text("MandatoryLabel", mandatoryLabel(p.Integrity))
}

func securityStop(v values, e *Event) {
	p := e.Proc
	v.text("SubjectUserSid", p.SID)
	v.text("SubjectUserName", p.User)
	v.text("SubjectDomainName", p.Domain)
	v.hex("SubjectLogonId", p.LogonID)
	v.hex("Status", 0)
	v.hex("ProcessId", uint64(p.PID))
	v.text("ProcessName", p.Image)
}

func securityConnect(v values, e *Event) {
	v.num("ProcessID", uint64(e.Proc.PID))
	v.device("Application", e.Proc.Image)
	src, dst, direction, layer, layerID := e.Src, e.Dst, "%%14593", "%%14611", uint64(48)
	if e.Inbound {
		// The log names the local end the source, whoever called.
		src, dst, direction, layer, layerID = e.Dst, e.Src, "%%14592", "%%14610", 44
	}
	v.text("Direction", direction)
	v.addr("SourceAddress", src.Addr())
	v.digits("SourcePort", uint64(src.Port()))
	v.addr("DestAddress", dst.Addr())
	v.digits("DestPort", uint64(dst.Port()))
	v.num("Protocol", uint64(e.Proto))
	v.num("FilterRTID", 69388)
	v.text("LayerName", layer)
	v.num("LayerRTID", layerID)
	v.text("RemoteUserID", "S-1-0-0")
	v.text("RemoteMachineID", "S-1-0-0")
}

func mandatoryLabel(integrity string) string {
	switch integrity {
	case "System":
		return "S-1-16-16384"
	case "High":
		return "S-1-16-12288"
	}
	return "S-1-16-8192"
}

func portName(port uint16) string {
	switch port {
	case 53:
		return "domain"
	case 80:
		return "http"
	case 88:
		return "kerberos"
	case 389:
		return "ldap"
	case 443:
		return "https"
	case 445:
		return "microsoft-ds"
	}
	return "-"
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
