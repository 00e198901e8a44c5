package owner

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/postern/postern/internal/event"
)

// TestSourcesOnOneConnect: however many agents tell of a connect without a flow,
// it is one session, of the one that says most.
func TestSourcesOnOneConnect(t *testing.T) {
	attempt := func(k *event.Connect) { k.Attempt = true }
	counted := func(k *event.Connect) {
		k.Volume = event.Volume{Counted: true, Duration: 5, BytesOut: 77, BytesIn: 88}
	}
	nameless := func(k *event.Connect) { k.Image, k.PID = "", 3 }
	type word struct {
		at     float64
		source event.Source
		change func(*event.Connect)
	}
	endpoint := []summary{{event.RungEndpoint, 7, app, event.Unknown}}
	for _, tt := range []struct {
		name  string
		words []word
		want  []summary
	}{
		{"Sysmon and an agent", []word{{0, event.Agent, attempt}, {1.5, event.Sysmon, nil}}, endpoint},
		{"the other way round", []word{{0, event.Sysmon, nil}, {1.5, event.Agent, attempt}}, endpoint},
		{"one without a program", []word{{0, event.Agent, nameless}, {1.5, event.Sysmon, nil}}, endpoint},
		{"all of them", []word{{0, event.Agent, attempt}, {0.1, event.Security, nil}, {1.5, event.Sysmon, nil}, {1.6, event.Agent, counted}},
			[]summary{{event.RungNative, 7, app, 77}}},
		{"the port used again", []word{{0, event.Agent, nil}, {60, event.Sysmon, nil}}, append(endpoint, endpoint...)},
		{"one agent twice", []word{{0, event.Agent, nil}, {5, event.Agent, nil}}, append(endpoint, endpoint...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var e evidence
			for _, w := range tt.words {
				if k := e.connect(w.at, 50000, w.source); w.change != nil {
					w.change(k)
				}
			}
			r := e.join(t)
			if diff := gocmp.Diff(tt.want, summaries(r)); diff != "" {
				t.Error(diff)
			}
			checkLedger(t, &e.Batch, &r.Ledger)
		})
	}
}

// TestNothingWasEstablished: an attempt without a flow where the wire was
// watched, and a connection of which the endpoint itself counted nothing.
func TestNothingWasEstablished(t *testing.T) {
	for name, change := range map[string]func(*event.Connect){
		"attempt":         func(k *event.Connect) { k.Attempt = true },
		"nothing carried": func(k *event.Connect) { k.Volume = event.Volume{Counted: true, Duration: 5} },
	} {
		t.Run(name, func(t *testing.T) {
			var e evidence
			change(e.connect(50, 50000, event.Agent))
			e.flow(0, 40000)
			e.flow(100, 40001)
			r := e.join(t)
			if got := r.Ledger.ByOutcome()[Attempt]; got != 1 || len(r.Sessions) != 2 {
				t.Errorf("outcomes %v, %d sessions", r.Ledger.ByOutcome(), len(r.Sessions))
			}
		})
	}
}
