package crowdstrike

// A process is what an event of it lacks.
type process struct {
	pid   uint32
	image string
	user  string
}

// A name is the sensor's own of a process.
type name struct{ aid, guid string }

// maxProcesses bounds how many processes are remembered twice over.
const maxProcesses = 1 << 17

// processes remembers the newest processes, in two halves, of which the older
// is forgotten when the newer is full.
type processes struct{ newer, older map[name]process }

func (p *processes) add(aid, guid string, known process) {
	if p.newer == nil || len(p.newer) >= maxProcesses {
		p.newer, p.older = make(map[name]process), p.newer
	}
	p.newer[name{aid, guid}] = known
}

// of returns what is known of a process, and keeps it among the newer.
func (p *processes) of(aid, guid string) process {
	if known, ok := p.newer[name{aid, guid}]; ok {
		return known
	}
	known, ok := p.older[name{aid, guid}]
	if ok {
		p.add(aid, guid, known)
	}
	return known
}
