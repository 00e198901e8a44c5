package fleet

// NewTools returns how many tools the plan brings to the hosts.
func (f *Fleet) NewTools() int {
	n := 0
	for p := range f.arrives {
		if p.Origin == NewTool {
			n++
		}
	}
	return n
}
