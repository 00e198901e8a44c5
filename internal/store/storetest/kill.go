package storetest

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/postern/postern/internal/event"
	"github.com/postern/postern/internal/store"
)

// killVariable names, in a process that is to be killed, the store it writes.
const killVariable = "POSTERN_TEST_KILL"

// ToBeKilled returns the name of the store that this process is to write, "" in
// all but those that Kill starts.
func ToBeKilled() string { return os.Getenv(killVariable) }

// Kill kills a process that appends to a store, again and again at a moment of
// no meaning, and checks after each time that what the process had been told to
// be durable is there, once, and that no input is remembered whose events are
// not. The process is the test's binary, running the test alone; its call of Kill
// is the one that appends.
func Kill(t *testing.T, name string, rounds int, open func(t *testing.T, name string) store.Store) {
	if ToBeKilled() != "" {
		write(t, open(t, name))
		return
	}
	r := rand.New(rand.NewPCG(1, 2))
	next := 0
	for round := range rounds {
		next = killOnce(t, name, next, r.IntN(3), time.Duration(r.IntN(30))*time.Millisecond)
		s := open(t, name)
		// The batch after the last acknowledged one may be there or not, in part.
		checkBatches(t, s, next)
		closeStore(t, s)
		if t.Failed() {
			t.Fatalf("after round %d", round)
		}
	}
	t.Logf("%d batches were written in %d rounds", next, rounds)
}

// killOnce starts a process that appends from batch first on, kills it some time
// after it has said that so many are durable, and returns the number of batches
// that are.
func killOnce(t *testing.T, name string, first, batches int, after time.Duration) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), killVariable+"="+name, "POSTERN_TEST_FIRST="+strconv.Itoa(first))
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	defer func() { _ = cmd.Wait() }() // it was killed
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "ready" {
	}
	durable := first
	for {
		if durable-first == batches {
			time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
		if !lines.Scan() {
			break
		}
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Errorf("the process says %q", lines.Text())
		}
		durable = n + 1
	}
	if err := lines.Err(); err != nil {
		t.Error(err)
	}
	return durable
}

// write appends batches for ever and says which are durable.
func write(t *testing.T, s store.Store) {
	first, err := strconv.Atoi(os.Getenv("POSTERN_TEST_FIRST"))
	must(t, err)
	fmt.Println("\nready")
	for i := first; ; i++ {
		must(t, s.Append(t.Context(), numbered(i)))
		must(t, s.PutInput(t.Context(), store.Input{Fingerprint: strconv.Itoa(i), Events: int64(numbered(i).Len())}))
		must(t, s.Flush(t.Context()))
		fmt.Println(i)
	}
}

// numbered returns batch i. Its last events come again in the next batch.
func numbered(i int) *event.Batch {
	b := &event.Batch{}
	at := 20_000*day + event.Time(i)*1_000_000
	for n := range 120 {
		record := uint64(i*100 + n + 1)
		b.Connects = append(b.Connects, event.Connect{
			Host: "h", Record: record, Time: at + event.Time(n), Src: addrPort("10.0.0.1:1"), Dst: addrPort("1.1.1.1:443"), Outbound: true,
		})
		b.Flows = append(b.Flows, event.Flow{UID: fmt.Sprint("C", record), Time: at + event.Time(n), Src: addrPort("10.0.0.1:1")})
	}
	return b
}

// checkBatches checks that the first n batches are there, each event once, and
// of the next one, which was under way, all or some only if its input is unknown.
func checkBatches(t *testing.T, s store.Store, n int) {
	t.Helper()
	b := window(t, s, store.Selection{Hosts: []string{"h"}, Clients: clients("10.0.0.1")})
	records, uids := make(map[uint64]int), make(map[string]int)
	for _, c := range b.Connects {
		records[c.Record]++
	}
	for _, f := range b.Flows {
		uids[f.UID]++
	}
	for i := range n + 1 {
		_, known, err := s.Input(t.Context(), strconv.Itoa(i))
		must(t, err)
		if i < n && !known {
			t.Errorf("input %d was acknowledged, and is forgotten", i)
		}
		if !known {
			continue
		}
		for _, c := range numbered(i).Connects {
			if records[c.Record] != 1 {
				t.Fatalf("connect %d of batch %d is there %d times; %d batches are durable", c.Record, i, records[c.Record], n)
			}
		}
		for _, f := range numbered(i).Flows {
			if uids[f.UID] != 1 {
				t.Fatalf("flow %s of batch %d is there %d times; %d batches are durable", f.UID, i, uids[f.UID], n)
			}
		}
	}
}
