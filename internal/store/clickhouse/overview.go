package clickhouse

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

// lasts adds the time that a lease lasts to its instant in SQL, unless that goes
// beyond what a number holds.
const lasts = "if(time > 0 AND ifNull(duration, 0) > toInt64(9223372036854775807) - greatest(time, toInt64(0)), time, time + ifNull(duration, 0))"

// Leases implements [store.Store]. A duplicate of a connect counts once.
func (s *Store) Leases(ctx context.Context) ([]store.Lease, error) {
	type E = store.Lease
	m := maker[E]{}
	rows, err := all(ctx, s.main, []column[E]{
		m.Label("host", func(e *E) *string { return &e.Host }),
		m.Addr("addr", func(e *E) *netip.Addr { return &e.Addr }),
		m.Time("first", func(e *E) *event.Time { return &e.First }),
		m.Time("last", func(e *E) *event.Time { return &e.Last }),
		m.Int64("connects", func(e *E) *int64 { return &e.Connects }),
	}, `SELECT host, used, min(begins), max(ends), sum(connects)
		FROM (SELECT host, src_addr AS used, max(time) AS begins, max(time) AS ends, toInt64(1) AS connects FROM connect
			WHERE outbound <> 0 AND host <> '' AND src_addr <> ''
			GROUP BY host, src_addr, key
			UNION ALL
			SELECT host, addr AS used, time AS begins, `+lasts+` AS ends, toInt64(0) AS connects FROM lease
			WHERE host <> '' AND addr <> '')
		GROUP BY host, used`)
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
	m := maker[E]{}
	rows := m.Int64("rows", func(e *E) *int64 { return &e.Rows })
	hosts, err := all(ctx, s.main, []column[E]{
		m.Text("host", func(e *E) *string { return &e.Host }), rows,
	}, `SELECT host, toInt64(count()) FROM (
			SELECT host FROM process_start UNION ALL SELECT host FROM process_stop UNION ALL
			SELECT host FROM connect UNION ALL SELECT host FROM notice UNION ALL
			SELECT host FROM lookup WHERE host <> '')
		GROUP BY host ORDER BY host`)
	if err != nil {
		return nil, fmt.Errorf("counting the events of hosts: %w", err)
	}
	clients, err := all(ctx, s.main, []column[E]{
		m.Addr("used", func(e *E) *netip.Addr { return &e.Addr }), rows,
	}, `SELECT used, toInt64(count()) FROM (
			SELECT src_addr AS used FROM flow UNION ALL SELECT src_addr AS used FROM handshake UNION ALL
			SELECT src_addr AS used FROM request UNION ALL SELECT addr AS used FROM lease UNION ALL
			SELECT client AS used FROM lookup WHERE host = '')
		GROUP BY used`)
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
	m := maker[netip.AddrPort]{}
	rows, err := all(ctx, s.main, []column[netip.AddrPort]{m.EndAddr("dst_addr", self), m.EndPort("dst_port", self)},
		`SELECT DISTINCT dst_addr, dst_port FROM handshake WHERE dst_addr <> ''
			AND (ifNull(established, 1) <> 0 OR version <> '' OR ja3s <> '' OR subject <> '' OR issuer <> '' OR cert_id <> '')`)
	if err != nil {
		return nil, fmt.Errorf("reading which servers speak TLS: %w", err)
	}
	slices.SortFunc(rows, netip.AddrPort.Compare)
	return rows, nil
}

// CaptureHours implements [store.Store].
func (s *Store) CaptureHours(ctx context.Context) ([]event.Time, error) {
	hours, err := s.numbers(ctx, "SELECT DISTINCT intDiv(time, toInt64(3600000000)) * toInt64(3600000000) AS hour FROM flow ORDER BY hour")
	if err != nil {
		return nil, fmt.Errorf("reading the hours of capture: %w", err)
	}
	times := make([]event.Time, len(hours))
	for i, h := range hours {
		times[i] = event.Time(h)
	}
	return times, nil
}
