package duckdb

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

// Window implements [store.Store].
func (s *Store) Window(ctx context.Context, sel store.Selection) (*event.Batch, error) {
	w := window{ctx: ctx, engine: s.engine, sel: sel, clients: addrTexts(sel.Clients)}
	b := &event.Batch{}
	for _, read := range []func(*event.Batch) error{
		w.starts, w.stops, w.connects, w.lookups, w.flows, w.handshakes, w.requests, w.notices,
	} {
		if err := read(b); err != nil {
			return nil, fmt.Errorf("reading a window of %d hosts and %d clients: %w", len(sel.Hosts), len(sel.Clients), err)
		}
	}
	return b, nil
}

// A window reads one selection.
type window struct {
	ctx     context.Context
	engine  *engine
	sel     store.Selection
	clients []string
}

// Which rows a window reads. Each parameter is a list of text; unnest is
// DuckDB's.
const (
	ofHosts   = "host IN (SELECT unnest(CAST(? AS VARCHAR[])))"
	ofClients = "src_addr IN (SELECT unnest(CAST(? AS VARCHAR[])))"
	ofEither  = "CASE WHEN host <> '' THEN " + ofHosts + " ELSE client IN (SELECT unnest(CAST(? AS VARCHAR[]))) END"
)

func (w *window) starts(b *event.Batch) error {
	return read(w, store.Starts, &b.Starts, startKind(), ofHosts, w.sel.Hosts)
}

func (w *window) stops(b *event.Batch) error {
	return read(w, store.Stops, &b.Stops, stopKind(), ofHosts, w.sel.Hosts)
}

func (w *window) connects(b *event.Batch) error {
	return read(w, store.Connects, &b.Connects, connectKind(), ofHosts, w.sel.Hosts)
}

func (w *window) lookups(b *event.Batch) error {
	return read(w, store.Lookups, &b.Lookups, lookupKind(), ofEither, w.sel.Hosts, w.clients)
}

func (w *window) flows(b *event.Batch) error {
	return read(w, store.Flows, &b.Flows, flowKind(), ofClients, w.clients)
}

func (w *window) handshakes(b *event.Batch) error {
	if err := read(w, store.Handshakes, &b.Handshakes, handshakeKind(), ofClients, w.clients); err != nil {
		return err
	}
	return w.certify(b.Handshakes)
}

func (w *window) requests(b *event.Batch) error {
	return read(w, store.Requests, &b.Requests, requestKind(), ofClients, w.clients)
}

func (w *window) notices(b *event.Batch) error {
	return read(w, store.Notices, &b.Notices, noticeKind(), ofHosts, w.sel.Hosts)
}

// read reads the events of one kind into to, if they are wanted.
func read[E any](w *window, is store.Kinds, to *[]E, k kind[E], where string, of ...[]string) error {
	if !w.sel.Has(is) || len(slices.Concat(of...)) == 0 {
		return nil
	}
	args := make([]any, len(of))
	for i := range of {
		args[i] = of[i]
	}
	var p pile[E]
	columns := k.table.read()
	err := scan(w.ctx, w.engine, columns, p.add,
		"SELECT "+list(columns)+" FROM "+k.table.name+" WHERE "+where, args...)
	if err != nil {
		return fmt.Errorf("table %s: %w", k.table.name, err)
	}
	*to = p.events(k)
	return nil
}

// certify gives handshakes without subject and issuer those of their
// certificates. Of several reports of a certificate the kind's best one counts.
func (w *window) certify(hs []event.Handshake) error {
	wanted := make(map[string][]int)
	for i := range hs {
		if h := &hs[i]; h.CertID != "" && h.Subject == "" && h.Issuer == "" {
			wanted[h.CertID] = append(wanted[h.CertID], i)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	ids := make([]string, 0, len(wanted))
	for id := range wanted {
		ids = append(ids, id)
	}
	var p pile[event.Certificate]
	k := certificateKind()
	columns := k.table.read()
	err := scan(w.ctx, w.engine, columns, p.add,
		"SELECT "+list(columns)+" FROM certificate WHERE id IN (SELECT unnest(CAST(? AS VARCHAR[])))", ids)
	if err != nil {
		return fmt.Errorf("table certificate: %w", err)
	}
	for _, c := range p.events(k) {
		for _, i := range wanted[c.ID] {
			hs[i].Subject, hs[i].Issuer = c.Subject, c.Issuer
		}
	}
	return nil
}

// addrTexts returns addresses as the tables have them.
func addrTexts(addrs []netip.Addr) []string {
	texts := make([]string, len(addrs))
	for i, a := range addrs {
		if a.IsValid() {
			texts[i] = a.String()
		}
	}
	return texts
}
