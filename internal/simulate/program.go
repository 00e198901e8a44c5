package simulate

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// A tlsStack is the library with which programs speak TLS: what a fingerprint
// of the client tells apart.
type tlsStack struct {
	ja3, ja4, ja4q string
	v13            bool // offers TLS 1.3
	alpn           string
}

func newStack(name string, v13 bool, alpn string) *tlsStack {
	h := fingerprint("tls " + name)
	prefix, end := "t12d1909", "h2"
	if v13 {
		prefix = "t13d1516"
	}
	switch alpn {
	case "http/1.1":
		end = "h1"
	case "":
		end = "00"
	}
	tail := "_" + h[32:44] + "_" + h[44:56]
	return &tlsStack{
		ja3: h[:32], ja4: prefix + end + tail, ja4q: "q13d0311h3" + tail,
		v13: v13, alpn: alpn,
	}
}

// fingerprint returns 64 hexadecimal digits that stand for s.
func fingerprint(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// The account that a program runs under.
type account uint8

const (
	ofPerson account = iota
	ofSystem
	ofNetwork
)

// A program is what processes are instances of. USER in its image and command
// line stands for the person's login name.
type program struct {
	image, args string
	version     string
	description string
	product     string
	company     string
	original    string
	hashes      string
	as          account
	tls         *tlsStack
}

// base returns the file name of p's image.
func (p *program) base() string { return p.image[strings.LastIndexByte(p.image, '\\')+1:] }

// newProgram returns a program whose version resource says its version,
// description, product and company. "-" for each is what Sysmon shows of a
// program without the resource, which then has no original name either.
func newProgram(as account, tls *tlsStack, image, args, version, description, product, company string) *program {
	p := &program{
		image: image, args: args, version: version, description: description,
		product: product, company: company, as: as, tls: tls,
	}
	p.original = p.base()
	if version == "-" {
		p.original = "-"
	}
	h := strings.ToUpper(fingerprint(image + version))
	p.hashes = "SHA256=" + h + ",IMPHASH=" + strings.ToUpper(fingerprint("imports " + image))[:32]
	return p
}

// A software is the set of programs that a scenario uses, by short name.
type software map[string]*program

const (
	windows    = "Microsoft® Windows® Operating System"
	microsoft  = "Microsoft Corporation"
	winVersion = "10.0.22621.4317 (WinBuild.160101.0800)"
	system32   = `C:\Windows\System32\`
)

// commonSoftware returns what is found on the computers of an office.
func commonSoftware() software {
	schannel := newStack("schannel", true, "h2")
	chromium := newStack("chromium", true, "h2")
	mozilla := newStack("nss", true, "h2")
	openssl := newStack("openssl", true, "http/1.1")
	golang := newStack("go", true, "h2")
	node := newStack("electron", true, "http/1.1")
	dotnet := newStack("dotnet", false, "http/1.1")
	svchost := func(as account, service string) *program {
		return newProgram(as, schannel, system32+"svchost.exe", "-k netsvcs -p -s "+service, winVersion, "Host Process for Windows Services", windows, microsoft)
	}
	win := func(as account, tls *tlsStack, name, description string) *program {
		return newProgram(as, tls, system32+name, "", winVersion, description, windows, microsoft)
	}
	office := func(name, args, product string) *program {
		return newProgram(ofPerson, schannel, `C:\Program Files\Microsoft Office\root\Office16\`+name, args, "16.0.17928.20216", product, "Microsoft Office", microsoft)
	}
	return software{
		"system":   {image: "System", as: ofSystem, version: "-", description: "-", product: "-", company: "-", original: "-"},
		"services": win(ofSystem, nil, "services.exe", "Services and Controller app"),
		"schedule": svchost(ofSystem, "Schedule"),
		"update":   svchost(ofSystem, "wuauserv"),
		"diag":     svchost(ofSystem, "DiagTrack"),
		"dnscache": svchost(ofNetwork, "Dnscache"),
		"lsass":    win(ofSystem, schannel, "lsass.exe", "Local Security Authority Process"),
		"cmd":      win(ofPerson, nil, "cmd.exe", "Windows Command Processor"),
		"powershell": newProgram(ofPerson, schannel, system32+`WindowsPowerShell\v1.0\powershell.exe`, "", winVersion,
			"Windows PowerShell", windows, microsoft),
		"explorer": newProgram(ofPerson, schannel, `C:\Windows\explorer.exe`, "", winVersion, "Windows Explorer", windows, microsoft),
		"userinit": win(ofPerson, nil, "userinit.exe", "Userinit Logon Application"),
		"defender": newProgram(ofSystem, schannel, `C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24090.11-0\MsMpEng.exe`, "", "4.18.24090.11",
			"Antimalware Service Executable", windows, microsoft),
		"chrome": newProgram(ofPerson, chromium, `C:\Program Files\Google\Chrome\Application\chrome.exe`, "--profile-directory=Default", "142.0.7444.59",
			"Google Chrome", "Google Chrome", "Google LLC"),
		"edge": newProgram(ofPerson, chromium, `C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe`, "--profile-directory=Default", "142.0.3595.53",
			"Microsoft Edge", "Microsoft Edge", microsoft),
		"firefox": newProgram(ofPerson, mozilla, `C:\Program Files\Mozilla Firefox\firefox.exe`, "", "144.0.2",
			"Firefox", "Firefox", "Mozilla Corporation"),
		"outlook": office("OUTLOOK.EXE", "", "Microsoft Outlook"),
		"word":    office("WINWORD.EXE", "", "Microsoft Word"),
		"teams": newProgram(ofPerson, chromium, `C:\Program Files\WindowsApps\MSTeams_25290.205.4069.4894_x64__8wekyb3d8bbwe\ms-teams.exe`, "msteams:system-initiated", "25290.205.4069.4894",
			"Microsoft Teams", "Microsoft Teams", microsoft),
		"onedrive": newProgram(ofPerson, schannel, `C:\Users\USER\AppData\Local\Microsoft\OneDrive\OneDrive.exe`, "/background", "25.199.1012.0002",
			"Microsoft OneDrive", "Microsoft OneDrive", microsoft),
		"googleupdate": newProgram(ofSystem, schannel, `C:\Program Files (x86)\Google\Update\GoogleUpdate.exe`, "/ua /installsource scheduler", "1.3.36.372",
			"Google Installer", "Google Update", "Google LLC"),
		"edgeupdate": newProgram(ofSystem, schannel, `C:\Program Files (x86)\Microsoft\EdgeUpdate\MicrosoftEdgeUpdate.exe`, "/ua /installsource scheduler", "1.3.205.17",
			"Microsoft Edge Update", "Microsoft Edge Update", microsoft),
		"agent": newProgram(ofSystem, openssl, `C:\Program Files\FieldOps\Agent\fieldops-agent.exe`, "--service", "7.4.2.0",
			"FieldOps Endpoint Agent", "FieldOps", "FieldOps Systems GmbH"),
		"backup": newProgram(ofSystem, dotnet, `C:\Program Files\BackVault\BackVault.Agent.exe`, "-service", "11.2.0.418",
			"BackVault Agent", "BackVault", "BackVault BV"),
		"code": newProgram(ofPerson, node, `C:\Users\USER\AppData\Local\Programs\Microsoft VS Code\Code.exe`, "", "1.105.1",
			"Visual Studio Code", "Visual Studio Code", microsoft),
		"git": newProgram(ofPerson, openssl, `C:\Program Files\Git\mingw64\libexec\git-core\git-remote-https.exe`, "origin https://github.com/corp-example/portal.git", "2.51.1.1",
			"Git", "Git", "The Git Development Community"),
		"ledger": newProgram(ofPerson, dotnet, `C:\Program Files (x86)\Ledgerlink\ledgerlink.exe`, "/submit", "4.8.1.0",
			"Ledgerlink filing client", "Ledgerlink", "Ledgerlink Software AG"),
		"rclone": newProgram(ofPerson, golang, `C:\ProgramData\SvcBackup\svcbackup.exe`, `copy "S:\Projects" store:p --transfers 4 --no-console`, "1.71.1",
			"Rsync for cloud storage", "Rclone", "https://rclone.org"),
		"notes": newProgram(ofPerson, schannel, `C:\Users\USER\AppData\Local\Programs\NoteSync\notesync.exe`, "", "-", "-", "-", "-"),
	}
}
