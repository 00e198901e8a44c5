package evtx_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/evtx"
)

// sysmonPaths are the fields that a decoder of Sysmon events asks for.
var sysmonPaths = []string{
	"System/EventID", "System/Channel", "System/Computer", "System/EventRecordID", "System/TimeCreated@SystemTime",
	"EventData/ProcessGuid", "EventData/ProcessId", "EventData/Image", "EventData/CommandLine", "EventData/User",
	"EventData/Hashes", "EventData/ParentProcessGuid", "EventData/ParentProcessId", "EventData/ParentImage",
	"EventData/Protocol", "EventData/Initiated", "EventData/SourceIp", "EventData/SourcePort",
	"EventData/DestinationIp", "EventData/DestinationPort", "EventData/QueryName", "EventData/QueryResults",
}

// readSlots reads the wanted fields of all records in b and returns how many
// records there are and how many bytes they take up.
func readSlots(tb testing.TB, b []byte) (records int, used int64) {
	r := evtx.NewReader(bytes.NewReader(b), new(decode.Tally), sysmonPaths...)
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return records, r.Used()
		}
		if err != nil {
			tb.Fatal(err)
		}
		records++
		for i := range sysmonPaths {
			rec.Text(i)
		}
	}
}

const largest = "Sysmon_UACME_64.evtx"

func BenchmarkSlots(b *testing.B) {
	log := readFixture(b, largest)
	records, used := 0, int64(0)
	for b.Loop() {
		n, u := readSlots(b, log)
		records += n
		used += u
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(used)/1e6/b.Elapsed().Seconds(), "MB/s")
}

func BenchmarkFields(b *testing.B) {
	log := readFixture(b, largest)
	records := 0
	for b.Loop() {
		all, _ := readAll(b, log)
		records += len(all)
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkAgainstLibevtx says how many times faster this package is than
// libevtx's evtxexport, which prints all fields, on one file in one run.
func BenchmarkAgainstLibevtx(b *testing.B) {
	log := readFixture(b, largest)
	start := time.Now()
	evtxexport(b, log)
	theirs := time.Since(start)
	rounds := 0
	for b.Loop() {
		readSlots(b, log)
		rounds++
	}
	ours := b.Elapsed() / time.Duration(rounds)
	b.ReportMetric(float64(theirs)/float64(ours), "times-libevtx")
}
