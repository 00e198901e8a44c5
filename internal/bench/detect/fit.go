package main

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// A model weighs the parts of a score.
type model struct {
	names   []string
	weights []float64 // none below 0
	bias    float64
}

// fit finds the weights under which the parts tell attacks from what is
// harmless: a logistic regression whose weights are never negative, with a
// penalty of l2/2 times their squares. It takes no chances: equal rows give
// equal weights.
func fit(rows []row, l2 float64) model {
	m := model{names: partNames(rows)}
	m.weights = make([]float64, len(m.names))
	x := make([][]float64, len(rows))
	for i := range rows {
		x[i] = m.inputs(rows[i].parts)
	}
	descend(&m, x, rows, l2)
	return m
}

// inputs returns the points of the parts in the model's order.
func (m *model) inputs(parts map[string]float64) []float64 {
	v := make([]float64, len(m.names))
	for j, name := range m.names {
		v[j] = parts[name]
	}
	return v
}

// score returns the log odds of an attack.
func (m *model) score(x []float64) float64 {
	s := m.bias
	for j, w := range m.weights {
		s += w * x[j]
	}
	return s
}

const (
	mostSteps = 3000
	settledAt = 1e-9 // relative gain of a step below which the fit is done
)

// descend goes down the gradient and back to where no weight is negative, with
// Nesterov's momentum.
func descend(m *model, x [][]float64, rows []row, l2 float64) {
	n := len(m.weights)
	p := problem{x, rows, l2}
	at, next := make([]float64, n+1), make([]float64, n+1) // the weights and the bias
	ahead := slices.Clone(at)
	step, momentum, last := 1.0, 1.0, p.loss(at, nil)
	for range mostSteps {
		step = p.step(ahead, next, step)
		now := p.loss(next, nil)
		grown := (1 + math.Sqrt(1+4*momentum*momentum)) / 2
		if now > last { // too far ahead: go on from here without momentum
			grown, momentum = 1, 1
		}
		for j := range ahead {
			ahead[j] = next[j] + (momentum-1)/grown*(next[j]-at[j])
		}
		copy(at, next)
		momentum = grown
		if math.Abs(last-now) <= settledAt*(1+math.Abs(now)) {
			break
		}
		last, step = now, 1.1*step
	}
	copy(m.weights, at[:n])
	m.bias = at[n]
}

// A problem is what a fit minimises.
type problem struct {
	x    [][]float64
	rows []row
	l2   float64
}

// step puts into next where a step from a point leads, shortened until it
// helps as much as the gradient promises, and returns its length.
func (p *problem) step(from, next []float64, length float64) float64 {
	gradient := make([]float64, len(from))
	here := p.loss(from, gradient)
	for ; ; length /= 2 {
		move, slope := 0.0, 0.0
		for j := range next {
			next[j] = from[j] - length*gradient[j]
			if j < len(next)-1 { // the bias may be negative
				next[j] = max(0, next[j])
			}
			d := next[j] - from[j]
			move += d * d
			slope += d * gradient[j]
		}
		if length < 1e-12 || p.loss(next, nil) <= here+slope+move/(2*length)+1e-12*math.Abs(here) {
			return length
		}
	}
}

// loss returns the penalised loss, and puts its gradient where that is asked
// for.
func (p *problem) loss(at, gradient []float64) float64 {
	n := len(at) - 1
	clear(gradient)
	sum := 0.0
	for i, v := range p.x {
		z := at[n]
		for j, xj := range v {
			z += at[j] * xj
		}
		y := 0.0
		if p.rows[i].deed >= 0 {
			y = 1
		}
		// ln(1+e^z) - y z, without overflow.
		sum += p.rows[i].weight * (math.Max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) - y*z)
		if gradient == nil {
			continue
		}
		g := p.rows[i].weight * (1/(1+math.Exp(-z)) - y)
		for j, xj := range v {
			gradient[j] += g * xj
		}
		gradient[n] += g
	}
	for j := range n {
		sum += p.l2 / 2 * at[j] * at[j]
		if gradient != nil {
			gradient[j] += p.l2 * at[j]
		}
	}
	return sum
}

// fittedName names the ranking by fitted weights.
const fittedName = "fitted weights"

// ranker returns the product's ranking with the model's weights on the parts.
// A cluster is weighed by the parts of the edge that the product shows.
func (m *model) ranker() ranker {
	return ranker{fittedName, func(ctx context.Context, edges []edge) ([]cluster, error) {
		clusters, err := plain.rank(ctx, edges)
		if err != nil {
			return nil, err
		}
		for i := range clusters {
			parts := make(map[string]float64)
			for _, p := range clusters[i].parts() {
				parts[p.name] += p.points
			}
			clusters[i].score = m.score(m.inputs(parts))
		}
		slices.SortStableFunc(clusters, func(a, b cluster) int { return cmp.Compare(b.score, a.score) })
		return clusters, nil
	}}
}
