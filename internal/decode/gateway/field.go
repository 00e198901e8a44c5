package gateway

import "bytes"

// Field returns the first field of a line, what follows it, and whether another
// field does. A field in quotes may have separators; a quote in it is doubled,
// and stays so.
func Field(line []byte, separator byte) (field, rest []byte, more bool) {
	if len(line) > 0 && line[0] == '"' {
		for i := 1; i < len(line); i++ {
			n := bytes.IndexByte(line[i:], '"')
			if n < 0 {
				break
			}
			i += n
			switch {
			case i+1 == len(line):
				return line[1:i], nil, false
			case line[i+1] == separator:
				return line[1:i], line[i+2:], true
			case line[i+1] == '"':
				i++
			}
		}
	}
	if i := bytes.IndexByte(line, separator); i >= 0 {
		return line[:i], line[i+1:], true
	}
	return line, nil, false
}
