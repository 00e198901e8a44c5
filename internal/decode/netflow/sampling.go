package netflow

import "math"

// maxSamplers bounds the samplers of one source, and maxRate what one may say:
// one packet in a hundred million.
const (
	maxSamplers = 256
	maxRate     = 100_000_000
)

// sampling is what a source has said of how it samples packets.
type sampling struct {
	all      int64 // 1:all; 0 when unsaid
	samplers map[uint64]int64
}

// option takes what a record of options tells.
func (s *state) option(v *values) {
	if v.set[elBoot] {
		s.boot = int64(min(v.number[elBoot], math.MaxInt64/2000))
	}
	rate, ok := v.rate()
	if !ok {
		return
	}
	if !v.set[elSampler] {
		s.sampling.all = rate
		return
	}
	if s.sampling.samplers == nil {
		s.sampling.samplers = make(map[uint64]int64)
	}
	if len(s.sampling.samplers) < maxSamplers {
		s.sampling.samplers[v.number[elSampler]] = rate
	}
}

// rate returns 1:n for a record: by its own word, its sampler, or its source.
// An exporter that says nothing samples nothing.
func (s *sampling) rate(v *values) int64 {
	if n, ok := v.rate(); ok {
		return n
	}
	if n, ok := s.samplers[v.number[elSampler]]; ok && v.set[elSampler] {
		return n
	}
	return max(s.all, 1)
}

// rate returns what a record says of sampling: an interval, a number of packets
// and of those that are passed over, or a sample of a population.
func (v *values) rate() (int64, bool) {
	n := uint64(0)
	switch {
	case v.set[elInterval]:
		n = v.number[elInterval]
	case v.set[elSize] && v.set[elSpace] && v.number[elSize] > 0:
		n = min(v.number[elSpace], maxRate)/v.number[elSize] + 1
	case v.set[elSize] && v.set[elPopulation] && v.number[elSize] > 0:
		n = v.number[elPopulation] / v.number[elSize]
	default:
		return 0, false
	}
	return int64(min(max(n, 1), maxRate)), true
}
