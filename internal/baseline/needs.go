package baseline

import (
	"time"

	"github.com/postern/postern/internal/stats"
)

// A Need is how far back evidence must reach for a question.
type Need struct {
	What   string
	Length time.Duration
}

// Needs returns the questions of a baseline that need evidence of some length,
// the shortest first.
func Needs() []Need {
	return []Need{
		{"what is new is told from what was there", settled},
		{"a program that nobody vouches for counts as common", season},
		{"how rare a program is rests on this fleet more than on what is shipped", halfLife},
		{"volume is measured against its own history", stats.History},
	}
}
