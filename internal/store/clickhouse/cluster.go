package clickhouse

import (
	"context"
	"fmt"
)

// A member is a server of a cluster.
type member struct {
	shard, replica int64
	host           string
	port           uint16
	address        address
}

// members returns the servers of the cluster that a names, by shard and replica,
// or that of a alone. The cluster is as the server s has it configured; all use
// the user and the password of a.
func (s *server) members(ctx context.Context, a address) ([]member, error) {
	if a.cluster == "" {
		return []member{{shard: 1, replica: 1, address: a}}, nil
	}
	type E = member
	m := maker[E]{}
	all, err := all(ctx, s, []column[E]{
		m.Int64("shard_num", func(e *E) *int64 { return &e.shard }),
		m.Int64("replica_num", func(e *E) *int64 { return &e.replica }),
		m.Text("host_name", func(e *E) *string { return &e.host }),
		m.Uint16("port", func(e *E) *uint16 { return &e.port }),
	}, "SELECT toInt64(shard_num), toInt64(replica_num), host_name, port FROM system.clusters"+
		" WHERE cluster = '"+a.cluster+"' ORDER BY shard_num, replica_num")
	if err != nil {
		return nil, fmt.Errorf("reading the cluster: %w", err)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("server %s knows no cluster %s", s.address, a.cluster)
	}
	for i := range all {
		all[i].address = a.at(all[i].host, all[i].port)
	}
	return all, nil
}

// siteOf returns where tables of a lie.
func siteOf(a address, members []member) site {
	on := site{database: a.database, cluster: a.cluster, replicas: 1}
	for _, m := range members {
		on.replicas = max(on.replicas, int(m.replica))
	}
	return on
}

// settings returns what a cluster needs to keep its word: what was written is on
// its shard, and on every replica of it, before the server says so.
func (s site) settings() map[string]int {
	set := map[string]int{"insert_distributed_sync": 1}
	if s.replicas > 1 {
		set["insert_quorum"] = s.replicas
		set["replication_alter_partitions_sync"] = 2
	}
	return set
}
