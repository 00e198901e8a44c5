package pipeline

// Progress is told how far a run is. Its methods may be called concurrently.
type Progress interface {
	// Inputs says how many files there are, and their bytes.
	Inputs(files int, bytes int64)

	// Read says that so many more bytes were read.
	Read(bytes int64)

	// FileDone says that one more file was read to its end.
	FileDone()

	// Stage names what is being done now, and in how many steps; 0 where that
	// is not known.
	Stage(name string, steps int)

	// Step says that one more step of the stage was done.
	Step()
}

// Silent is a Progress that nobody watches.
type Silent struct{}

var _ Progress = Silent{}

// Inputs does nothing.
func (Silent) Inputs(int, int64) {}

// Read does nothing.
func (Silent) Read(int64) {}

// FileDone does nothing.
func (Silent) FileDone() {}

// Stage does nothing.
func (Silent) Stage(string, int) {}

// Step does nothing.
func (Silent) Step() {}
