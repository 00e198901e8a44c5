package html_test

import (
	"bytes"
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/postern/postern/internal/coverage"
	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/inventory"
	"github.com/postern/postern/internal/pipeline"
	"github.com/postern/postern/internal/report/html"
)

// A browser is Chromium with one tab, and what it complained of.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string
	requests   []string
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium here: apt-get install chromium")
	}
	if testing.Short() {
		t.Skip("starts a browser")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, "console: "+string(e.Type))
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, "exception: "+e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, "log: "+e.Entry.Text)
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func eval[T any](b *browser, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// open shows a page at a size and in light or dark.
func (b *browser) open(page string, width, height int64, scheme string) {
	b.t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.EmulateViewport(width, height), chromedp.Navigate("file://"+page))
}

// picture saves what is seen: in POSTERN_SHOTS to be looked at, else nowhere
// that lasts.
func (b *browser) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("POSTERN_SHOTS")
	if dir == "" {
		dir = b.t.TempDir()
	}
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o666); err != nil {
		b.t.Fatal(err)
	}
}

// quiet wants no complaint, and no request but for the page itself.
func (b *browser) quiet(page string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		b.t.Error(c)
	}
	for _, r := range b.requests {
		if r, _, _ = strings.Cut(r, "#"); r != "file://"+page {
			b.t.Errorf("the page asks for %s", r)
		}
	}
}

