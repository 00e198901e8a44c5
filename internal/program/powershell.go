package program

import "strings"

// A parameter of PowerShell may be cut short, down to a length that it sets
// itself, or have a short form of its own.
type parameter struct {
	name     string
	shortest int    // bytes that must stand
	short    string // another name
	does     effect
}

// An effect is what a parameter means to us.
type effect int

const (
	isSwitch   effect = iota // stands alone
	takesValue               // a value follows
	takesVersion
	runsFile
	runsCommand
	runsEncoded
	serves // commands come from another process
)

// parameters are those of powershell.exe and pwsh.exe, in the order in which
// PowerShell compares them (about_PowerShell_exe, about_Pwsh).
var parameters = []parameter{
	{"version", 1, "", takesVersion},
	{"help", 1, "?", isSwitch},
	{"login", 1, "", isSwitch},
	{"noexit", 3, "", isSwitch},
	{"importsystemmodules", 3, "", isSwitch},
	{"noprofile", 3, "", isSwitch},
	{"nologo", 3, "", isSwitch},
	{"noninteractive", 4, "", isSwitch},
	{"noprofileloadtime", 17, "", isSwitch},
	{"socketservermode", 2, "", serves},
	{"servermode", 1, "", serves},
	{"namedpipeservermode", 3, "", serves},
	{"sshservermode", 4, "", serves},
	{"interactive", 1, "", isSwitch},
	{"configurationfile", 17, "", takesValue},
	{"configurationname", 6, "", takesValue},
	{"custompipename", 3, "", takesValue},
	{"command", 1, "", runsCommand},
	{"commandwithargs", 8, "cwa", runsCommand},
	{"windowstyle", 1, "", takesValue},
	{"file", 1, "", runsFile},
	{"outputformat", 1, "of", takesValue},
	{"inputformat", 3, "if", takesValue},
	{"executionpolicy", 2, "ep", takesValue},
	{"encodedcommand", 1, "ec", runsEncoded},
	{"encodedarguments", 8, "ea", takesValue},
	{"settingsfile", 8, "", takesValue},
	{"sta", 3, "", isSwitch},
	{"mta", 3, "", isSwitch},
	{"psconsolefile", 1, "", takesValue},
	{"workingdirectory", 2, "wd", takesValue},
	{"removeworkingdirectorytrailingcharacter", 39, "", isSwitch},
}

// parameterMarks begin a parameter: PowerShell takes the slash and the dashes
// of typography, too.
const parameterMarks = "-/\u2013\u2014\u2015"

// parameterOf returns the parameter that an argument names. It is false for a
// parameter that does not exist, too.
func parameterOf(arg string) (parameter, bool) {
	name := strings.TrimLeft(arg, parameterMarks)
	if name == arg || name == "" {
		return parameter{}, false
	}
	name = lower(name)
	for _, p := range parameters {
		if name == p.short || len(name) >= p.shortest && strings.HasPrefix(p.name, name) {
			return p, true
		}
	}
	return parameter{}, false
}

// windowsPowerShell returns what powershell.exe runs. It takes what is no
// parameter for a command.
func windowsPowerShell(p process) string { return powerShellRuns(p, inCommand) }

// powerShell returns what pwsh.exe runs. It takes what is no parameter for a
// file.
func powerShell(p process) string { return powerShellRuns(p, inFile) }

// powerShellRuns returns what the first argument that runs something runs.
func powerShellRuns(p process, positional func(string, *arguments) string) string {
	args := p.arguments()
	for arg, ok := args.next(); ok; arg, ok = args.next() {
		param, ok := parameterOf(arg)
		if !ok {
			return positional(arg, args)
		}
		switch param.does {
		case takesValue:
			args.next()
		case takesVersion:
			if rest := strings.TrimLeft(args.rest, blanks); rest != "" && '0' <= rest[0] && rest[0] <= '9' {
				args.next()
			}
		case runsFile:
			return inFile(args.value(), args)
		case runsCommand:
			return inCommand(args.value(), args)
		case runsEncoded:
			return encoded
		case serves:
			return server
		}
	}
	return interactive
}

// inFile returns the script of -File.
func inFile(file string, _ *arguments) string {
	if file == "-" {
		return stdin
	}
	return named("script", file)
}

// maxCall bounds the commands that are looked at for a single script.
const maxCall = 2048

// inCommand returns what a command runs, whose first argument is given. A
// command that calls one script and nothing else is that script; installers
// and schedulers write it that way.
func inCommand(first string, args *arguments) string {
	if first == "-" {
		return stdin
	}
	if len(first)+len(args.rest) > maxCall {
		return inline
	}
	call := strings.Trim(first+args.rest, blanks+`"`)
	for _, operator := range []string{"&", ". "} { // call, and run in this scope
		call = strings.TrimLeft(strings.TrimPrefix(call, operator), blanks)
	}
	script, rest := firstToken(call)
	if extension(lower(script)) != ".ps1" || strings.ContainsAny(script, "$;|`") || strings.ContainsAny(rest, ";|&(){}`\r\n") {
		return inline
	}
	return named("script", script)
}

// firstToken cuts a command of PowerShell behind its first token.
func firstToken(call string) (token, rest string) {
	if call != "" && (call[0] == '\'' || call[0] == '"') {
		token, rest, _ = strings.Cut(call[1:], call[:1])
		return token, rest
	}
	token, rest, _ = strings.Cut(call, " ")
	return token, rest
}
