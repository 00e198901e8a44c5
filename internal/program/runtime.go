package program

import (
	"slices"
	"strings"
)

// javaValues are the options of java that a value follows (the java command,
// JDK 21).
var javaValues = []string{
	"-cp", "-classpath", "--class-path", "-p", "--module-path", "--upgrade-module-path", "--add-modules", "--add-opens",
	"--add-exports", "--add-reads", "--patch-module", "--limit-modules", "--enable-native-access", "--source", "-d",
	"--describe-module",
}

// javaProgram returns the archive, the class or the module that java runs.
func javaProgram(p process) string {
	file := ""
	args := p.arguments()
	for arg, ok := args.next(); ok; arg, ok = args.next() {
		switch {
		case arg == "-jar":
			return named("jar", args.value())
		case arg == "-m", arg == "--module":
			return word("main", args.value())
		case strings.HasPrefix(arg, "--module="):
			return word("main", strings.TrimPrefix(arg, "--module="))
		case slices.Contains(javaValues, arg):
			args.next()
		case strings.HasPrefix(arg, "-"):
		case strings.HasPrefix(arg, "@"):
			file = arg
		case strings.HasSuffix(arg, ".java"):
			return named("script", arg)
		default:
			return word("main", strings.ReplaceAll(arg, "/", "."))
		}
	}
	return response(file)
}

// response returns the response file that holds the arguments. It is not read,
// but it tells one program from another.
func response(arg string) string {
	if arg == "" {
		return ""
	}
	return named("response", arg[1:])
}

// project returns the project that MSBuild builds, code and all.
func project(p process) string {
	file := ""
	args := p.arguments()
	for arg, ok := args.next(); ok; arg, ok = args.next() {
		if strings.HasPrefix(arg, "@") {
			file = arg
		} else if _, ok := option(arg); !ok {
			return named("project", arg)
		}
	}
	return response(file)
}

// assembly returns the assembly that a tool of the .NET Framework loads.
func assembly(p process) string {
	args := p.arguments()
	for arg, ok := args.next(); ok; arg, ok = args.next() {
		if _, ok := option(arg); !ok {
			return named("assembly", arg)
		}
	}
	return ""
}

// dotnetValues are the options of dotnet that a value follows (dotnet command).
var dotnetValues = []string{
	"--additionalprobingpath", "--depsfile", "--runtimeconfig", "--fx-version", "--roll-forward", "--additional-deps",
}

// dotnet returns the assembly that dotnet runs, or its command.
func dotnet(p process) string {
	args := p.arguments()
	for arg, ok := args.next(); ok; arg, ok = args.next() {
		switch ext := lower(extension(arg)); {
		case slices.Contains(dotnetValues, arg):
			args.next()
		case strings.HasPrefix(arg, "-"), arg == "exec":
		case ext == ".dll" || ext == ".exe":
			return named("assembly", arg)
		default:
			return word("command", arg)
		}
	}
	return ""
}
