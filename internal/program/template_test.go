package program

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTemplate(t *testing.T) {
	for _, c := range []struct {
		name, want string
		images     []string
	}{
		{"unknown", ``, []string{``}},
		{"a name without a path", `system`, []string{`System`}},
		{"the same file by Sysmon and by the Security log", `%temp%\{random}\setup.exe`, []string{
			`C:\Users\Bob\AppData\Local\Temp\7zS4C2A.tmp\setup.exe`,
			`\device\harddiskvolume2\users\bob\appdata\local\temp\7zs4c2a.tmp\setup.exe`,
			`\Device\HarddiskVolume11\Users\ALICE~1\AppData\Local\Temp\is-ABC12.tmp\setup.exe`,
			`\\?\C:\Windows\Temp\_MEI12345\setup.exe`,
			`\??\C:\Windows\Temp\cr_1A2B3.tmp\setup.exe`,
			`C:/Temp/0a1b2c3d4e/setup.exe`,
			`C:\Windows\ServiceProfiles\NetworkService\AppData\Local\Temp\Rar$EXa1234.5678\setup.exe`,
			`C:\Windows\System32\config\systemprofile\AppData\Local\Temp\nsa12F.tmp\setup.exe`,
		}},
		{"system folder", `%system%\svchost.exe`, []string{
			`C:\Windows\System32\svchost.exe`, `C:\WINDOWS\SysWOW64\svchost.exe`, `\SystemRoot\System32\svchost.exe`,
			`\Device\HarddiskVolume3\Windows\System32\svchost.exe`, `C:\Windows\.\Temp\..\System32\\svchost.exe`,
			`\\?\GLOBALROOT\Device\HarddiskVolume3\Windows\System32\svchost.exe`,
			`C:\\Windows\\System32\\svchost.exe`, `\Device\HarddiskVolume3\\Windows\System32\svchost.exe`, `\\?\C:\\Windows/System32/svchost.exe`,
			`\\?\Volume{0b1c2d3e-0000-0000-0000-100000000000}\Windows\System32\svchost.exe`,
		}},
		{"folders that only look like it", `\windows \system32\svchost.exe`, []string{`C:\Windows \System32\svchost.exe`}},
		{"letters that only look like it", `\wİndows\system32\svchost.exe`, []string{`C:\WİNDOWS\System32\svchost.exe`}},
		{"program files", `%programfiles%\google\chrome\application\chrome.exe`, []string{
			`C:\Program Files\Google\Chrome\Application\chrome.exe`,
			`D:\Program Files (x86)\Google\Chrome\Application\CHROME.EXE`,
			`C:\PROGRA~1\Google\Chrome\Application\chrome.exe`,
		}},
		{"per-user install", `%localappdata%\slack\app-{version}\slack.exe`, []string{
			`C:\Users\bob\AppData\Local\slack\app-4.41.105\slack.exe`,
			`C:\Users\alice.CORP\AppData\Local\slack\app-4.9.0\slack.exe`,
		}},
		{"roaming", `%appdata%\zoom\bin\zoom.exe`, []string{`C:\Users\bob\AppData\Roaming\Zoom\bin\Zoom.exe`}},
		{"a user's folder", `%user%\downloads\winx64_payload.exe`, []string{`C:\Users\stevie.marie\Downloads\winx64_payload.exe`}},
		{"nobody's folder", `%public%\x.exe`, []string{`C:\Users\Public\x.exe`, `C:\Users\Default\x.exe`}},
		{"program data", `%programdata%\microsoft\windows defender\platform\{version}\msmpeng.exe`, []string{
			`C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24090.11-0\MsMpEng.exe`,
			`C:\Users\All Users\Microsoft\Windows Defender\Platform\4.18.2011.6-0\MsMpEng.exe`,
		}},
		{"a file in the folder of users", `\users\x.exe`, []string{`C:\Users\x.exe`}},
		{"an agent", `\windowsazure\guestagent_{version}\guestagent\windowsazureguestagent.exe`, []string{
			`C:\WindowsAzure\GuestAgent_2.7.41491.993_2020-09-17_150914\GuestAgent\WindowsAzureGuestAgent.exe`,
			`\device\harddiskvolume2\windowsazure\guestagent_2.7.41491.1005_2020-11-30_095005\guestagent\windowsazureguestagent.exe`,
		}},
		{"a version as folder", `%programfiles%\microsoft\edge\application\{version}\identity_helper.exe`, []string{
			`C:\Program Files (x86)\Microsoft\Edge\Application\92.0.902.67\identity_helper.exe`,
			`C:\Program Files (x86)\Microsoft\Edge\Application\131.0.2903.70\identity_helper.exe`,
		}},
		{"a version with a letter", `%windir%\microsoft.net\framework64\v{version}\msbuild.exe`, []string{`C:\Windows\Microsoft.NET\Framework64\v4.0.30319\MSBuild.exe`}},
		{"a store app", `%programfiles%\windowsapps\microsoft.windowscalculator_{version}_x64__8wekyb3d8bbwe\calculator.exe`, []string{
			`C:\Program Files\WindowsApps\Microsoft.WindowsCalculator_10.2008.2.0_x64__8wekyb3d8bbwe\Calculator.exe`,
		}},
		{"side by side", `%windir%\winsxs\amd64_microsoft-windows-servicingstack_{random}_{version}_none_{random}\tiworker.exe`, []string{
			`C:\Windows\winsxs\amd64_microsoft-windows-servicingstack_31bf3856ad364e35_10.0.19041.1940_none_7dd80d767cb5c7b0\TiWorker.exe`,
		}},
		{"an identifier", `%programdata%\package cache\{guid}\vcredist.exe`, []string{`C:\ProgramData\Package Cache\{0D3E9E15-DE7A-300B-96F1-B4AF12B96488}\vcredist.exe`}},
		{"a deleted file", `\$recycle.bin\{sid}\$r1.exe`, []string{`C:\$Recycle.Bin\S-1-5-21-1004336348-1177238915-682003330-512\$R1.exe`}},
		{"ClickOnce", `%localappdata%\apps\{version}\{random}\{random}\tool..tion_{random}_{version}_{random}\tool.exe`, []string{
			`C:\Users\bob\AppData\Local\Apps\2.0\4XKQH2V9.N7R\W1ZTJ8QL.0KE\tool..tion_31bf3856ad364e35_0001.0000_0123456789abcdef\tool.exe`,
		}},
		{"a date", `%programdata%\agent\{version}\run.exe`, []string{`C:\ProgramData\agent\20200917\run.exe`, `C:\ProgramData\agent\2020-09-17_150914\run.exe`}},
		{"a version in the file name", `%user%\downloads\vlc-{version}-win64.exe`, []string{`C:\Users\bob\Downloads\vlc-3.0.18-win64.exe`}},
		{"a number in the file name", `%user%\python3.11.exe`, []string{`C:\Users\bob\python3.11.exe`}},
		{"a custom action", `%windir%\installer\{random}.tmp`, []string{`C:\Windows\Installer\MSI5F2.tmp`}},
		{"a share", `\\files\tools\putty.exe`, []string{
			`\\files\tools\putty.exe`, `\Device\Mup\files\tools\putty.exe`, `\\?\UNC\files\tools\putty.exe`,
			`\Device\LanmanRedirector\;Z:000000000001\files\tools\putty.exe`,
		}},
		{"too long", Overlong, []string{strings.Repeat("a", maxPath+1), strings.Repeat("\xff", maxPath/2)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, image := range c.images {
				if got := Template(image); got != c.want {
					t.Errorf("Template(%s)\n got %s\nwant %s", image, got, c.want)
				}
			}
		})
	}
}

