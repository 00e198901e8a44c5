package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"strings"
	"time"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/source"
)

// A Trial is what came of reading one input, without keeping it.
type Trial struct {
	Input  string
	Format string // "" where none was found
	Err    error  // why there is none, or why the rest cannot be read; nil at the end
	Tally  decode.Tally
	Kinds  []Kind
	First  []string // the first events of all, one line each
}

// A Kind is a kind of event, and how many there were.
type Kind struct {
	Name  string
	Count int64
}

// Try reads the inputs that path names, as the format that force is where it is
// not nil, and tells visit of each. It shows the first n events of an input. The
// error names the inputs that could not be opened.
func Try(ctx context.Context, formats []*decode.Format, force *decode.Format, path string, n int, visit func(*Trial) error) error {
	units, problems := source.Find([]string{path})
	errs := problems
	for _, u := range units {
		err := u.Each(ctx, source.Options{}, func(in source.Input, r io.Reader) error {
			return visit(try(in.Name, r, formats, force, n))
		})
		failures, err := source.Failures(err)
		for _, f := range failures {
			errs = append(errs, f)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// try reads one input.
func try(name string, r io.Reader, formats []*decode.Format, force *decode.Format, n int) *Trial {
	t := &Trial{Input: name}
	f, d, err := decode.Open(formats, force, r, &t.Tally)
	if err != nil {
		t.Err = err
		return t
	}
	t.Format = f.Name
	var b event.Batch
	for err == nil {
		err = d.Decode(&b)
		t.count(&b, n)
		b.Reset()
	}
	if !errors.Is(err, io.EOF) {
		t.Err = err
	}
	return t
}

// count counts the events of a batch by kind, and shows the first n.
func (t *Trial) count(b *event.Batch, n int) {
	v := reflect.ValueOf(*b)
	if t.Kinds == nil {
		t.Kinds = make([]Kind, v.NumField())
	}
	for i := range v.NumField() {
		events := v.Field(i)
		t.Kinds[i].Name = strings.ToLower(v.Type().Field(i).Name)
		t.Kinds[i].Count += int64(events.Len())
		for j := 0; j < events.Len() && len(t.First) < n; j++ {
			t.First = append(t.First, strings.ToLower(events.Type().Elem().Name())+show(events.Index(j)))
		}
	}
}

// show writes the fields of an event that say something. Text is quoted: it
// comes from the log.
func show(v reflect.Value) string {
	var b strings.Builder
	for i := range v.NumField() {
		field := v.Field(i)
		if text := value(field); text != "" {
			fmt.Fprintf(&b, " %s=%s", v.Type().Field(i).Name, text)
		}
	}
	return b.String()
}

func value(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case event.Volume:
		if x.Counted {
			return "{" + strings.TrimSpace(show(v)) + "}"
		}
		return ""
	case event.Count:
		if !x.Known() {
			return "unknown"
		}
		return fmt.Sprint(int64(x))
	case event.Time:
		if x == event.Never {
			return ""
		}
		return x.Std().Format(time.RFC3339Nano)
	case netip.AddrPort:
		if !x.IsValid() {
			return ""
		}
		return x.String()
	}
	switch {
	case v.IsZero():
		return ""
	case v.Kind() == reflect.String:
		return fmt.Sprintf("%q", v.String())
	}
	return fmt.Sprint(v.Interface())
}
