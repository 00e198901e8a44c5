package ownertest

// A behaviour is how a program uses the network.
type behaviour uint8

const (
	idle   behaviour = iota // never
	browse                  // bursts to many names
	steady                  // a few names, again and again
	brief                   // a short life with a few connections
	beacon                  // one far end at an interval
	timed                   // NTP from its fixed port
	tunnel                  // UDP from a fixed port to one gateway
	files                   // internal servers only
)

// A kind is a program with its ways.
type kind struct {
	image    string
	parent   string // image
	behave   behaviour
	vendor   string
	ja4      string
	weight   float64 // of the host's connections
	quic     float64 // share over QUIC
	shared   float64 // share to names that other programs use too
	system   bool    // older than the log, and never ends
	likely   float64 // share of hosts that have it
	copies   int     // instances at once; 0 for 1
	elevated bool
}

const (
	ja4Chromium = "t13d1516h2_8daaf6152771_02713d6af862"
	ja4Schannel = "t12d190800_d83cc789557e_7af1ed941c26"
	ja4Go       = "t13d1310h2_f57a46bbacb6_e7c285222651"
	ja4Firefox  = "t13d1715h2_5b57614c22b0_3d5424432f57"
	ja4Python   = "t13d1812h1_85036bcba153_375ca2c5e164"
)

const (
	servicesImage = `C:\Windows\System32\services.exe`
	explorerImage = `C:\Windows\explorer.exe`
	svchostImage  = `C:\Windows\System32\svchost.exe`
	updaterImage  = `C:\Program Files (x86)\Google\Update\GoogleUpdate.exe`
	shellImage    = `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`
)

// kinds are the programs of the estate. Those with a short life come many
// times over.
func kinds() []kind {
	return []kind{
		{image: servicesImage, behave: idle, system: true, likely: 1, elevated: true},
		{image: explorerImage, behave: files, weight: 1, system: true, likely: 1, ja4: ja4Schannel},
		{image: `C:\Windows\System32\lsass.exe`, behave: files, weight: 1, system: true, likely: 1, elevated: true},
		{image: svchostImage, parent: servicesImage, behave: timed, system: true, likely: 1, elevated: true},
		{image: svchostImage, parent: servicesImage, behave: steady, vendor: "update", ja4: ja4Schannel, weight: 4, shared: 0.4, system: true, likely: 1, elevated: true},
		{image: svchostImage, parent: servicesImage, behave: steady, vendor: "delivery", ja4: ja4Schannel, weight: 2, shared: 0.2, system: true, likely: 1, elevated: true},
		{image: `C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe`, parent: explorerImage, behave: browse, ja4: ja4Chromium, weight: 24, quic: 0.15, shared: 0.06, likely: 0.9},
		{image: `C:\Program Files\Google\Chrome\Application\chrome.exe`, parent: explorerImage, behave: browse, ja4: ja4Chromium, weight: 30, quic: 0.2, shared: 0.04, likely: 0.6},
		{image: `C:\Program Files\Mozilla Firefox\firefox.exe`, parent: explorerImage, behave: browse, ja4: ja4Firefox, weight: 20, quic: 0.1, shared: 0.03, likely: 0.2},
		{image: `C:\Users\bob\AppData\Local\Microsoft\Teams\current\Teams.exe`, parent: explorerImage, behave: steady, vendor: "teams", ja4: ja4Chromium, weight: 8, shared: 0.4, likely: 0.7},
		{image: `C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE`, parent: explorerImage, behave: steady, vendor: "office", ja4: ja4Schannel, weight: 8, shared: 0.4, likely: 0.8},
		{image: `C:\Users\bob\AppData\Local\Microsoft\OneDrive\OneDrive.exe`, parent: explorerImage, behave: steady, vendor: "drive", ja4: ja4Schannel, weight: 5, shared: 0.4, likely: 0.8},
		{image: `C:\Program Files\Acme\Agent\agent.exe`, parent: servicesImage, behave: steady, vendor: "acme", ja4: ja4Go, weight: 5, likely: 1, system: true, elevated: true},
		{image: `C:\Program Files\Sentry\sentryd.exe`, parent: servicesImage, behave: steady, vendor: "sentry", ja4: ja4Go, weight: 4, shared: 0.1, likely: 1, elevated: true},
		{image: `C:\Program Files\Meshnet\meshnet.exe`, parent: servicesImage, behave: tunnel, vendor: "meshnet", weight: 1, likely: 0.2, elevated: true},
		{image: updaterImage, parent: servicesImage, behave: brief, vendor: "gupdate", ja4: ja4Schannel, weight: 4, shared: 0.3, likely: 1, elevated: true},
		{image: `C:\Windows\System32\wbem\WmiPrvSE.exe`, parent: svchostImage, behave: idle, weight: 0, likely: 1, elevated: true},
		{image: shellImage, parent: explorerImage, behave: brief, vendor: "gallery", ja4: ja4Schannel, weight: 2, shared: 0.5, likely: 0.5},
		{image: `C:\Users\bob\AppData\Local\Programs\Python\Python312\python.exe`, parent: explorerImage, behave: brief, vendor: "wheels", ja4: ja4Python, weight: 3, shared: 0.1, likely: 0.3},
		{image: `C:\Program Files\Git\mingw64\libexec\git-core\git-remote-https.exe`, parent: explorerImage, behave: brief, vendor: "forge", ja4: ja4Schannel, weight: 3, likely: 0.3},
		{image: shellImage, parent: explorerImage, behave: beacon, ja4: ja4Schannel, weight: 4, likely: 0.05, copies: 2},
		{image: `C:\Users\bob\AppData\Local\Temp\upd.exe`, parent: explorerImage, behave: beacon, ja4: ja4Go, weight: 4, likely: 0.05},
		{image: `C:\Windows\System32\rundll32.exe`, parent: explorerImage, behave: beacon, ja4: ja4Schannel, weight: 4, likely: 0.04},
	}
}

// noise is what starts and ends all day without a connection, so that PIDs
// come round again.
func noise() []string {
	return []string{
		`C:\Windows\System32\cmd.exe`, `C:\Windows\System32\conhost.exe`, `C:\Windows\System32\taskhostw.exe`,
		`C:\Windows\System32\SearchProtocolHost.exe`, `C:\Windows\System32\backgroundTaskHost.exe`,
	}
}
