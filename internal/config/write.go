package config

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
)

// WriteYAML writes c so that [Load] reads the same again, with what each knob
// does as a comment above it.
func (c *Config) WriteYAML(w io.Writer) error {
	var b bytes.Buffer
	if err := writeStruct(&b, reflect.ValueOf(*c), ""); err != nil {
		return err
	}
	_, err := w.Write(bytes.TrimPrefix(b.Bytes(), []byte("\n")))
	return err
}

// writeStruct writes the fields of a section.
func writeStruct(b *bytes.Buffer, v reflect.Value, indent string) error {
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		key := field.Tag.Get("yaml")
		if indent == "" {
			b.WriteByte('\n')
		}
		writeComment(b, indent, field.Tag.Get("doc"))
		if element, ok := elements(field.Type); ok {
			writeElements(b, indent, element)
		}
		if section(field.Type) {
			fmt.Fprintf(b, "%s%s:\n", indent, key)
			if err := writeStruct(b, value, indent+"  "); err != nil {
				return err
			}
			continue
		}
		text, err := yaml.MarshalWithOptions(yaml.MapSlice{{Key: key, Value: value.Interface()}}, yaml.IndentSequence(true))
		if err != nil {
			return fmt.Errorf("writing %s: %w", key, err)
		}
		for line := range strings.Lines(string(text)) {
			b.WriteString(indent + line)
		}
	}
	return nil
}

// section reports whether t is a struct with keys below it.
func section(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.NumField() > 0 && t.Field(0).Tag.Get("yaml") != ""
}

// elements returns the type of a list's elements if they are sections.
func elements(t reflect.Type) (reflect.Type, bool) {
	if t.Kind() != reflect.Slice || !section(t.Elem()) {
		return nil, false
	}
	return t.Elem(), true
}

// writeElements says what each key of a list's elements means.
func writeElements(b *bytes.Buffer, indent string, element reflect.Type) {
	for i := range element.NumField() {
		f := element.Field(i)
		writeComment(b, indent, fmt.Sprintf("  %-12s %s", f.Tag.Get("yaml"), f.Tag.Get("doc")))
	}
}

// width is the length of a line of a comment.
const width = 100

// writeComment writes text in lines of the width, the further ones as deep as
// the second word of the first when that begins with a blank.
func writeComment(b *bytes.Buffer, indent, text string) {
	hang := ""
	if strings.HasPrefix(text, " ") {
		hang = strings.Repeat(" ", 15)
	}
	line := ""
	for i, word := range strings.SplitAfter(text, " ") {
		if i > 0 && len(line)+len(word) > width {
			fmt.Fprintf(b, "%s# %s\n", indent, strings.TrimRight(line, " "))
			line = hang
		}
		line += word
	}
	fmt.Fprintf(b, "%s# %s\n", indent, strings.TrimRight(line, " "))
}
