package program

// Key returns what IdentifyProcess has for the key.
func Key(e Evidence) string { return new(Classes).IdentifyProcess(e).Key }
