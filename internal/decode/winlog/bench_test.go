package winlog_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/winlog"
	"github.com/postern/postern/internal/event"
)

// BenchmarkDecode decodes logs of events of which all are wanted, and of which
// nine in ten are not, as is usual.
func BenchmarkDecode(b *testing.B) {
	for _, f := range winlog.Formats() {
		b.Run(f.Name+"/wanted", func(b *testing.B) { benchmark(b, f, writers[f.Name](mixed(1))) })
		b.Run(f.Name+"/usual", func(b *testing.B) { benchmark(b, f, writers[f.Name](mixed(10))) })
	}
}

// mixed returns events of which one in n is wanted.
func mixed(n int) []logged {
	wanted := []logged{journal[2], journal[4], journal[6], journal[8], journal[9], journal[12]}
	other := logged{channel: sysmonLog, id: 10, data: [][2]string{
		{"RuleName", "-"}, {"UtcTime", "2024-03-01 12:00:02.100"}, {"SourceProcessGUID", "{B34BC01C-CA61-5F67-EC12-000000000400}"},
		{"SourceProcessId", "880"}, {"SourceThreadId", "9528"}, {"SourceImage", `C:\windows\system32\svchost.exe`},
		{"TargetProcessGUID", "{B34BC01C-CA61-5F67-EC12-000000000401}"}, {"TargetProcessId", "704"}, {"TargetImage", `C:\windows\System32\svchost.exe`},
		{"GrantedAccess", "0x1000"}, {"CallTrace", `C:\windows\SYSTEM32\ntdll.dll+9c534|C:\windows\SYSTEM32\psmserviceexthost.dll+222a3|C:\windows\SYSTEM32\ntdll.dll+6ce51`}}}
	list := make([]logged, 6000)
	for i := range list {
		list[i] = other
		if i%n == 0 {
			list[i] = wanted[i/n%len(wanted)]
		}
		list[i].record = i
		list[i].time = start.Add(time.Duration(i) * time.Millisecond)
	}
	return list
}

func benchmark(b *testing.B, f *decode.Format, in []byte) {
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	var records int64
	batch := new(event.Batch)
	for b.Loop() {
		tally := new(decode.Tally)
		d := f.Open(bytes.NewReader(in), tally)
		for err := error(nil); err == nil; {
			batch.Reset()
			if err = d.Decode(batch); err != nil && err != io.EOF {
				b.Fatal(err)
			}
		}
		if tally.SkippedTotal() > 0 {
			b.Fatal(tally.Positions)
		}
		records += tally.Records
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}
