package report

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/postern/postern/internal/finding"
)

// header names the columns of CSV.
var header = []string{
	"rank", "id", "score", "program", "image", "class", "hosts", "users",
	"destination", "registered_domain", "service", "service_class", "addresses", "ports",
	"bytes_out", "sessions", "sessions_with_unknown_bytes", "period_seconds",
	"first_seen", "last_seen", "rungs", "why", "tier", "q_value",
}

// CSV writes one row for each finding. Lists are joined by spaces, times are
// RFC 3339 in UTC, unknown numbers are empty.
func CSV(w io.Writer, d *finding.Document) error {
	out := csv.NewWriter(w)
	rows := [][]string{header}
	for i := range d.Findings {
		rows = append(rows, row(&d.Findings[i]))
	}
	for _, r := range rows {
		for i := range r {
			if header[i] != "score" { // the only number of ours that may begin like a formula
				r[i] = Cell(r[i])
			}
		}
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

func row(f *finding.Finding) []string {
	return []string{
		strconv.Itoa(f.Rank), f.ID, fmt.Sprintf("%.2f", f.Score),
		f.Program.Name, f.Program.Image, f.Program.Class, strings.Join(f.Hosts, " "), users(f),
		f.Destination.Name, domains(f), f.Destination.Service, f.Destination.ServiceClass,
		strings.Join(f.Destination.Addresses, " "), ports(f.Destination.Ports),
		integer(f.BytesOut), strconv.FormatInt(f.Sessions, 10), strconv.FormatInt(f.SessionsUnknownBytes, 10),
		decimal(f.PeriodSeconds),
		f.FirstSeen.Format(time.RFC3339), f.LastSeen.Format(time.RFC3339), counts(f.Rungs, " "), why(f),
		string(f.Tier), decimal(f.QValue),
	}
}

// domains is the registered domain, or all that are listed.
func domains(f *finding.Finding) string {
	return cmp.Or(strings.Join(f.Destination.Members, " "), f.Destination.RegisteredDomain)
}

func users(f *finding.Finding) string {
	var all []string
	seen := make(map[string]bool)
	for _, p := range f.Processes {
		if p.User != "" && !seen[p.User] {
			seen[p.User] = true
			all = append(all, p.User)
		}
	}
	return strings.Join(all, " ")
}

func ports(list []uint16) string {
	var s []string
	for _, p := range list {
		s = append(s, strconv.Itoa(int(p)))
	}
	return strings.Join(s, " ")
}

func integer(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

func decimal(x *float64) string {
	if x == nil {
		return ""
	}
	return strconv.FormatFloat(*x, 'f', -1, 64)
}

// why is the finding's parts in one line, the largest first.
func why(f *finding.Finding) string {
	var s []string
	for _, p := range f.Parts {
		s = append(s, fmt.Sprintf("%s (%+.2f)", p.Text, p.Points))
	}
	return strings.Join(s, "; ")
}
