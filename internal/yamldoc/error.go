package yamldoc

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// An Error is a mistake with its place in the document.
type Error struct {
	Name    string // of the document
	Line    int    // from 1; 0 when the place is not known
	Column  int    // in characters, from 1
	Excerpt string // the lines around it and a caret; "" when the place is not known
	Err     error
}

// Error returns the place, the mistake, and the excerpt below it.
func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.Name, e.Err)
	}
	return fmt.Sprintf("%s:%d:%d: %v\n%s", e.Name, e.Line, e.Column, e.Err, e.Excerpt)
}

// Unwrap returns the mistake without its place.
func (e *Error) Unwrap() error { return e.Err }

// A PathError is a mistake in a value that was read, with the way to it from
// the root: keys as strings and indices as ints. [Document.Locate] turns it
// into a place.
type PathError struct {
	Path []any
	Err  error
}

// At says of an error, unless it is nil, that it lies at a path. The path of
// a PathError goes on behind it.
func At(err error, path ...any) error {
	if err == nil {
		return nil
	}
	var below *PathError
	if errors.As(err, &below) {
		return &PathError{append(path, below.Path...), below.Err}
	}
	return &PathError{path, err}
}

// Error returns the path and the mistake.
func (e *PathError) Error() string {
	var b strings.Builder
	for i, step := range e.Path {
		switch step := step.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", step)
		default:
			if i > 0 {
				b.WriteByte('.')
			}
			fmt.Fprint(&b, step)
		}
	}
	return b.String() + ": " + e.Err.Error()
}

// Unwrap returns the mistake without its path.
func (e *PathError) Unwrap() error { return e.Err }

// Locate says where in the document the value of a PathError stands, or what
// is nearest above it. It returns other errors as they are.
func (d *Document) Locate(err error) error {
	var p *PathError
	if !errors.As(err, &p) {
		return err
	}
	n := d.root
	for _, step := range p.Path {
		next := child(n, step)
		if next == nil {
			break
		}
		n = next
	}
	if n == nil || n == d.root {
		return &Error{Name: d.name, Err: err}
	}
	return d.fail(first(n), err)
}

// child returns the value of a key or an index of n, nil when there is none.
func child(n ast.Node, step any) ast.Node {
	switch step := step.(type) {
	case int:
		if list, ok := n.(*ast.SequenceNode); ok && step >= 0 && step < len(list.Values) {
			return list.Values[step]
		}
	case string:
		if m, ok := n.(ast.MapNode); ok {
			for i := m.MapRange(); i.Next(); {
				if i.Key().GetToken().Value == step {
					return i.Value()
				}
			}
		}
	}
	return nil
}

// first returns the token that a person takes for the beginning of n. That of
// a mapping is its first colon.
func first(n ast.Node) *token.Token {
	if m, ok := n.(ast.MapNode); ok {
		if i := m.MapRange(); i.Next() {
			return i.Key().GetToken()
		}
	}
	return n.GetToken()
}

// fail places an error at a token.
func (d *Document) fail(t *token.Token, err error) error {
	at := t.Position
	return &Error{Name: d.name, Line: at.Line, Column: at.Column, Excerpt: d.excerpt(at.Line, at.Column), Err: err}
}

// The bounds of an excerpt.
const (
	linesBefore = 2
	excerptRune = 120 // characters of a line
)

// excerpt shows a line, the ones before it, and a caret below the column.
func (d *Document) excerpt(line, column int) string {
	var b strings.Builder
	for i := max(1, line-linesBefore); i <= min(line, len(d.lines)); i++ {
		mark := ' '
		if i == line {
			mark = '>'
		}
		fmt.Fprintf(&b, "%c %4d | %s\n", mark, i, printable(d.lines[i-1]))
	}
	if column <= excerptRune {
		b.WriteString("         " + strings.Repeat(" ", max(0, column-1)) + "^")
	}
	return strings.TrimRight(b.String(), "\n")
}

// printable returns the beginning of a line, and no control character of it:
// an excerpt goes to terminals.
func printable(line string) string {
	runes := []rune(strings.TrimSuffix(line, "\r"))
	if len(runes) > excerptRune {
		runes = append(runes[:excerptRune:excerptRune], '…')
	}
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			runes[i] = ' '
		}
	}
	return string(runes)
}
