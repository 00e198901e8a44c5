package yamldoc

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Decode fills what into points to: a struct whose fields bear their keys as
// yaml tags. What the document does not mention, or leaves without a value,
// keeps the value that it has; a list is replaced as a whole. A key without a
// field is an error. A type that implements [encoding.TextUnmarshaler] takes
// any scalar, as text: 07:00 and no are what they look like. The first mistake
// is returned, as an [*Error].
func (d *Document) Decode(into any) error {
	if d.root == nil {
		return nil
	}
	return d.value(d.root, reflect.ValueOf(into).Elem())
}

func (d *Document) value(n ast.Node, v reflect.Value) error {
	if n == nil || n.Type() == ast.NullType {
		return nil
	}
	if s, ok := scalar(n); ok {
		if err := setScalar(v, s); err != nil {
			return d.fail(n.GetToken(), err)
		}
		return nil
	}
	switch n := n.(type) {
	case ast.MapNode:
		if v.Kind() == reflect.Struct {
			return d.fields(n, v)
		}
	case *ast.SequenceNode:
		if v.Kind() == reflect.Slice {
			return d.elements(n, v)
		}
	}
	return d.fail(first(n), fmt.Errorf("want %s here", wanted(v)))
}

// fields decodes a mapping into a struct.
func (d *Document) fields(n ast.MapNode, v reflect.Value) error {
	keys := keysOf(v.Type())
	for i := n.MapRange(); i.Next(); {
		key := i.Key().GetToken()
		field := -1
		for j, k := range keys {
			if k != "" && k == key.Value {
				field = j
			}
		}
		if field < 0 {
			return d.fail(key, fmt.Errorf("unknown key %q: want %s", shorten(key.Value), list(keys)))
		}
		if err := d.value(i.Value(), v.Field(field)); err != nil {
			return err
		}
	}
	return nil
}

// elements decodes a sequence into a slice.
func (d *Document) elements(n *ast.SequenceNode, v reflect.Value) error {
	s := reflect.MakeSlice(v.Type(), len(n.Values), len(n.Values))
	for i, e := range n.Values {
		if e == nil || e.Type() == ast.NullType {
			return d.fail(n.GetToken(), fmt.Errorf("element %d of this list has no value", i+1))
		}
		if err := d.value(e, s.Index(i)); err != nil {
			return err
		}
	}
	v.Set(s)
	return nil
}

// scalar returns the text of a scalar.
func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// setScalar gives v the value that s writes.
func setScalar(v reflect.Value, s string) error {
	if t, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return t.UnmarshalText([]byte(s))
	}
	var err error
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Int, reflect.Int64:
		var i int64
		i, err = strconv.ParseInt(s, 10, v.Type().Bits())
		v.SetInt(i)
	case reflect.Uint16:
		var u uint64
		u, err = strconv.ParseUint(s, 10, v.Type().Bits())
		v.SetUint(u)
	case reflect.Float64:
		var f float64
		f, err = strconv.ParseFloat(s, 64)
		v.SetFloat(f)
	default:
		err = errors.ErrUnsupported
	}
	if err != nil {
		return fmt.Errorf("want %s, not %q", wanted(v), shorten(s))
	}
	return nil
}

// wanted names what v takes.
func wanted(v reflect.Value) string {
	if _, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return "text"
	}
	switch v.Kind() {
	case reflect.Struct:
		return "a mapping with " + list(keysOf(v.Type()))
	case reflect.Slice:
		return "a list"
	case reflect.String:
		return "text"
	case reflect.Uint16:
		return "a whole number from 0 to 65535"
	case reflect.Float64:
		return "a number"
	}
	return "a whole number"
}

// keysOf returns the key of each field, "" for one that has none.
func keysOf(t reflect.Type) []string {
	keys := make([]string, t.NumField())
	for i := range keys {
		keys[i] = t.Field(i).Tag.Get("yaml")
	}
	return keys
}

// list writes keys for people.
func list(keys []string) string {
	var named []string
	for _, k := range keys {
		if k != "" {
			named = append(named, k)
		}
	}
	return strings.Join(named, ", ")
}

// shorten keeps a message short that repeats what somebody wrote.
func shorten(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
