package inventory

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/postern/postern/internal/program"
)

// What it takes to tell a role.
const (
	minDays        = 2   // of telemetry, for a workstation
	minServerDays  = 3   // for a server, whose role shows in what does not happen
	minDeskShare   = 0.3 // of a workstation's days on which its people used it
	maxStrayShare  = 0.1 // of a server's days on which an administrator opens a browser
	alwaysOnShare  = 0.6 // of the hours: a machine off at night and on weekends has at most half
	minClients     = 3   // addresses that a server serves
	manyPeople     = 5   // one desk has fewer
	minKerberos    = 2   // addresses that asked a domain controller for tickets
	officeHourMost = 0.5
)

const explorer = `%windir%\explorer.exe`

// controllerPrograms run on domain controllers only.
var controllerPrograms = []string{
	`%windir%\adws\microsoft.activedirectory.webservices.exe`,
	`%system%\ismserv.exe`,
}

// alsoOnControllers run on domain controllers and on other servers.
var alsoOnControllers = []string{`%system%\dns.exe`, `%system%\dfsrs.exe`, `%system%\ntfrs.exe`, `%system%\dfssvc.exe`}

// serverPrograms are the files of services that serve others. They count only
// where installers put them, because a person can run any file from elsewhere.
var serverPrograms = []string{
	"w3wp.exe", "inetinfo.exe", "sqlservr.exe", "dns.exe", "dfsrs.exe", "dfssvc.exe", "certsrv.exe", "wsusservice.exe",
	"edgetransport.exe", "microsoft.exchange.store.worker.exe", "msexchangefrontendtransport.exe", "smsexec.exe",
	"httpd.exe", "nginx.exe", "postgres.exe", "mysqld.exe", "oracle.exe", "tssdis.exe", "veeam.backup.service.exe",
}

// Infer tells the role of a host that the evidence shows, and why. It is
// conservative: where the evidence is thin or of two minds the role is "", and
// why says what is missing. It tells workstations, servers and domain
// controllers only.
func Infer(e Evidence) (role Role, why string) {
	if e.Hours == 0 {
		return "", "no endpoint telemetry"
	}
	if why, sure := e.controller(); why != "" {
		if sure {
			return DomainController, why
		}
		return "", why + ", and nothing else of a domain controller"
	}
	desk, server := e.desk(), e.serves()
	switch {
	case desk != "" && len(e.services()) > 0:
		return "", desk + ", but " + server
	case desk != "" && e.People >= manyPeople:
		return "", fmt.Sprintf("%s, but %d people used it: a jump host, a terminal server, a kiosk?", desk, e.People)
	case desk != "":
		return Workstation, desk + e.clock()
	case server != "":
		return e.server(server)
	}
	return "", e.nothing()
}

// controller returns what shows a domain controller, and whether it is enough:
// two signs, one of which no other server has.
func (e *Evidence) controller() (why string, sure bool) {
	var strong, weak []string
	for _, p := range controllerPrograms {
		if e.Programs[p] > 0 {
			strong = append(strong, "runs "+file(p))
		}
	}
	if n := e.Clients[portKerberos]; n >= minKerberos {
		strong = append(strong, fmt.Sprintf("Kerberos for %d addresses", n))
	}
	if len(strong) == 0 {
		return "", false
	}
	for _, p := range alsoOnControllers {
		if e.Programs[p] > 0 {
			weak = append(weak, "runs "+file(p))
		}
	}
	if n := max(e.Clients[portLDAP], e.Clients[portLDAPS], e.Clients[portCatalog]); n > 0 {
		weak = append(weak, fmt.Sprintf("LDAP for %d", n))
	}
	if n := e.Clients[portDNS]; n > 0 {
		weak = append(weak, fmt.Sprintf("DNS for %d", n))
	}
	return strings.Join(slices.Concat(strong, weak), ", "), len(strong)+len(weak) > 1
}

// desk returns what shows that people work at the host, "" when they do not.
func (e *Evidence) desk() string {
	used := max(e.Classes[program.Browser], e.Classes[program.Collaboration])
	if used < minDays || float64(used) < minDeskShare*float64(e.Days) || e.Programs[explorer] == 0 && e.People == 0 {
		return ""
	}
	return fmt.Sprintf("browser on %d, chat or office programs on %d, people on %d of %d days",
		e.Classes[program.Browser], e.Classes[program.Collaboration], e.PeopleDays, e.Days)
}

// clock says when the host was in use, where that speaks for a workstation.
func (e *Evidence) clock() string {
	if e.Span < 7*24 || e.onShare() > officeHourMost {
		return ""
	}
	return fmt.Sprintf("; active in %.0f %% of the hours", 100*e.onShare())
}

func (e *Evidence) onShare() float64 { return float64(e.Hours) / float64(e.Span) }

// services returns the names of the server programs that ran.
func (e *Evidence) services() []string {
	var all []string
	for _, p := range slices.Sorted(maps.Keys(e.Programs)) {
		installed := strings.HasPrefix(p, `%programfiles%\`) || strings.HasPrefix(p, `%system%\`) || strings.HasPrefix(p, `%windir%\`)
		if installed && slices.Contains(serverPrograms, file(p)) && !slices.Contains(all, file(p)) {
			all = append(all, file(p))
		}
	}
	return all
}

// serves returns what shows that the host serves others.
func (e *Evidence) serves() string {
	var signs []string
	if s := e.services(); len(s) > 0 {
		signs = append(signs, "runs "+strings.Join(s, ", "))
	}
	for _, port := range telling {
		if n := e.Clients[port]; n >= minClients {
			signs = append(signs, fmt.Sprintf("port %d for %d addresses", port, n))
		}
	}
	return strings.Join(signs, ", ")
}

// server tells a server from a machine that serves now and then.
func (e *Evidence) server(serves string) (Role, string) {
	on := fmt.Sprintf("active in %.0f %% of the hours of %d days", 100*e.onShare(), e.Days)
	stray := max(e.Classes[program.Browser], e.Classes[program.Collaboration])
	switch {
	case e.Days < minServerDays:
		return "", fmt.Sprintf("%s, but %d days are too few to tell", serves, e.Days)
	case float64(stray) > maxStrayShare*float64(e.Days):
		return "", fmt.Sprintf("%s, but people opened a browser or office programs on %d of %d days", serves, stray, e.Days)
	case e.onShare() < alwaysOnShare:
		return "", fmt.Sprintf("%s, but only %s", serves, on)
	}
	return Server, serves + "; " + on
}

// nothing says of a host without signs what was seen.
func (e *Evidence) nothing() string {
	if e.Days < minDays {
		return "too little telemetry: one day"
	}
	return fmt.Sprintf("no sign of people at work or of services in %d days", e.Days)
}

// file returns the file name of a template.
func file(template string) string { return path.Base(strings.ReplaceAll(template, `\`, "/")) }
