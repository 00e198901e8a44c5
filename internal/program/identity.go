// Package program says which program an image is: the identity that hosts
// share, its class, and whether it passes itself off as another.
package program

// An Identity is a program as all hosts and sensors know it.
type Identity struct {
	Key       string // shared over hosts: the template of the path; "" when the image is unknown
	Name      string // file name as written
	Image     string // full path as written
	Publisher string // of the signature; "" while no sensor tells
	Class     Class
}

// Identify returns the identity of an image.
//
// The key is made of the path alone. The Security log's connections carry
// nothing else, and a program must be one program to every sensor, with and
// without an event of its start.
func (c *Classes) Identify(image string) Identity {
	key := Template(image)
	return Identity{Key: key, Name: Name(image), Image: image, Class: c.of(key)}
}
