package program

import (
	"cmp"
	"strings"
)

// switches are those switches of a Chromium that tell whose it is.
type switches struct {
	part    string // --type: what the process does for another that runs the same image
	exe     string // --webview-exe-name
	data    string // --user-data-dir
	appPath string // --app-path
}

// switches reads them from the command line.
func (p process) switches() switches {
	var s switches
	args := p.arguments()
	for arg, ok := args.next(); ok; arg, ok = args.next() {
		name, value, _ := strings.Cut(arg, "=")
		switch {
		case strings.EqualFold(name, "--type"):
			s.part = value
		case strings.EqualFold(name, "--webview-exe-name"):
			s.exe = Name(value)
		case strings.EqualFold(name, "--user-data-dir"):
			s.data = value
		case strings.EqualFold(name, "--app-path"):
			s.appPath = value
		}
	}
	return s
}

// webView returns the application whose pages WebView2 shows. Its processes
// for the network, for drawing and for crashes belong to the same one. Most
// of its switches are repeated to them; for the others their parent tells.
func webView(p process) string {
	own := p.switches()
	var of switches
	if parent, ok := p.parent(); ok && own.part != "" {
		of = parent.switches()
	}
	switch {
	case own.exe+of.exe != "":
		return word("app", cmp.Or(own.exe, of.exe))
	case own.data+of.data != "":
		return word("app", dataOwner(cmp.Or(own.data, of.data)))
	case own.part != "":
		return ""
	}
	parent := Template(p.ParentImage)
	if parent == p.base {
		return ""
	}
	_, file := cut(parent)
	return word("app", file)
}

// dataOwner returns the application that keeps its data in a folder. WebView2
// makes up "teams.exe.WebView2\EBWebView" beside the application that names no
// folder.
func dataOwner(dir string) string {
	dir = strings.TrimSuffix(Template(dir), `\ebwebview`)
	_, last := cut(dir)
	if exe, ok := strings.CutSuffix(last, ".webview2"); ok {
		return exe
	}
	return dir
}

// electron returns the application that a bare Electron or NW.js runs. An
// application that brings its own under its own name hosts nothing: the image
// is the application.
func electron(p process) string {
	own := p.switches()
	if own.part == "" {
		return p.appArgument()
	}
	if parent, ok := p.parent(); ok {
		if app := parent.appArgument(); app != "" {
			return app
		}
	}
	return named("app", own.appPath)
}

// appArgument returns the application that the first argument names.
func (p process) appArgument() string {
	args := p.arguments()
	for arg, ok := args.next(); ok; arg, ok = args.next() {
		switch {
		case arg == "-r" || arg == "--require":
			args.next()
		case strings.HasPrefix(arg, "--nwapp="):
			return named("app", strings.TrimPrefix(arg, "--nwapp="))
		case !strings.HasPrefix(arg, "-"):
			return named("app", arg)
		}
	}
	return ""
}
