package duckdb

import "strings"

// A memo gives the texts that are read their memory: text that many rows share
// is kept once, the others of a chunk lie side by side in one allocation.
type memo struct {
	known map[string]string

	blob strings.Builder
	text string
	ends [chunkRows]int
}

// The memo is bounded: hostile input must not turn it into a leak.
const (
	memoTexts = 1 << 16
	memoBytes = 512
)

// shared returns s in memory of its own, the same for equal texts.
func (m *memo) shared(s string) string {
	if t, ok := m.known[s]; ok {
		return t
	}
	t := strings.Clone(s)
	if m.known == nil {
		m.known = make(map[string]string)
	}
	if len(t) <= memoBytes && len(m.known) < memoTexts {
		m.known[t] = t
	}
	return t
}

// all copies the first n texts of v; part returns one of them.
func (m *memo) all(v *vector, n int) {
	size := 0
	for i := range n {
		size += len(v.text(i))
		m.ends[i] = size
	}
	m.blob.Reset()
	m.blob.Grow(size)
	for i := range n {
		m.blob.WriteString(v.text(i))
	}
	m.text = m.blob.String()
}

func (m *memo) part(i int) string {
	start := 0
	if i > 0 {
		start = m.ends[i-1]
	}
	return m.text[start:m.ends[i]]
}