// hostilePath draws paths of the pieces that Template looks at.
func hostilePath() *rapid.Generator[string] {
	piece := rapid.SampledFrom([]string{
		`\`, `\`, `\\`, `/`, `.`, `..`, `?`, `C:`, `\device\`, `harddiskvolume2`, `mup`, `;z:`, `\\?\`, `\??\`, `unc`, `volume{`,
		`globalroot`, `\systemroot\`, `windows`, `system32`, `users`, `Public`, `appdata`, `local`, `temp`, `%temp%`, `program files`,
		`apps`, `2.0`, `4xkqh2v9.n7r`, `1.2.3`, `-4`, `_5`, `beta`, `rc1`, `{`, `}`, `deadbeef`, `0123456789abcdef`, `.tmp`, `_mei1`, `7zS`,
		`s-1-5-21-1-2-3`, `0d3e9e15-de7a-300b-96f1-b4af12b96488`, `{version}`, `{random}`, `x`, `É`, `İ`, `ſ`, "\xff", "\x00", ` `,
	})
	return rapid.OneOf(
		rapid.Map(rapid.SliceOfN(piece, 0, 14), func(p []string) string { return strings.Join(p, "") }),
		rapid.Map(rapid.SliceOfN(piece, 0, 10), func(p []string) string { return `C:\` + strings.Join(p, `\`) }),
		rapid.String(),
	)
}

func TestTemplateIsItsOwnTemplate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := Template(hostilePath().Draw(t, "path"))
		if twice := Template(once); twice != once {
			t.Fatalf("%q becomes %q", once, twice)
		}
	})
}

func TestTemplateIgnoresCaseAndVolume(t *testing.T) {
	upper := func(s string) string {
		return strings.Map(func(r rune) rune {
			if 'a' <= r && r <= 'z' || r == 'é' {
				return r - 32
			}
			return r
		}, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		path := `\` + hostilePath().Draw(t, "path")
		want := Template(`C:` + path)
		for _, same := range []string{upper(`C:` + path), `e:` + path, `\device\harddiskvolume7` + path, `\\?\D:` + path} {
			if got := Template(same); got != want {
				t.Fatalf("Template(%q) = %q, but of drive C %q", same, got, want)
			}
		}
	})
}

func TestName(t *testing.T) {
	for image, want := range map[string]string{
		``: ``, `System`: `System`, `C:\A b\C.EXE`: `C.EXE`, `\device\x\y.exe`: `y.exe`, `C:/a/b.exe`: `b.exe`, `C:\`: ``,
	} {
		if got := Name(image); got != want {
			t.Errorf("Name(%q) = %q, want %q", image, got, want)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add(`C:\Users\Bob\AppData\Local\Temp\7zS4C2A.tmp\setup.exe`)
	f.Add(`\device\harddiskvolume2\users\bob\x`)
	f.Fuzz(func(t *testing.T, image string) {
		once := Template(image)
		if twice := Template(once); twice != once {
			t.Fatalf("%q becomes %q, then %q", image, once, twice)
		}
	})
}

func BenchmarkTemplate(b *testing.B) {
	for name, image := range map[string]string{
		"system":  `C:\Windows\System32\svchost.exe`,
		"browser": `C:\Program Files (x86)\Google\Chrome\Application\chrome.exe`,
		"temp":    `\device\harddiskvolume2\users\bob\appdata\local\temp\7zs4c2a.tmp\setup.exe`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Template(image)
			}
		})
	}
}
