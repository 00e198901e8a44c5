package pipeline

import ("testing";"os";"time";"runtime/pprof")

type stageClock struct{ Silent; t time.Time; name string; tb testing.TB }
func (s *stageClock) Stage(n string) { if s.name!="" { s.tb.Logf("%s %v", s.name, time.Since(s.t)); if s.name=="joining" {f,_:=os.Create("/tmp/heap.prof"); pprof.WriteHeapProfile(f); f.Close()} }; s.name=n; s.t=time.Now() }
func TestZProf(t *testing.T) {
	if os.Getenv("ZPROF")=="" { t.Skip() }
	c := &stageClock{tb:t}
	doc := hunt(t, Hunt{Inputs: []string{os.Getenv("ZPROF")}, Networks: networks(t), Top: 5, Progress: c})
	c.Stage("")
	t.Log(doc.Summary.Records)
}
