package pipeline

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/postern/postern/internal/store"
)

func TestProgramsNamed(t *testing.T) {
	keys := []string{
		`%appdata%\x\update.exe`, `%programfiles%\a\update.exe`, `%system%\svchost.exe`,
		`%system%\svchost.exe [svc:a/b]`, `%temp%\svchost.exe`,
	}
	for name, want := range map[string][]string{
		"UPDATE.exe":                          {keys[0], keys[1]},
		`C:\Program Files (x86)\A\Update.exe`: {keys[1]},
		`%appdata%\x\update.exe`:              {keys[0]},
		"svchost.exe":                         {keys[2], keys[4]},
		"svchost.exe [svc:A/B]":               {keys[3]},
		`%system%\svchost.exe [svc:a/b]`:      {keys[3]},
		"date.exe":                            nil,
		"":                                    nil,
	} {
		if got := programsNamed(keys, name); !slices.Equal(got, want) {
			t.Errorf("%q means %q, want %q", name, got, want)
		}
	}
}

func TestHostsNamed(t *testing.T) {
	hosts := []string{"10.0.0.9", "PC1.a.example", "pc1.b.example", "pc2"}
	leases := []store.Lease{
		{Host: "pc2", Addr: netip.MustParseAddr("10.0.0.2")},
		{Host: "PC1.a.example", Addr: netip.MustParseAddr("10.0.0.2")},
		{Host: "pc2", Addr: netip.MustParseAddr("10.0.0.9")},
	}
	for name, want := range map[string][]string{
		"pc1":             {hosts[1], hosts[2]},
		"pc1.A.example.":  {hosts[1]},
		"PC2":             {hosts[3]},
		"10.0.0.2":        {hosts[1], hosts[3]},
		"10.0.0.9":        {hosts[0], hosts[3]},
		"::ffff:10.0.0.2": {hosts[1], hosts[3]},
		"10.0.0.3":        nil,
		"pc":              nil,
		"10":              nil,
	} {
		if got := hostsNamed(hosts, leases, name); !slices.Equal(got, want) {
			t.Errorf("%q means %q, want %q", name, got, want)
		}
	}
}
