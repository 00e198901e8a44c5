package inventory

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/program"
)

func TestInfer(t *testing.T) {
	type programs = map[string]int
	type classes = map[program.Class]int
	type clients = map[uint16]int
	fortnight := Evidence{Days: 14, Hours: 330, Span: 336}
	office := Evidence{Days: 10, Hours: 90, Span: 336}
	with := func(e Evidence, change func(*Evidence)) Evidence { change(&e); return e }
	for _, c := range []struct {
		name     string
		evidence Evidence
		want     Role
		why      string
	}{
		{"nothing", Evidence{}, "", "no endpoint telemetry"},
		{"one day", Evidence{Days: 1, Hours: 5, Span: 5}, "", "too little telemetry"},
		{"no sign", fortnight, "", "no sign of people at work or of services in 14 days"},

		{"a desk", with(office, func(e *Evidence) {
			e.Classes, e.People, e.PeopleDays = classes{program.Browser: 9, program.Collaboration: 8}, 1, 9
		}), Workstation, "browser on 9, chat or office programs on 8, people on 9 of 10 days; active in 27 % of the hours"},
		{"a desk that is never switched off", with(fortnight, func(e *Evidence) {
			e.Classes, e.Programs = classes{program.Browser: 9}, programs{explorer: 9}
		}), Workstation, "browser on 9"},
		{"a browser that nobody uses", with(office, func(e *Evidence) { e.Classes = classes{program.Browser: 9} }), "", "no sign of people"},
		{"a browser now and then", with(office, func(e *Evidence) {
			e.Classes, e.People = classes{program.Browser: 2}, 1
		}), "", "no sign of people"},
		{"a desk with a database", with(office, func(e *Evidence) {
			e.Classes, e.People, e.Programs = classes{program.Browser: 9}, 1, programs{`%programfiles%\postgresql\16\bin\postgres.exe`: 10}
		}), "", "but runs postgres.exe"},
		{"a desk of many", with(office, func(e *Evidence) {
			e.Classes, e.People = classes{program.Browser: 9}, 12
		}), "", "but 12 people used it"},

		{"a file server", with(fortnight, func(e *Evidence) { e.Clients = clients{portSMB: 6} }),
			Server, "port 445 for 6 addresses; active in 98 % of the hours of 14 days"},
		{"a web server", with(fortnight, func(e *Evidence) { e.Programs = programs{`%system%\inetsrv\w3wp.exe`: 14} }), Server, "runs w3wp.exe"},
		{"a web server on which an administrator opened a browser", with(fortnight, func(e *Evidence) {
			e.Programs, e.Classes, e.People = programs{`%system%\inetsrv\w3wp.exe`: 14}, classes{program.Browser: 1}, 1
		}), Server, "runs w3wp.exe"},
		{"a web server on which people chat", with(fortnight, func(e *Evidence) {
			e.Programs, e.Classes = programs{`%system%\inetsrv\w3wp.exe`: 14}, classes{program.Collaboration: 3}
		}), "", "but people opened a browser or office programs on 3 of 14 days"},
		{"a web server for a day", Evidence{Days: 2, Hours: 40, Span: 40, Programs: programs{`%system%\inetsrv\w3wp.exe`: 2}}, "", "2 days are too few"},
		{"a service in office hours", with(office, func(e *Evidence) { e.Clients = clients{portSMB: 6} }), "", "but only active in 27 %"},
		{"a file named like a service", with(fortnight, func(e *Evidence) { e.Programs = programs{`%temp%\sqlservr.exe`: 14} }), "", "no sign"},
		{"two clients", with(fortnight, func(e *Evidence) { e.Clients = clients{portSMB: 2} }), "", "no sign"},

		{"a domain controller by its clients", Evidence{Days: 1, Hours: 2, Span: 2, Clients: clients{portKerberos: 40, portLDAP: 38}},
			DomainController, "Kerberos for 40 addresses, LDAP for 38"},
		{"a domain controller by its programs", with(fortnight, func(e *Evidence) {
			e.Programs = programs{controllerPrograms[0]: 14, `%system%\dns.exe`: 14}
		}), DomainController, "runs microsoft.activedirectory.webservices.exe, runs dns.exe"},
		{"one sign of a domain controller", with(fortnight, func(e *Evidence) { e.Clients = clients{portKerberos: 2} }),
			"", "Kerberos for 2 addresses, and nothing else of a domain controller"},
		{"a DNS server", with(fortnight, func(e *Evidence) {
			e.Programs, e.Clients = programs{`%system%\dns.exe`: 14}, clients{portDNS: 300}
		}), Server, "runs dns.exe, port 53 for 300 addresses"},
	} {
		t.Run(c.name, func(t *testing.T) {
			role, why := Infer(c.evidence)
			if role != c.want || !strings.Contains(why, c.why) {
				t.Errorf("%q because %q\nwant %q because %q", role, why, c.want, c.why)
			}
		})
	}
}

func TestSurvey(t *testing.T) {
	classes, err := program.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	monday := event.At(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC))
	const edge, service = `C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe`, `C:\Windows\System32\svchost.exe`
	accepted := func(from string, port uint16, at event.Time) event.Connect {
		return event.Connect{Time: at, Src: netip.MustParseAddrPort(from), Dst: netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), port)}
	}
	s := NewSurvey(classes)
	for range 2 { // the same again changes nothing
		s.Start(&event.ProcessStart{Time: monday, Image: edge, ParentImage: `C:\Windows\explorer.exe`, User: `CORP\Ann`})
		s.Start(&event.ProcessStart{Time: monday.Add(26 * time.Hour), Image: edge, User: `corp\ann`})
		s.Start(&event.ProcessStart{Time: monday.Add(time.Minute), Image: service, User: `NT-AUTORITÄT\SYSTEM`})
		s.Start(&event.ProcessStart{Time: monday.Add(time.Hour), Image: "", User: `CORP\WS1$`})
		for _, c := range []event.Connect{
			accepted("10.0.0.7:50000", 445, monday), accepted("10.0.0.7:50001", 445, monday), accepted("10.0.0.8:50001", 445, monday),
			accepted("10.0.0.7:50000", 5985, monday), // tells nothing
			accepted("127.0.0.1:50000", 445, monday), // itself
			accepted("10.0.0.1:50000", 445, monday),  // itself
			{Time: monday, Outbound: true, Image: edge, Src: netip.MustParseAddrPort("10.0.0.1:50000"), Dst: netip.MustParseAddrPort("10.0.0.9:445")},
		} {
			s.Connect(&c)
		}
	}
	want := Evidence{
		Days: 2, Hours: 3, Span: 27,
		Programs: map[string]int{
			program.Template(edge): 2, explorer: 1, program.Template(service): 1,
		},
		Classes: map[program.Class]int{program.Browser: 2, program.System: 1},
		People:  1, PeopleDays: 2,
		Clients: map[uint16]int{445: 2},
	}
	if diff := cmp.Diff(want, s.Evidence()); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Evidence{Programs: map[string]int{}, Classes: map[program.Class]int{}, Clients: map[uint16]int{}}, NewSurvey(classes).Evidence()); diff != "" {
		t.Errorf("no evidence (-want +got):\n%s", diff)
	}
}
