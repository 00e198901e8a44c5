package fleet

// A Kind is a kind of attack.
type Kind string

// The kinds.
const (
	RareBeacon     Kind = "rare-beacon"     // an unknown program, regular, to its own domain
	LOLBinBeacon   Kind = "lolbin-beacon"   // a LOLBin, regular, to a rare domain
	LOLBinPopular  Kind = "lolbin-popular"  // a LOLBin that takes orders through a popular service
	BrowserExfil   Kind = "browser-exfil"   // much, once, by the browser to a rare site for files
	ToolExfil      Kind = "tool-exfil"      // a copying tool to a popular cloud store
	SlowExfil      Kind = "slow-exfil"      // 50 MB a day
	BoilingFrog    Kind = "boiling-frog"    // 0.5 MB on the first day, a fifth more on every other
	RenamedBeacon  Kind = "renamed-beacon"  // svchost.exe in a user's folder
	HijackedSigned Kind = "hijacked-signed" // a good program that does another's work
	StandingBeacon Kind = "standing-beacon" // a LOLBin's, since before the first day
	Rotation       Kind = "rotation"        // over four domains
	Splitting      Kind = "splitting"       // one exfiltration over twenty domains
	MassDeployment Kind = "mass-deployment" // an unknown program, on many hosts in a day
	LongSession    Kind = "long-session"    // one connection over thirty hours
	WeakBeacon     Kind = "weak-beacon"     // a few contacts a day
)

// Kinds returns all kinds of attacks.
func Kinds() []Kind {
	return []Kind{
		RareBeacon, LOLBinBeacon, LOLBinPopular, BrowserExfil, ToolExfil, SlowExfil, BoilingFrog, RenamedBeacon,
		HijackedSigned, StandingBeacon, Rotation, Splitting, MassDeployment, LongSession, WeakBeacon,
	}
}
