package html

import (
	"reflect"
	"time"

	"github.com/postern/postern/internal/report"
)

// maxText is how much of one string the page shows, in runes.
const maxText = 600

// clean returns a copy of v in which every string is cut to a length that a
// page can bear and has all that could deceive an eye written visibly:
// overrides of the writing direction, control characters, invisible ones. It
// works on whatever v is made of, so that a new field is never forgotten.
func clean[T any](v *T) *T {
	out := new(T)
	copyInto(reflect.ValueOf(out).Elem(), reflect.ValueOf(v).Elem())
	return out
}

func text(s string) string {
	return report.Shorten(report.Terminal(report.Shorten(s, maxText)), 2*maxText)
}

func copyInto(to, from reflect.Value) {
	if from.Type() == reflect.TypeFor[time.Time]() {
		to.Set(from)
		return
	}
	switch from.Kind() {
	case reflect.String:
		to.SetString(text(from.String()))
	case reflect.Pointer:
		if !from.IsNil() {
			to.Set(reflect.New(from.Type().Elem()))
			copyInto(to.Elem(), from.Elem())
		}
	case reflect.Slice:
		if !from.IsNil() {
			to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
			for i := range from.Len() {
				copyInto(to.Index(i), from.Index(i))
			}
		}
	case reflect.Map:
		copyMap(to, from)
	case reflect.Struct:
		for i := range from.NumField() {
			if from.Type().Field(i).IsExported() {
				copyInto(to.Field(i), from.Field(i))
			}
		}
	default:
		to.Set(from)
	}
}

func copyMap(to, from reflect.Value) {
	if from.IsNil() {
		return
	}
	to.Set(reflect.MakeMap(from.Type()))
	for each := from.MapRange(); each.Next(); {
		k, v := reflect.New(from.Type().Key()).Elem(), reflect.New(from.Type().Elem()).Elem()
		copyInto(k, each.Key())
		copyInto(v, each.Value())
		to.SetMapIndex(k, v)
	}
}
