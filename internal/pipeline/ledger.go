package pipeline

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/postern/postern/internal/finding"
	"github.com/postern/postern/internal/owner"
)

// Ledger reads the inputs, joins them, and returns the account of every flow
// and connect instead of findings.
func (h Hunt) Ledger(ctx context.Context) (*finding.Ledger, error) {
	r, err := h.newRun(ctx)
	if err != nil {
		return nil, err
	}
	l, err := r.ledger(ctx)
	return l, errors.Join(err, r.store.Close())
}

func (r *run) ledger(ctx context.Context) (*finding.Ledger, error) {
	inputs, j, err := r.readAndJoin(ctx)
	if err != nil {
		return nil, err
	}
	l := &finding.Ledger{
		Format: finding.LedgerFormat, Total: account(&j.Account),
		Lookups: j.Lookups, Contradictory: j.Contradictory, HandshakesAlone: j.HandshakesAlone, RequestsAlone: j.RequestsAlone,
		Requests: j.Requests, RequestsPlain: j.RequestsPlain, RequestsWithin: j.RequestsWithin,
		CommunityIDs: communityIDs(j.IDs),
		Translators:  append([]finding.Translator{}, j.translators...),
		Hosts:        byName(j.Hosts), Sensors: byName(j.Sensors),
		Hours: []finding.HourlyAccount{}, Inputs: inputs,
	}
	for _, t := range slices.Sorted(maps.Keys(j.Hours)) {
		l.Hours = append(l.Hours, finding.HourlyAccount{Hour: t.Std(), Account: account(j.Hours[t])})
	}
	return l, nil
}

func communityIDs(m map[string]*owner.IDs) []finding.CommunityIDs {
	list := []finding.CommunityIDs{}
	for _, sensor := range slices.Sorted(maps.Keys(m)) {
		ids := finding.CommunityIDs{Sensor: sensor, Compared: m[sensor].Seen}
		if seed, ok := m[sensor].Seed(); ok {
			ids.Seed = &seed
		}
		list = append(list, ids)
	}
	return list
}

// byName returns accounts in the order of their names.
func byName(m map[string]*owner.Account) []finding.NamedAccount {
	list := []finding.NamedAccount{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		list = append(list, finding.NamedAccount{Name: name, Account: account(m[name])})
	}
	return list
}
