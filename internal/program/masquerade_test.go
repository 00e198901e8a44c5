package program

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

const (
	windowsProduct = "Microsoft® Windows® Operating System"
	microsoft      = "Microsoft Corporation"
)

func TestMasqueradeByName(t *testing.T) {
	for _, c := range []struct{ image, why string }{
		{`C:\Users\bob\Downloads\Invoice.PDF.exe`, `Invoice.PDF.exe is a program with the extension of a document, .pdf`},
		{`D:\scan.jpg.scr`, `scan.jpg.scr is a program with the extension of a document, .jpg`},
		{`\\files\in\note .txt .com`, `note .txt .com is a program with the extension of a document, .txt`},
		{`C:\Program Files\Vendor\Vendor.Pdf.exe`, ``},
		{`C:\Users\bob\Downloads\photos.zip.exe`, ``},
		{`C:\Users\bob\pdf.exe`, ``},
		{`C:\Users\bob\a.pdf`, ``},
		{`C:\Users\bob\report.pdf.tmp`, ``},
		{`C:\Users\bob\Company.Doc.Viewer.exe`, ``},

		{"C:\\x\\cv_\u202efdp.exe", `the name "cv_\u202efdp.exe" holds the character U+202E, which nobody sees`},
		{"C:\\x\\svchost\u200b.exe", `the name "svchost\u200b.exe" holds the character U+200B, which nobody sees`},
		{"C:\\x\\نامه\u200cها.exe", ``},
		{`C:\x\svchost.exe `, `the name "svchost.exe " ends in a blank`},
		{"C:\\x\\cmd.exe\u00a0", `the name "cmd.exe\u00a0" ends in a blank`},
		{`C:\x\invoice.pdf            .exe`, `blanks push the extension .exe of invoice.pdf            .exe out of sight`},
		{`C:\x\my tool .exe`, ``},

		{`C:\Windows\System32\svch0st.exe`, `svch0st.exe looks like svchost.exe`},
		{`C:\Windows\Isass.exe`, `Isass.exe looks like lsass.exe`},
		{`C:\x\exp1orer.exe`, `exp1orer.exe looks like explorer.exe`},
		{`C:\x\taskh0stvv.exe`, `taskh0stvv.exe looks like taskhostw.exe`},
		{`C:\x\svchost .exe`, `svchost .exe looks like svchost.exe`},
		{"C:\\x\\svch\u043est.exe", `"svch\u043est.exe" looks like svchost.exe`},
		{"C:\\x\\\uff43hrome.exe", `"\uff43hrome.exe" looks like chrome.exe`},
		{"C:\\x\\firef\u00f3x.exe", `"firef\u00f3x.exe" looks like firefox.exe`},
		{`C:\x\svchostess.exe`, ``},
		{`C:\x\c0d.exe`, ``},
		{`C:\x\мой файл.exe`, ``},
	} {
		why, ok := Masquerade(c.image, "")
		if why != c.why || ok != (c.why != "") {
			t.Errorf("Masquerade(%+q)\n got %s, %v\nwant %s", c.image, why, ok, c.why)
		}
	}
}

