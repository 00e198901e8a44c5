// Package program says which program an image is: the identity that hosts
// share, its class, and whether it passes itself off as another.
package program

// An Identity is a program as all hosts and sensors know it.
type Identity struct {
	Key       string // shared over hosts; "" when the image is unknown
	Hosted    string // what the image hosts, as the key has it in brackets; "" when nothing or unknown
	Name      string // file name as written
	Image     string // full path as written
	Publisher string // of the signature; "" while no sensor tells
	Class     Class
}

// IdentifyProcess returns the identity of a program by all that its start
// tells. The key is the [Template] of its image, and what the image hosts in
// brackets when its command line tells:
//
//	%system%\svchost.exe [svc:wuauserv]
//	%programfiles%\nodejs\node.exe [script:%user%\agent\main.js]
//	%system%\mshta.exe [url:example.com]
//
// Evidence only ever adds to the template. Without a command line a host stays
// the plain template: what it runs is unknown then, and not guessed. So does a
// host whose command line names nothing. The text of a command, and of an
// address all but the registered domain, stays out: both differ from run to
// run, and they hold secrets.
//
// The class is that of the image: what an interpreter runs makes it no other
// program to a baseline's prior.
func (c *Classes) IdentifyProcess(e Evidence) Identity {
	base := Template(e.Image)
	hosted := hosted(base, e)
	return Identity{Key: join(base, hosted), Hosted: hosted, Name: Name(e.Image), Image: e.Image, Class: c.of(base)}
}

// Key returns the key of a program's identity alone: see
// [Classes.IdentifyProcess].
func Key(e Evidence) string {
	base := Template(e.Image)
	return join(base, hosted(base, e))
}
