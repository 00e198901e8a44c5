package main

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/owner"
	"github.com/postern/postern/internal/owner/ownertest"
)

func workers() int { return runtime.GOMAXPROCS(0) }

// A soaked is what a soak found.
type soaked struct {
	Plain  ownertest.Table `json:"plain"` // groups whose addresses the wire shows
	NAT    ownertest.Table `json:"nat"`   // and those behind a translation
	Events int64           `json:"events"`

	// Joining is the time spent inside the join, of all workers together,
	// and Whole the time of the whole soak, in seconds.
	Joining float64 `json:"joining_seconds"`
	Whole   float64 `json:"whole_seconds"`

	EventsPerSecond float64 `json:"events_per_second_joining"`
	PeakBytes       int64   `json:"peak_bytes"`
}

// soak makes, joins, compares and drops one group after the other, so that
// memory holds only as many as there are workers.
func soak(w io.Writer, c ownertest.Config, flows int, asJSON bool) error {
	if c.Hosts == 0 {
		c.Hosts = 2000
	}
	c.Connections = max(1, flows/c.Hosts)
	c.Span = 24 * time.Hour
	c.GroupSize = min(c.GroupSize, 4) // a group's events are what memory holds
	begin := time.Now()
	tables := make([]soaked, c.NumGroups())
	next := make(chan int)
	var wg sync.WaitGroup
	for range workers() {
		wg.Go(func() {
			for i := range next {
				tables[i] = soakGroup(c, i)
			}
		})
	}
	for i := range tables {
		next <- i
	}
	close(next)
	wg.Wait()
	total := soaked{Plain: ownertest.Table{Scenario: "soak"}, NAT: ownertest.Table{Scenario: "soak-nat"}}
	for i := range tables {
		total.Plain.Add(tables[i].Plain)
		total.NAT.Add(tables[i].NAT)
		total.Events += tables[i].Events
		total.Joining += tables[i].Joining
	}
	total.Whole = time.Since(begin).Seconds()
	total.EventsPerSecond = float64(total.Events) / total.Joining
	total.PeakBytes = peak()
	if asJSON {
		return writeJSON(w, total)
	}
	return total.write(w)
}

// soakGroup hides a twentieth of everything, and puts every eighth group
// behind a translation of addresses.
func soakGroup(c ownertest.Config, i int) soaked {
	hide := []ownertest.Degrader{
		ownertest.LoseConnects(0.05, c.Seed), ownertest.LoseFlows(0.05, c.Seed+1),
		ownertest.LoseLookups(0.05, c.Seed+2), ownertest.LoseProcesses(0.05, c.Seed+3),
	}
	translated := i%8 == 7
	if translated {
		hide = append(hide, ownertest.Translate())
	}
	g := ownertest.Degrade(ownertest.Estate{Groups: []ownertest.Group{c.Group(i)}}, hide...).Groups[0]
	s := soaked{Events: int64(g.Events.Len())}
	begin := time.Now()
	r := []owner.Result{join(g.Window())}
	ownertest.Translated(r)
	s.Joining = time.Since(begin).Seconds()
	if translated {
		s.NAT.Judge(&g, &r[0])
	} else {
		s.Plain.Judge(&g, &r[0])
	}
	return s
}

func (s *soaked) write(w io.Writer) error {
	if err := ownertest.Write(w, []ownertest.Table{s.Plain, s.NAT}, 3); err != nil {
		return err
	}
	all := s.Plain
	all.Add(s.NAT)
	_, err := fmt.Fprintf(w, "\nsoak: %d flows, %.3f%% of the joinable joined right (%.3f%% of those not translated), %d wrong exact joins; "+
		"%d events, %.0f a second inside the join; peak memory %d MiB; %.0f s in all\n",
		all.Flows, 100*all.Recall(), 100*s.Plain.Recall(), all.Of(event.RungExact).Wrong,
		s.Events, s.EventsPerSecond, s.PeakBytes>>20, s.Whole)
	return err
}

// peak returns the greatest resident size so far, in bytes.
func peak() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return usage.Maxrss * 1024
}
