package duckdb

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
	"github.com/postern/postern/internal/store/schema"
)

// Window implements [store.Store].
func (s *Store) Window(ctx context.Context, sel store.Selection) (*event.Batch, error) {
	w := window{ctx: ctx, engine: s.engine, sel: sel, clients: addrTexts(sel.Clients)}
	b := &event.Batch{}
	for _, read := range []func(*event.Batch) error{
		w.starts, w.stops, w.connects, w.lookups, w.flows, w.handshakes, w.requests, w.leases, w.notices,
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

// rowsOf returns the condition for the rows that have one of the values in a
// column. The semi-join alone would do; the bounds are cheaper to compare, and
// most vectors end at them.
func rowsOf(column string, values []string) (where string, args []any) {
	return column + " BETWEEN ? AND ? AND " + column + " IN (SELECT unnest(CAST(? AS VARCHAR[])))", // unnest is DuckDB's
		[]any{slices.Min(values), slices.Max(values), values}
}

func (w *window) starts(b *event.Batch) error {
	return read(w, store.Starts, &b.Starts, starts(), schema.StartKind(), "host", w.sel.Hosts)
}

func (w *window) stops(b *event.Batch) error {
	return read(w, store.Stops, &b.Stops, stops(), schema.StopKind(), "host", w.sel.Hosts)
}

func (w *window) connects(b *event.Batch) error {
	return read(w, store.Connects, &b.Connects, connects(), schema.ConnectKind(), "host", w.sel.Hosts)
}

func (w *window) lookups(b *event.Batch) error {
	if !w.sel.Has(store.Lookups) {
		return nil
	}
	var p schema.Pile[event.Lookup]
	k, t := schema.LookupKind(), lookups()
	if err := gather(w, &p, t, "host <> '' AND ", "host", w.sel.Hosts); err != nil {
		return err
	}
	if err := gather(w, &p, t, "host = '' AND ", "client", w.clients); err != nil {
		return err
	}
	b.Lookups = p.Events(k)
	return nil
}

func (w *window) flows(b *event.Batch) error {
	return read(w, store.Flows, &b.Flows, flows(), schema.FlowKind(), "src_addr", w.clients)
}

func (w *window) handshakes(b *event.Batch) error {
	if err := read(w, store.Handshakes, &b.Handshakes, handshakes(), schema.HandshakeKind(), "src_addr", w.clients); err != nil {
		return err
	}
	return schema.Certify(b.Handshakes, func(ids []string) ([]event.Certificate, error) {
		var p schema.Pile[event.Certificate]
		if err := gather(w, &p, certificates(), "", "id", ids); err != nil {
			return nil, err
		}
		return p.Events(schema.CertificateKind()), nil
	})
}

func (w *window) requests(b *event.Batch) error {
	return read(w, store.Requests, &b.Requests, requests(), schema.RequestKind(), "src_addr", w.clients)
}

func (w *window) leases(b *event.Batch) error {
	return read(w, store.Leases, &b.Leases, leases(), schema.LeaseKind(), "addr", w.clients)
}

func (w *window) notices(b *event.Batch) error {
	return read(w, store.Notices, &b.Notices, notices(), schema.NoticeKind(), "host", w.sel.Hosts)
}

// read reads the events of one kind into to, if they are wanted: those that have
// one of the values in the column.
func read[E any](w *window, is store.Kinds, to *[]E, t *table[E], k schema.Kind[E], column string, values []string) error {
	if !w.sel.Has(is) {
		return nil
	}
	var p schema.Pile[E]
	if err := gather(w, &p, t, "", column, values); err != nil {
		return err
	}
	*to = p.Events(k)
	return nil
}

// gather adds rows of one kind to p: those to which also applies what extra says.
func gather[E any](w *window, p *schema.Pile[E], t *table[E], extra, column string, values []string) error {
	if len(values) == 0 {
		return nil
	}
	where, args := rowsOf(column, values)
	columns := t.read()
	err := scan(w.ctx, w.engine, columns, p.Add,
		"SELECT "+list(columns)+" FROM "+t.name+" WHERE "+extra+where, args...)
	if err != nil {
		return fmt.Errorf("table %s: %w", t.name, err)
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
