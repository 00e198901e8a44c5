// Package yamldoc reads the YAML documents that people write, strictly, and
// says of each mistake where it stands.
//
// It reads the plain part of YAML: one document of mappings, sequences and
// scalars. Anchors, aliases, merge keys, tags and explicit keys are refused.
// Nobody needs them here, and with them a small document can stand for a huge
// one.
package yamldoc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// The bounds of a document. The parser recurses, and a stack that overflows
// ends the program; and it compares each key of a mapping with all before it.
const (
	maxFlow   = 16  // brackets within brackets
	maxIndent = 100 // columns
	maxKeys   = 256 // of one mapping
)

// A Document is a YAML document that was read.
type Document struct {
	name  string
	lines []string
	root  ast.Node // nil when the document is empty
}

// Read reads the one document in r, which must hold no more than limit bytes.
// The name stands in errors. An error of syntax is an [*Error].
func Read(r io.Reader, name string, limit int64) (*Document, error) {
	src, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if int64(len(src)) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, limit)
	}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	if !utf8.Valid(src) {
		return nil, fmt.Errorf("%s is not UTF-8", name)
	}
	d := &Document{name: name, lines: strings.Split(string(src), "\n")}
	tokens := lexer.Tokenize(string(src))
	if at, err := refuse(tokens); err != nil {
		return nil, d.fail(at, err)
	}
	file, err := parse(tokens)
	if err != nil {
		return nil, d.syntax(err)
	}
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if d.root != nil {
			return nil, d.fail(doc.Body.GetToken(), errors.New("a second document: only one is wanted"))
		}
		d.root = doc.Body
	}
	return d, nil
}

// refuse returns the first token that a plain document does not hold.
func refuse(tokens token.Tokens) (*token.Token, error) {
	flow := 0
	var open mappings
	for _, t := range tokens {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType, token.DirectiveType, token.MappingKeyType:
			return t, fmt.Errorf("%q: anchors, aliases, tags, directives and explicit keys are not read here", t.Value)
		case token.InvalidType:
			return t, errors.New(t.Error)
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow--
		case token.SequenceEntryType:
			open.close(t.Position.Column)
		case token.MappingValueType:
			if flow == 0 && t.Prev != nil && open.key(t.Prev.Position.Column) > maxKeys {
				return t, errors.New("too many keys in one mapping")
			}
		}
		if flow > maxFlow || t.Position.IndentNum > maxIndent || t.Type == token.SequenceEntryType && t.Position.Column > maxIndent {
			return t, errors.New("nested too deeply")
		}
	}
	return nil, nil
}

// mappings counts the keys of the mappings that are open at a place of a
// document, the inner ones last.
type mappings []struct{ column, keys int }

// close ends the mappings that stand to the right of a column.
func (m *mappings) close(column int) {
	for n := len(*m); n > 0 && (*m)[n-1].column > column; n-- {
		*m = (*m)[:n-1]
	}
}

// key counts a key at a column, and returns how many its mapping has by now.
func (m *mappings) key(column int) int {
	m.close(column)
	n := len(*m)
	if n == 0 || (*m)[n-1].column < column {
		*m = append(*m, struct{ column, keys int }{column, 1})
		return 1
	}
	(*m)[n-1].keys++
	return (*m)[n-1].keys
}

// parse keeps a panic of the parser, which does not expect everything that
// somebody may write, from ending the program.
func parse(tokens token.Tokens) (file *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("not readable as YAML")
		}
	}()
	return parser.Parse(tokens, 0)
}

// syntax places an error of the parser.
func (d *Document) syntax(err error) error {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil {
		return d.fail(at.GetToken(), errors.New(at.GetMessage()))
	}
	return &Error{Name: d.name, Err: err}
}
