package sysmon

import (
	"net/netip"
	"strconv"

	"github.com/postern/postern/internal/destination"
	"github.com/postern/postern/internal/program"
)

// stranger is the file name of a program that no rule knows.
const stranger = "pstrn-any.exe"

// A place is a folder in which an uncommon program may lie.
type place struct{ folder, what string }

// places are those that people and intruders put programs into, and those that
// rules like to trust.
var places = []place{
	{`C:\Users\user\AppData\Local\Temp`, "a user's temporary files"},
	{`C:\Users\user\AppData\Local\Vendor`, "installed by a user"},
	{`C:\Users\user\AppData\Roaming\Vendor`, "a user's roaming profile"},
	{`C:\Users\user\Downloads`, "downloaded"},
	{`C:\Users\Public`, "shared by all users"},
	{`C:\ProgramData\Vendor`, "writable by users"},
	{`C:\Program Files\Vendor`, "installed by an administrator"},
	{`C:\Program Files (x86)\Vendor`, "installed by an administrator, 32 bit"},
	{`C:\Windows`, "the folder of Windows"},
	{`C:\Windows\Temp`, "temporary files of services"},
	{`C:\Windows\System32`, "the programs of Windows"},
	{`C:\Vendor`, "a folder of the system drive"},
	{`D:\Vendor`, "another drive"},
	{`\\server\share`, "a share"},
}

func (p place) image() string { return p.folder + `\` + stranger }

// ports are those on which a connection is taken for TLS, the most usual first.
var ports = []uint16{443, 8443, 9443, 4443, 853, 465, 563, 636, 989, 990, 992, 993, 995, 5061, 5671, 8883}

// connect is a connection of a program. What the network alone decides, as the
// far end's address, is unknown.
func connect(image string, port uint16, udp bool) occurrence {
	f := map[string]string{
		"destinationport": strconv.Itoa(int(port)), "initiated": "true", "protocol": "tcp",
		"sourceisipv6": "false",
	}
	if udp {
		f["protocol"] = "udp"
	}
	if image != "" {
		f["image"] = image
	}
	return occurrence{NetworkConnect, f}
}

func lookup(image, name string) occurrence {
	f := map[string]string{"queryname": name}
	if image != "" {
		f["image"] = image
	}
	return occurrence{DNSQuery, f}
}

func start(image string) occurrence {
	return occurrence{ProcessCreate, map[string]string{"image": image}}
}

// A probe is an occurrence that an analyst would miss.
type probe struct {
	occurrence
	what string
}

// probes are all occurrences that an audit asks about.
func probes(k Known) []probe {
	var all []probe
	for _, p := range places {
		all = append(all, probe{start(p.image()), "programs in " + p.folder})
		for _, port := range ports {
			all = append(all, probe{connect(p.image(), port, false), "programs in " + p.folder})
		}
	}
	for _, p := range k.Programs {
		all = append(all, probe{connect(p.Path, 443, false), p.Path})
	}
	for _, s := range k.Services {
		for _, name := range names(s) {
			all = append(all, probe{lookup(places[0].image(), name), s.Name + " (" + name + ")"}, probe{named(name), s.Name + " (" + name + ")"})
		}
	}
	return all
}

// names returns a name for each pattern of a service. Nobody looks addresses up.
func names(s destination.Service) []string {
	var all []string
	for _, pattern := range s.Patterns {
		name := destination.Example(pattern)
		if _, err := netip.ParseAddr(name); err != nil {
			all = append(all, name)
		}
	}
	return all
}

// named is a connection whose far end has that name by reverse lookup.
func named(name string) occurrence {
	o := connect(places[0].image(), 443, false)
	o.fields["destinationhostname"] = name
	return o
}

// Known is what an audit asks about beside places and ports.
type Known struct {
	Programs []program.Known
	Services []destination.Service
}