// saved writes the report of d and c, and returns its place.
func saved(t *testing.T, d *finding.Document, c *coverage.Document) string {
	t.Helper()
	var out bytes.Buffer
	if err := html.Write(&out, d, c); err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(page, out.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return page
}

func office(t *testing.T) (*finding.Document, *coverage.Document) {
	t.Helper()
	networks, err := inventory.NewNetworks(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	root := "../../../examples/office/"
	doc, seen, err := pipeline.Hunt{
		Inputs: []string{root + "endpoint", root + "zeek"}, Top: 20, MinScore: math.Inf(-1), Networks: networks, Series: true,
	}.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return doc, seen
}

const overflows = `document.documentElement.scrollWidth - document.documentElement.clientWidth`

// TestOfficeInChromium opens the report of the example estate as people would.
func TestOfficeInChromium(t *testing.T) {
	b := newBrowser(t)
	doc, seen := office(t)
	page := saved(t, doc, seen)
	for _, size := range []struct {
		name          string
		width, height int64
	}{{"wide", 1280, 900}, {"middle", 768, 1024}, {"narrow", 390, 844}} {
		for _, scheme := range []string{"light", "dark"} {
			name := size.name + "-" + scheme
			b.open(page, size.width, size.height, scheme)
			b.picture(name + "-top")
			if n := eval[int](b, overflows); n > 0 {
				t.Errorf("%s: %d pixels too wide", name, n)
			}
			eval[bool](b, `document.querySelectorAll("details").forEach(d => d.open = true) === undefined`)
			if n := eval[int](b, overflows); n > 0 {
				t.Errorf("%s: %d pixels too wide with all open", name, n)
			}
			eval[bool](b, `document.querySelectorAll("details.sub").forEach(d => d.open = false) === undefined`)
			for i, at := range []string{`svg.gaps`, `.cards`, `.cards .pivots`, `details.card:nth-of-type(3)`, `#coverage`, `.covered`, `.account`} {
				eval[bool](b, `document.querySelector("`+at+`").scrollIntoView() === undefined`)
				b.picture(name + "-" + string(rune('a'+i)))
			}
		}
	}
	b.quiet(page)
}

// TestKeyboardAlone: everything can be reached and worked without a mouse.
func TestKeyboardAlone(t *testing.T) {
	b := newBrowser(t)
	doc, seen := office(t)
	page := saved(t, doc, seen)
	b.open(page, 1280, 900, "light")
	focused := `document.activeElement.textContent.trim()`
	b.do(chromedp.KeyEvent(kb.Tab))
	if got := eval[string](b, focused); got != "Skip to the findings" {
		t.Errorf("the first stop is %q", got)
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	if got := eval[string](b, `location.hash`); got != "#findings" {
		t.Errorf("it leads to %q", got)
	}

	// The links to the sections come next, and lead there.
	for _, id := range []string{"findings", "triage", "coverage", "account"} {
		eval[bool](b, `document.querySelector(".jump a[href='#`+id+`']").focus() === undefined`)
		b.do(chromedp.KeyEvent(kb.Enter))
		b.wait(`location.hash === "#` + id + `" && document.querySelector("section:target") !== null`)
	}

	// The third card is closed. Enter opens it, and again closes it.
	third := `document.querySelectorAll("details.card")[2]`
	eval[bool](b, third+`.querySelector("summary").focus() === undefined`)
	for _, want := range []bool{true, false} {
		b.do(chromedp.KeyEvent(kb.Enter))
		if got := eval[bool](b, third+`.open`); got != want {
			t.Errorf("open is %v, want %v", got, want)
		}
	}

	// A row's link opens the card it leads to.
	eval[bool](b, `document.querySelectorAll("#table a")[2].focus() === undefined`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.wait(third + `.open && document.activeElement === ` + third + `.querySelector("summary")`)

	// The filter narrows the table and says so.
	eval[bool](b, `document.getElementById("filter").focus() === undefined`)
	b.do(chromedp.KeyEvent("notesync"))
	b.wait(`document.querySelectorAll("#table tbody tr:not([hidden])").length === 1 && document.getElementById("shown").textContent === "1 of 20"`)

	// Sorting by what was sent puts the largest first, and then the smallest.
	sent := `document.querySelector("#table th[data-key=sent] button")`
	eval[bool](b, sent+`.focus() === undefined`)
	order := `Array.from(document.querySelectorAll("#table tbody tr")).every((r, i, a) => i === 0 || %s)`
	b.do(chromedp.KeyEvent(kb.Enter))
	b.wait(strings.Replace(order, "%s", `+a[i-1].dataset.sent >= +r.dataset.sent`, 1))
	b.do(chromedp.KeyEvent(kb.Enter))
	b.wait(strings.Replace(order, "%s", `+a[i-1].dataset.sent <= +r.dataset.sent`, 1))
	b.quiet(page)
}

// wait waits until an expression is true.
func (b *browser) wait(expression string) {
	b.t.Helper()
	for range 100 {
		if eval[bool](b, expression) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.t.Errorf("never true: %s", expression)
}

// TestPrints: a PDF comes out, with a page for each card and more.
func TestPrints(t *testing.T) {
	b := newBrowser(t)
	doc, seen := office(t)
	page := saved(t, doc, seen)
	b.open(page, 1280, 900, "dark")
	pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPrintBackground(), chromedp.PDFPreferCSSPageSize()))
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("POSTERN_SHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "report.pdf"), pdf, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	pages := bytes.Count(pdf, []byte("/Type /Page\n")) + bytes.Count(pdf, []byte("/Type /Page/"))
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) || pages <= len(doc.Findings) {
		t.Errorf("%d bytes, %d pages for %d findings", len(pdf), pages, len(doc.Findings))
	}
	b.quiet(page)
}

// TestPolicyBinds: what a slip of escaping would let in is stopped by the
// page's own policy, and the listener of these tests hears of it.
func TestPolicyBinds(t *testing.T) {
	b := newBrowser(t)
	page := saved(t, hostile(), blind(60, evil))
	b.open(page, 1280, 900, "light")
	b.quiet(page)
	if got := eval[string](b, `String(window.owned)`); got != "undefined" {
		t.Errorf("a script of the logs ran: %s", got)
	}
	if n := eval[int](b, `document.querySelectorAll("main script, main img, main iframe, [onerror], [onclick], [style]").length`); n != 0 {
		t.Errorf("%d elements came from the logs", n)
	}
	eval[bool](b, `(() => {
		const script = document.createElement("script"); script.textContent = "window.owned = 1"; document.body.append(script);
		const image = document.createElement("img"); image.src = "https://example.net/x.png"; document.body.append(image);
		return true;
	})()`)
	time.Sleep(200 * time.Millisecond)
	if got := eval[string](b, `String(window.owned)`); got != "undefined" {
		t.Error("the policy lets a script in")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.complaints) < 2 {
		t.Errorf("the browser says only %v", b.complaints)
	}
}
