package program

// A Class groups programs that behave alike on the network. A baseline falls
// back to the class where it knows too little of a program.
type Class string

// The classes.
const (
	Browser       Class = "browser"       // people drive it, and it contacts everything
	LOLBin        Class = "lolbin"        // runs or fetches what others tell it: the program is not the image
	System        Class = "system"        // part of Windows
	Sync          Class = "sync"          // sync and backup
	RMM           Class = "rmm"           // remote monitoring, management and support
	Collaboration Class = "collaboration" // chat, meetings, mail, office
	Security      Class = "security"      // endpoint protection, log and vulnerability agents
	Updater       Class = "updater"       // keeps other programs up to date
	App           Class = "app"           // everything else
)

// AllClasses returns the classes.
func AllClasses() []Class {
	return []Class{Browser, LOLBin, System, Sync, RMM, Collaboration, Security, Updater, App}
}
