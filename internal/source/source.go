// Package source opens inputs: it finds files, takes them out of compression
// and archives, and hands on each input's bytes under a name.
//
// What an input is packed in is told by its content, never by its name, and
// nothing is unpacked to disk. Names of archive members are labels: no path is
// ever made of one. One layer is taken off, as it is made in practice: a
// compressed file, an archive, a compressed archive, and compressed members of
// either. What is packed deeper is reported as [ErrNested].
package source

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Stdin is the path that stands for the standard input.
const Stdin = "-"

// Sentinel errors of this package.
var (
	// ErrNoMatch: an argument names no file.
	ErrNoMatch = errors.New("no such file")

	// ErrNoFiles: a folder holds no file, apart from hidden ones.
	ErrNoFiles = errors.New("no files in the folder")

	// ErrTooBig: an input expands to more than the options allow.
	ErrTooBig = errors.New("expands to more than allowed")

	// ErrNested: an archive in an archive, or what is compressed twice.
	ErrNested = errors.New("packed more than once, not opened")

	// ErrEncrypted: a member of a zip archive needs a password.
	ErrEncrypted = errors.New("encrypted")

	// ErrUnsupported: a compression or an archive that is not read.
	ErrUnsupported = errors.New("cannot be unpacked")
)

// A Unit is one file of the file system, or the standard input: the grain of
// parallel work. It may hold several inputs.
type Unit struct {
	Path  string // as found from the argument, or Stdin
	Size  int64  // in bytes when found; -1 when unknown
	Named bool   // the user named this very file; it was not found in a folder
}

// An Input is a stream of bytes with a name.
type Input struct {
	Name   string // the unit's path, and "!member" when it is in an archive: a label, of hostile origin
	Named  bool   // as Unit.Named
	Member bool   // it is a member of an archive

	digest *digest
}

// Fingerprint returns the SHA-256 of the bytes that were handed to visit, in
// hexadecimal. It is "" until all of them were read, and without Options.Hash.
func (in Input) Fingerprint() string { return in.digest.hex() }

// Options say how units are read. The zero Options are the defaults.
type Options struct {
	// MaxExpanded is how many bytes may come out of one compressed input,
	// 0 for DefaultMaxExpanded.
	MaxExpanded int64

	// MaxRatio is how many times the bytes read of a unit may expand, 0 for
	// DefaultMaxRatio. The first 64 MiB are free.
	MaxRatio int64

	// Hash has the inputs fingerprinted while they are read.
	Hash bool

	// Progress, when not nil, is told of each n more raw bytes that were
	// read of the unit, altogether never more than its size where that is
	// known. Reading different units calls it concurrently.
	Progress func(n int64)

	// Stdin is what Stdin stands for, nil for the process's own.
	Stdin io.Reader
}

// The bounds that hold unless Options say otherwise. No deflate stream expands
// more than 1032 times, and no log that is worth reading does.
const (
	DefaultMaxExpanded = 64 << 30
	DefaultMaxRatio    = 1100
)

// A Visit reads one input. The reader is valid until Visit returns, and need
// not be read to its end.
//
// When the input is damaged the reader delivers everything before the damage
// and then a [*ReadError]. Visit may return it, wrapped or not, or drop it:
// Each reports it all the same. To report another failure of this input, and
// have the others visited, Visit returns an [*InputError]. Any other error
// ends Each.
type Visit func(in Input, r io.Reader) error

// An InputError says that an input, or an archive from some place on, could
// not be read.
type InputError struct {
	Input Input
	Err   error
}

// Error implements error.
func (e *InputError) Error() string { return e.Input.Name + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// A ReadError says where reading an input came to its end before the input
// did. It does not name the input: see [InputError].
type ReadError struct {
	Offset int64 // in the unpacked bytes of the input, or of the archive
	Err    error
}

// Error implements error.
func (e *ReadError) Error() string { return fmt.Sprintf("after %d bytes: %v", e.Offset, e.Err) }

// Unwrap returns the cause.
func (e *ReadError) Unwrap() error { return e.Err }

// Each calls visit for each input of u, in their order, one at a time. Hidden
// members of archives, and what is no regular file, are left out.
//
// An input that cannot be read does not keep Each from the others: it goes on,
// and at the end returns one [*InputError] for each, joined; see [Failures].
// Of a damaged stream of several members it returns one, where the damage is,
// for it and all behind. When ctx is done or visit returns an error of another
// kind, Each stops and joins that error.
//
// Each may be called concurrently. A read of the standard input that waits for
// data does not notice that ctx is done.
func (u Unit) Each(ctx context.Context, o Options, visit Visit) error {
	r := newRun(ctx, u, o, visit)
	err := r.unit()
	return errors.Join(append(r.failures, err)...)
}

// Failures takes apart what Each returned: what failed of single inputs, and
// what ended Each, or nil.
func Failures(err error) (inputs []*InputError, rest error) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil, err
	}
	var others []error
	for _, err := range joined.Unwrap() {
		if in, ok := err.(*InputError); ok { //nolint:errorlint // one within another error is that error's matter
			inputs = append(inputs, in)
		} else {
			others = append(others, err)
		}
	}
	return inputs, errors.Join(others...)
}