func TestMasqueradeByVersionResource(t *testing.T) {
	for _, c := range []struct{ image, original, product, company, why string }{
		{`C:\Users\Public\whoami.exe`, `whoami.exe`, windowsProduct, microsoft, `whoami.exe says that it is a part of Windows, and is in %public%`},
		{`C:\Users\bob\AppData\Roaming\taskbar.exe`, ``, `Betriebssystem Microsoft® Windows®`, microsoft, `taskbar.exe says that it is a part of Windows, and is in %appdata%`},
		{`C:\Windows\Temp\agent.exe`, ``, windowsProduct, ``, `agent.exe says that it is a part of Windows, and is in %temp%`},
		{`C:\ProgramData\AnyDesk\helper.exe`, `anydesk.exe`, ``, `Google LLC`, `the original name of helper.exe is anydesk.exe`},
		{`C:\ProgramData\AnyDesk\AnyDesk.exe`, `AnyDesk.exe`, `Google Update`, `Google LLC`, `AnyDesk.exe says that it is of Google LLC, and its original name is that of AnyDesk`},
		{`C:\Windows\System32\svchost.exe`, `svchost.exe`, ``, `Adobe Inc.`, `svchost.exe says that it is of Adobe Inc., and its original name is that of Windows`},
		{`C:\Program Files\Google\Chrome\Application\chrome.exe`, `chrome.exe`, `Google Chrome`, microsoft, `chrome.exe says that it is of Microsoft Corporation, and its original name is that of Google Chrome`},

		// What genuine programs look like.
		{`C:\Windows\System32\whoami.exe`, `whoami.exe`, windowsProduct, microsoft, ``},
		{`C:\Windows\System32\svchost.exe`, `svchost.exe.mui`, windowsProduct, microsoft, ``},
		{`C:\Users\bob\AppData\Local\Temp\0D3E9E15-DE7A-300B-96F1-B4AF12B96488\DismHost.exe`, `DismHost.exe`, windowsProduct, microsoft, ``},
		{`C:\Users\bob\AppData\Local\Temp\IXP000.TMP\run.exe`, `WEXTRACT.EXE`, windowsProduct, microsoft, ``},
		{`C:\Users\bob\Downloads\setup.exe`, `WEXTRACT.EXE`, `Internet Explorer`, microsoft, ``},
		{`C:\Users\bob\Downloads\setup.exe`, `setup.exe`, windowsProduct, microsoft, ``},
		{`C:\Users\bob\AppData\Local\Microsoft\OneDrive\OneDrive.exe`, `OneDrive.exe`, `Microsoft OneDrive`, microsoft, ``},
		{`C:\Users\bob\AppData\Local\Temp\EU1A2B.tmp\MicrosoftEdgeUpdate.exe`, `msedgeupdate.dll`, `Microsoft Edge Update`, microsoft, ``},
		{`C:\Users\bob\AppData\Local\Temp\{0D3E9E15-DE7A-300B-96F1-B4AF12B96488}\.cr\vc_redist.x64.exe`, `VC_redist.x64.exe`, `Microsoft Visual C++ 2015-2022 Redistributable`, microsoft, ``},
		{`C:\Users\bob\AppData\Local\Programs\Microsoft VS Code\Code.exe`, `electron.exe`, `Visual Studio Code`, microsoft, ``},
		{`C:\Users\bob\Downloads\procdump64.exe`, `procdump`, `ProcDump`, `Sysinternals - www.sysinternals.com`, ``},
		{`C:\Program Files\Adobe\x\updater.exe`, `updater.exe`, `Adobe`, `Adobe Inc.`, ``},
		{`C:\Users\bob\AppData\Local\Chromium\Application\chrome.exe`, `chrome.exe`, `Chromium`, `The Chromium Authors`, ``},
		{`C:\Program Files\AnyDesk\AnyDesk.exe`, `AnyDesk.exe`, `AnyDesk`, `Intelligent Apples GmbH`, ``},
		{`C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe`, `msedge.exe`, `Microsoft Edge`, microsoft, ``},
		{`C:\Program Files\Microsoft\jdk-21\bin\java.exe`, `java.exe`, `OpenJDK Platform 21`, `Microsoft`, ``},
	} {
		e := Evidence{Image: c.image, OriginalName: c.original, Product: c.product, Company: c.company}
		why, ok := e.Masquerade()
		if why != c.why || ok != (c.why != "") {
			t.Errorf("%+v\n got %s, %v\nwant %s", e, why, ok, c.why)
		}
	}
}

// TestNoProgramLooksLikeAnother holds the shipped names to the rule: a name
// that the vendors chose is none of the imitations.
func TestNoProgramLooksLikeAnother(t *testing.T) {
	c := load(t)
	for file, entries := range c.named {
		for _, e := range entries {
			for _, l := range e.locations {
				image := strings.ReplaceAll(l.String(), "*", "x") + `\` + file
				if why, ok := Masquerade(image, ""); ok {
					t.Errorf("%s at home: %s", image, why)
				}
			}
		}
		if like := c.alike[skeleton(file)]; like != "" && like != file {
			t.Errorf("%s and %s look alike", file, like)
		}
	}
}

func TestMasqueradeIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), hostilePath(), rapid.Map(rapid.String(), func(s string) string { return strings.Repeat(s, 300) }))
		e := Evidence{
			Image: text.Draw(t, "image"), OriginalName: text.Draw(t, "original"),
			Product: rapid.SampledFrom([]string{"", windowsProduct}).Draw(t, "product"), Company: text.Draw(t, "company"),
		}
		e.Image = strings.ToValidUTF8(e.Image, "�") // as a decoder leaves it
		e.OriginalName, e.Company = strings.ToValidUTF8(e.OriginalName, "�"), strings.ToValidUTF8(e.Company, "�")
		if why, ok := e.Masquerade(); len(why) > 8*maxShown || !utf8.ValidString(why) || ok != (why != "") {
			t.Fatalf("a reason of %d bytes: %q, %v", len(why), why, ok)
		}
	})
}
