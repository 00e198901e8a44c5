package sysmon

import (
	"strconv"
	"strings"

	"github.com/postern/postern/internal/event"
)

// An occurrence is something that happens on a host, with those fields of its
// event that are known, by their names in lower case.
type occurrence struct {
	event  string
	fields map[string]string
}

// logs reports whether an occurrence is logged. It is Unsaid where that depends
// on what is not known of it.
//
// An exclude rule that matches decides, then the include rules. Without any
// include rule everything else is logged; an event that the configuration does
// not mention is not, but for the start of processes.
func (c *Config) logs(o occurrence) event.Tri {
	included, excluded, listed, mentioned := event.No, event.No, false, false
	for i := range c.sections {
		s := &c.sections[i]
		if s.event != o.event {
			continue
		}
		mentioned = true
		if s.include {
			listed = true
			included = either(included, s.matches(o))
		} else {
			excluded = either(excluded, s.matches(o))
		}
	}
	switch {
	case !mentioned && o.event == ProcessCreate:
		return event.Yes
	case !mentioned:
		return event.No
	case !listed:
		included = event.Yes
	}
	return both(included, not(excluded))
}

func (s *section) matches(o occurrence) event.Tri { return combine(s.rules, s.relation, o) }

func (r *rule) matches(o occurrence) event.Tri {
	if r.field == "" {
		return combine(r.rules, r.relation, o)
	}
	value, known := o.fields[r.field]
	condition := conditions[r.condition]
	if !known || condition == nil {
		return event.Unsaid
	}
	return condition(value, r.value)
}

// combine says whether rules together match: those on the same field as
// alternatives, and the fields by the relation. No rules match nothing.
func combine(rules []rule, rel relation, o occurrence) event.Tri {
	var order []string
	fields := make(map[string]event.Tri)
	for i := range rules {
		r := &rules[i]
		key := r.field
		if key == "" {
			key = "\x00" + strconv.Itoa(i) // each by itself
		}
		if _, ok := fields[key]; !ok {
			order = append(order, key)
			fields[key] = event.No
		}
		fields[key] = either(fields[key], r.matches(o))
	}
	if len(order) == 0 {
		return event.No
	}
	any, all := event.No, event.Yes
	for _, key := range order {
		any, all = either(any, fields[key]), both(all, fields[key])
	}
	switch {
	case rel == or:
		return any
	case rel == and, any == all:
		return all
	}
	return event.Unsaid
}

func either(a, b event.Tri) event.Tri {
	switch {
	case a == event.Yes || b == event.Yes:
		return event.Yes
	case a == event.No && b == event.No:
		return event.No
	}
	return event.Unsaid
}

func both(a, b event.Tri) event.Tri { return not(either(not(a), not(b))) }

func not(a event.Tri) event.Tri {
	switch a {
	case event.Yes:
		return event.No
	case event.No:
		return event.Yes
	}
	return event.Unsaid
}

// A condition says whether a field's value matches a rule's.
type condition func(value, of string) event.Tri

// conditions are those of schema 4.90, by their names. None minds the case of
// letters.
var conditions = map[string]condition{
	"":               plainly(equal),
	"is":             plainly(equal),
	"is any":         plainly(anyOf(equal)),
	"is not":         plainly(negate(equal)),
	"contains":       plainly(strings.Contains),
	"contains any":   plainly(anyOf(strings.Contains)),
	"contains all":   plainly(allOf(strings.Contains)),
	"excludes":       plainly(negate(strings.Contains)),
	"excludes any":   plainly(negate(allOf(strings.Contains))),
	"excludes all":   plainly(negate(anyOf(strings.Contains))),
	"begin with":     plainly(strings.HasPrefix),
	"not begin with": plainly(negate(strings.HasPrefix)),
	"end with":       plainly(strings.HasSuffix),
	"not end with":   plainly(negate(strings.HasSuffix)),
	"image":          plainly(image),
	"less than":      func(value, of string) event.Tri { return compare(value, of, -1) },
	"more than":      func(value, of string) event.Tri { return compare(value, of, 1) },
}

// plainly makes a condition of a test of texts in lower case.
func plainly(test func(value, of string) bool) condition {
	return func(value, of string) event.Tri {
		if test(strings.ToLower(value), strings.ToLower(of)) {
			return event.Yes
		}
		return event.No
	}
}

func equal(value, of string) bool { return value == of }

// image is a whole path, or the file name at its end.
func image(value, of string) bool {
	return value == of || of != "" && strings.HasSuffix(value, `\`+of)
}

func negate(test func(value, of string) bool) func(value, of string) bool {
	return func(value, of string) bool { return !test(value, of) }
}

func anyOf(test func(value, of string) bool) func(value, of string) bool {
	return func(value, of string) bool {
		for part := range strings.SplitSeq(of, ";") {
			if part = strings.TrimSpace(part); part != "" && test(value, part) {
				return true
			}
		}
		return false
	}
}

func allOf(test func(value, of string) bool) func(value, of string) bool {
	return func(value, of string) bool { return !anyOf(negate(test))(value, of) }
}

// compare says whether a value lies on one side of another. Sysmon's manual
// has texts compared; where numbers would compare otherwise it stays open.
func compare(value, of string, side int) event.Tri {
	lower := strings.ToLower(value)
	text := strings.Compare(lower, strings.ToLower(of)) == side
	v, err := strconv.ParseInt(value, 10, 64)
	w, err2 := strconv.ParseInt(of, 10, 64)
	if err == nil && err2 == nil {
		number := v < w && side < 0 || v > w && side > 0
		if number != text {
			return event.Unsaid
		}
	}
	if text {
		return event.Yes
	}
	return event.No
}
