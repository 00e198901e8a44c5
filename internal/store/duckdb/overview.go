package duckdb

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

// Leases implements [store.Store]. A duplicate of a connect counts once.
func (s *Store) Leases(ctx context.Context) ([]store.Lease, error) {
	type E = store.Lease
	rows, err := all(ctx, s.engine, []column[E]{
		label("host", func(e *E) *string { return &e.Host }),
		addr("src_addr", func(e *E) *netip.Addr { return &e.Addr }),
		moment("first", func(e *E) *event.Time { return &e.First }),
		moment("last", func(e *E) *event.Time { return &e.Last }),
		integer("connects", func(e *E) *int64 { return &e.Connects }),
	}, `SELECT host, src_addr, min(time), max(ends), sum(connects)::BIGINT
		FROM (SELECT host, src_addr, key, max(time) AS time, max(time) AS ends, 1 AS connects FROM connect
			WHERE outbound AND host <> '' AND src_addr <> ''
			GROUP BY host, src_addr, key
			UNION ALL
			SELECT host, addr, key, time, coalesce(TRY(time + coalesce(duration, 0)), time), 0 FROM lease
			WHERE host <> '' AND addr <> '')
		GROUP BY host, src_addr`)
	if err != nil {
		return nil, fmt.Errorf("reading which host used which address: %w", err)
	}
	slices.SortFunc(rows, func(a, b E) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), a.Addr.Compare(b.Addr))
	})
	return rows, nil
}

// Loads implements [store.Store].
func (s *Store) Loads(ctx context.Context) ([]store.Load, error) {
	type E = store.Load
	rows := integer("rows", func(e *E) *int64 { return &e.Rows })
	hosts, err := all(ctx, s.engine, []column[E]{
		text("host", func(e *E) *string { return &e.Host }), rows,
	}, `SELECT host, count(*) FROM (
			SELECT host FROM process_start UNION ALL SELECT host FROM process_stop UNION ALL
			SELECT host FROM connect UNION ALL SELECT host FROM notice UNION ALL
			SELECT host FROM lookup WHERE host <> '')
		GROUP BY host ORDER BY host`)
	if err != nil {
		return nil, fmt.Errorf("counting the events of hosts: %w", err)
	}
	clients, err := all(ctx, s.engine, []column[E]{
		addr("addr", func(e *E) *netip.Addr { return &e.Addr }), rows,
	}, `SELECT addr, count(*) FROM (
			SELECT src_addr AS addr FROM flow UNION ALL SELECT src_addr FROM handshake UNION ALL
			SELECT src_addr FROM request UNION ALL SELECT addr FROM lease UNION ALL SELECT client FROM lookup WHERE host = '')
		GROUP BY addr`)
	if err != nil {
		return nil, fmt.Errorf("counting the events of addresses: %w", err)
	}
	slices.SortFunc(clients, func(a, b E) int { return a.Addr.Compare(b.Addr) })
	return append(hosts, clients...), nil
}

// TLSServers implements [store.Store]. A handshake was answered unless the
// sensor says that it failed and shows nothing of the server.
func (s *Store) TLSServers(ctx context.Context) ([]netip.AddrPort, error) {
	self := func(e *netip.AddrPort) *netip.AddrPort { return e }
	rows, err := all(ctx, s.engine, []column[netip.AddrPort]{endAddr("dst_addr", self), endPort("dst_port", self)},
		`SELECT DISTINCT dst_addr, dst_port FROM handshake WHERE dst_addr <> ''
			AND (coalesce(established, TRUE) OR version <> '' OR ja3s <> '' OR subject <> '' OR issuer <> '' OR cert_id <> '')`)
	if err != nil {
		return nil, fmt.Errorf("reading which servers speak TLS: %w", err)
	}
	slices.SortFunc(rows, netip.AddrPort.Compare)
	return rows, nil
}

// CaptureHours implements [store.Store].
func (s *Store) CaptureHours(ctx context.Context) ([]event.Time, error) {
	self := func(e *event.Time) *event.Time { return e }
	hours, err := all(ctx, s.engine, []column[event.Time]{moment("hour", self)},
		"SELECT DISTINCT (time // 3600000000) * 3600000000 FROM flow ORDER BY 1")
	if err != nil {
		return nil, fmt.Errorf("reading the hours of capture: %w", err)
	}
	return hours, nil
}
