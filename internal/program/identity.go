// Package program says which program an image is: the identity that hosts
// share, its class, and whether it passes itself off as another.
package program

// An Identity is a program as all hosts and sensors know it.
type Identity struct {
	Key       string // shared over hosts, as Key makes it; "" when the image is unknown
	Hosted    string // what the image hosts, as Key says it in brackets; "" when nothing or unknown
	Name      string // file name as written
	Image     string // full path as written
	Publisher string // of the signature; "" while no sensor tells
	Class     Class
}

// Identify returns the identity of an image of which nothing else is known, as
// the Security log's connections have it. A program that hosts no others has
// the same with and without an event of its start.
func (c *Classes) Identify(image string) Identity {
	return c.IdentifyProcess(Evidence{Image: image})
}

// IdentifyProcess returns the identity of a program by all that its start
// tells: [Key] says how. The class is that of the image: what an interpreter
// runs makes it no other program to a baseline's prior.
func (c *Classes) IdentifyProcess(e Evidence) Identity {
	base := Template(e.Image)
	hosted := hosted(base, e)
	return Identity{Key: join(base, hosted), Hosted: hosted, Name: Name(e.Image), Image: e.Image, Class: c.of(base)}
}
