package program

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func load(t testing.TB) *Classes {
	t.Helper()
	c, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOf(t *testing.T) {
	c := load(t)
	for image, want := range map[string]Class{
		``:                               App,
		`System`:                         App,
		`C:\Tools\own.exe`:               App,
		`C:\Windows\System32\own.exe`:    App,
		`C:\Users\bob\Downloads\own.exe`: App,

		`C:\Program Files\Google\Chrome\Application\chrome.exe`:                                       Browser,
		`\device\harddiskvolume3\program files (x86)\microsoft\edge\application\msedge.exe`:           Browser,
		`C:\Users\bob\AppData\Local\BraveSoftware\Brave-Browser\Application\brave.exe`:                Browser,
		`C:\Program Files\WindowsApps\Mozilla.Firefox_131.0.0.0_x64__n80bbvh6b1yt2\VFS\X\firefox.exe`: Browser,
		`C:\Program Files (x86)\Microsoft\EdgeWebView\Application\131.0.2903.70\msedgewebview2.exe`:   Browser,
		`C:\Users\bob\Downloads\chrome.exe`:                                                           App,
		`C:\Program Files\Evil\chrome.exe`:                                                            App,
		`C:\Users\bob\.cache\puppeteer\chrome\win64-1.2.3\chrome-win64\chrome.exe`:                    App,
		`C:\Program Files\Google\Chrome\Application\evil.exe`:                                         App,
		`C:\Program Files \Google\Chrome\Application\chrome.exe`:                                      App,

		`C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`:            LOLBin,
		`C:\Users\bob\powershell.exe`:                                          LOLBin,
		`C:\Windows\SysWOW64\rundll32.exe`:                                     LOLBin,
		`C:\Windows\Microsoft.NET\Framework64\v4.0.30319\MSBuild.exe`:          LOLBin,
		`C:\Windows\Microsoft.NET\Framework64\v4.0.30319\InstallUtil.exe`:      LOLBin,
		`C:\Program Files\Python312\python.exe`:                                LOLBin,
		`C:\Program Files\Splunk\bin\python.exe`:                               LOLBin,
		`C:\Program Files\nodejs\node.exe`:                                     LOLBin,
		`C:\Program Files\Adobe\Adobe Creative Cloud Experience\libs\node.exe`: Updater,

		`C:\Windows\System32\svchost.exe`:       System,
		`C:\Windows\explorer.exe`:               System,
		`C:\Windows\System32\wbem\WmiPrvSE.exe`: System,
		`C:\Windows\System32\Tasks\svchost.exe`: App,
		`C:\Windows\Temp\svchost.exe`:           App,
		`D:\svchost.exe`:                        App,
		`C:\Windows\WinSxS\amd64_microsoft-windows-servicingstack_31bf3856ad364e35_10.0.19041.1940_none_7dd80d767cb5c7b0\TiWorker.exe`: System,

		`C:\Users\bob\AppData\Local\Microsoft\OneDrive\OneDrive.exe`:                                       Sync,
		`C:\Users\bob\AppData\Local\Microsoft\OneDrive\24.201.1006.0005\FileCoAuth.exe`:                    Sync,
		`C:\Program Files\Google\Drive File Stream\98.0.0.0\GoogleDriveFS.exe`:                             Sync,
		`C:\Users\Public\OneDrive.exe`:                                                                     App,
		`C:\Program Files (x86)\TeamViewer\TeamViewer_Service.exe`:                                         RMM,
		`C:\Program Files (x86)\ScreenConnect Client (0123456789abcdef)\ScreenConnect.ClientService.exe`:   RMM,
		`C:\WindowsAzure\GuestAgent_2.7.41491.993_2020-09-17_150914\GuestAgent\WindowsAzureGuestAgent.exe`: RMM,
		`C:\WindowsAzure\evil.exe`: App,
		`C:\Packages\Plugins\Microsoft.Azure.NetworkWatcher.NetworkWatcherAgentWindows\1.4.1654.1\NetworkWatcherAgent\NetworkWatcherAgent.exe`: RMM,
		`C:\Program Files\WindowsApps\MSTeams_24295.605.3225.8804_x64__8wekyb3d8bbwe\ms-teams.exe`:                                             Collaboration,
		`C:\Users\bob\AppData\Local\slack\app-4.41.105\slack.exe`:                                                                              Collaboration,
		`C:\Program Files\CrowdStrike\CSFalconService.exe`:                                                                                     Security,
		`C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24090.11-0\MsMpEng.exe`:                                                       Security,
		`C:\ProgramData\CrowdStrike\CSFalconService.exe`:                                                                                       App,
		`C:\Windows\Sysmon64.exe`:                                                        Security,
		`C:\Program Files (x86)\Google\Update\GoogleUpdate.exe`:                          Updater,
		`C:\Program Files\Common Files\Microsoft Shared\ClickToRun\OfficeClickToRun.exe`: Updater,
		`C:\Users\bob\AppData\Local\Temp\GoogleUpdate.exe`:                               App,
		`C:\Users\bob\AppData\Local\slack\Update.exe`:                                    Updater,
	} {
		if got := c.Of(image); got != want {
			t.Errorf("Of(%s) = %s, want %s", image, got, want)
		}
	}
}

func TestShipped(t *testing.T) {
	c := load(t)
	files := map[Class]int{}
	for file, entries := range c.named {
		for _, e := range entries {
			files[e.class]++
			for _, l := range e.locations {
				image := strings.ReplaceAll(l.String(), "*", "x") + `\` + file
				if got := c.Of(image); got != e.class {
					t.Errorf("Of(%s) = %s, want %s of %s", image, got, e.class, e.product)
				}
			}
		}
	}
	for _, e := range c.folder {
		files[e.class]++
	}
	if n := files[Browser] + files[Sync] + files[RMM] + files[Updater] + files[Security]; n < 40 || files[LOLBin] < 40 {
		t.Errorf("%d trusted programs and %d LOLBins, want 40 of each", n, files[LOLBin])
	}
	for _, class := range AllClasses() {
		if files[class] == 0 {
			t.Errorf("class %s is empty", class)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"columns", "# a comment\n\nbrowser\tx", `program classes, line 3: 2 columns, want 4: class, location, files, product`},
		{"class", "malware\t*\tx.exe\tX", `program classes, line 1: class "malware" is none of [browser lolbin system sync rmm collaboration security updater app]`},
		{"product", "lolbin\t*\tx.exe\t", `program classes, line 1: no product`},
		{"anywhere", "browser\t*\tchrome.exe\tX", `program classes, line 1: a browser needs a location, lest a renamed program pass for it`},
		{"not a template", "browser\tC:\\Program Files\\X\tx.exe\tX", `program classes, line 1: location "C:\\Program Files\\X" is not a folder as Template writes it`},
		{"two stars", "sync\t%programfiles%\\a*b*\tx.exe\tX", `program classes, line 1: location "%programfiles%\\a*b*" has two * in one name`},
		{"no location", "browser\t\tx.exe\tX", `program classes, line 1: location "" is not a folder as Template writes it`},
		{"upper case", "lolbin\t*\tX.exe\tX", `program classes, line 1: file "X.exe" is not a file name in lower case`},
		{"every file anywhere", "lolbin\t*\t*\tX", `program classes, line 1: file "*" is not a file name in lower case`},
		{"path as file", "lolbin\t*\ta\\b.exe\tX", `program classes, line 1: file "a\\b.exe" is not a file name in lower case`},
		{"twice", "sync\t%programfiles%\\x\ta.exe\tX\nrmm\t%programfiles%\\x\ta.exe\tX", `program classes, line 2: a.exe in %programfiles%\x is on line 1 already`},
		{"line too long", strings.Repeat("x", 1<<17), `program classes, after line 0: bufio.Scanner: token too long`},
	} {
		_, err := Load(strings.NewReader(c.in))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestIdentify(t *testing.T) {
	c := load(t)
	want := Identity{
		Key: `%temp%\{random}\setup.exe`, Name: "Setup.exe",
		Image: `C:\Users\Bob\AppData\Local\Temp\7zS4C2A.tmp\Setup.exe`, Class: App,
	}
	if diff := cmp.Diff(want, c.IdentifyProcess(Evidence{Image: want.Image})); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Identity{Class: App}, c.IdentifyProcess(Evidence{})); diff != "" {
		t.Errorf("unknown image (-want +got):\n%s", diff)
	}
}

func TestIdentifyProcess(t *testing.T) {
	c := load(t)
	e := Evidence{Image: nodeImage, CommandLine: `node C:\Users\bob\agent.js`}
	want := Identity{
		Key: `%programfiles%\nodejs\node.exe [script:%user%\agent.js]`, Hosted: `script:%user%\agent.js`,
		Name: "node.exe", Image: nodeImage, Class: LOLBin,
	}
	if diff := cmp.Diff(want, c.IdentifyProcess(e)); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
	rapid.Check(t, func(t *rapid.T) {
		e := Evidence{Image: hostImage().Draw(t, "image"), CommandLine: commandLine().Draw(t, "line")}
		id := c.IdentifyProcess(e)
		if id.Class != c.Of(e.Image) || id.Key != Key(e) {
			t.Fatalf("%+v, want the class %s and the key %q", id, c.Of(e.Image), Key(e))
		}
	})
}

func BenchmarkMasquerade(b *testing.B) {
	e := Evidence{Image: system("svchost.exe"), OriginalName: "svchost.exe", Product: windowsProduct, Company: microsoft}
	b.ReportAllocs()
	for b.Loop() {
		e.Masquerade()
	}
}

func TestMasquerade(t *testing.T) {
	for _, c := range []struct{ image, original, why string }{
		{`C:\Windows\System32\svchost.exe`, "svchost.exe", ""},
		{`C:\Windows\System32\svchost.exe`, "svchost.exe.mui", ""},
		{`C:\Windows\System32\cmd.exe`, "Cmd.Exe", ""},
		{`C:\Windows\System32\systeminfo.exe`, "sysinfo.exe", ""},
		{`C:\Windows\System32\gpresult.exe`, "gprslt.exe", ""},
		{`C:\Windows\System32\whoami.exe`, "", ""},
		{`C:\Windows\System32\whoami.exe`, "-", ""},
		{`C:\Windows\System32\whoami.exe`, "?", ""},
		{`C:\Tools\PsExec64.exe`, "psexec.c", ""},
		{`C:\Users\bob\Downloads\vlc-3.0.18-win64 (1).exe`, "vlc.exe", ""},
		{`C:\Users\bob\AppData\Local\app\app.exe`, "electron.exe", ""},
		{`C:\Users\bob\python3.11.exe`, "python.exe", ""},
		{`C:\Users\bob\notes.exe`, "PowerShell.EXE", "the original name of notes.exe is PowerShell.EXE"},
		{`C:\Windows\System32\svchost.exe`, "rclone.exe", "the original name of svchost.exe is rclone.exe"},
		{``, "rclone.exe", ""},

		{`C:\Users\bob\svchost.exe`, "", `svchost.exe is in %user% and belongs in %system%`},
		{`C:\Users\bob\svchost.exe`, "svchost.exe", `svchost.exe is in %user% and belongs in %system%`},
		{`C:\Windows \System32\svchost.exe`, "", `svchost.exe is in \windows \system32 and belongs in %system%`},
		{`C:\Windows\System32\Tasks\lsass.exe`, "", `lsass.exe is in %system%\tasks and belongs in %system%`},
		{`\\files\tools\Chrome.exe`, "", `Chrome.exe is in \\files\tools and belongs in %programfiles%\google\chrome\application`},
		{`C:\Temp\powershell.exe`, "", `powershell.exe is in %temp% and belongs in %system%\windowspowershell`},
		{`C:\Windows\WinSxS\amd64_x_31bf3856ad364e35_10.0.1.1_none_7dd80d767cb5c7b0\svchost.exe`, "", ""},
		{`C:\$WINDOWS.~BT\Sources\svchost.exe`, "", ""},
		{`C:\Windows.old\Windows\System32\svchost.exe`, "", ""},
		{`C:\Users\bob\.cache\puppeteer\chrome\win64-1.2.3\chrome-win64\chrome.exe`, "", ""},
		{`C:\Program Files\Git\usr\bin\expand.exe`, "", ""},
		{`C:\Program Files\Git\mingw64\bin\curl.exe`, "", ""},
		{`C:\Python312\python.exe`, "", ""},
		{`svchost.exe`, "", ""},
	} {
		why, ok := Masquerade(c.image, c.original)
		if why != c.why || ok != (c.why != "") {
			t.Errorf("Masquerade(%s, %s) = %q, %v, want %q", c.image, c.original, why, ok, c.why)
		}
	}
	if why, _ := Masquerade(`C:\x.exe`, strings.Repeat("é", 1000)); len(why) > 200 {
		t.Errorf("a reason of %d bytes", len(why))
	}
}

func BenchmarkIdentify(b *testing.B) {
	c := load(b)
	b.ReportAllocs()
	for b.Loop() {
		c.IdentifyProcess(Evidence{Image: `C:\Program Files (x86)\Google\Chrome\Application\chrome.exe`})
	}
}
