package inventory

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/postern/postern/internal/event"
)

// preamble tells a person what to do with a draft.
const preamble = `# An inventory of the estate, to be corrected by a person and then given to
# postern with --inventory. docs/inventory.md says what each key means.
#
# A role behind which stands why was guessed from telemetry. The times of an
# address are those of the first and the last connect from it, on the host's own
# clock: delete them where the address is fixed.
`

// WriteYAML writes inv so that [Load] reads the same again, but for notes and
// for what is inferred: that becomes a comment, because what a person keeps in
// the file is their word.
func (inv *Inventory) WriteYAML(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, preamble)
	for i, note := range inv.Notes {
		if i == 0 {
			fmt.Fprintln(b, "#")
		}
		fmt.Fprintf(b, "# %s\n", oneLine(note))
	}
	writeNetworks(b, "internal", inv.Internal)
	writeNetworks(b, "external", inv.External)
	if len(inv.Sensors) > 0 {
		fmt.Fprint(b, "\nsensors:\n")
	}
	for _, s := range inv.Sensors {
		fmt.Fprintf(b, "  - name: %s%s\n", quote(s.Name), comment(s.Why))
		writeField(b, "site", s.Site)
	}
	if len(inv.Hosts) > 0 {
		fmt.Fprint(b, "\nhosts:\n")
	}
	for i := range inv.Hosts {
		writeHost(b, &inv.Hosts[i])
	}
	return b.Flush()
}

func writeNetworks[P fmt.Stringer](w io.Writer, key string, list []P) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s:\n", key)
	for _, p := range list {
		fmt.Fprintf(w, "  - %s\n", strconv.Quote(p.String()))
	}
}

func writeHost(w io.Writer, h *Host) {
	fmt.Fprintf(w, "  - name: %s\n", quote(h.Name))
	if len(h.Aliases) > 0 {
		quoted := make([]string, len(h.Aliases))
		for i, a := range h.Aliases {
			quoted[i] = quote(a)
		}
		fmt.Fprintf(w, "    aliases: [%s]\n", strings.Join(quoted, ", "))
	}
	switch {
	case h.Role != "":
		fmt.Fprintf(w, "    role: %s%s\n", quote(string(h.Role)), comment(h.Why))
	case h.Why != "":
		fmt.Fprintf(w, "    # role: unknown: %s\n", oneLine(h.Why))
	}
	writeField(w, "population", h.Population)
	writeField(w, "application", h.Application)
	if h.Value != Normal {
		writeField(w, "value", string(h.Value))
	}
	writeField(w, "site", h.Site)
	if len(h.Addresses) > 0 {
		fmt.Fprintln(w, "    addresses:")
	}
	for _, a := range h.Addresses {
		fmt.Fprintf(w, "      - %s\n", writeHolding(a))
	}
}

func writeField(w io.Writer, key, value string) {
	if value != "" {
		fmt.Fprintf(w, "    %s: %s\n", key, quote(value))
	}
}

func writeHolding(h Holding) string {
	address, _ := Network{h.Prefix}.MarshalText() // a valid prefix has a text
	s := "address: " + strconv.Quote(string(address))
	if h.From != event.Never {
		s += ", from: " + writeTime(h.From)
	}
	if h.To != event.Never {
		s += ", to: " + writeTime(h.To)
	}
	return "{" + s + "}"
}

func writeTime(t event.Time) string { return strconv.Quote(t.Std().Format(time.RFC3339Nano)) }

// plain matches words that no reader of YAML takes for anything but text.
var plain = regexp.MustCompile(`^[a-z]+[0-9]+$|^[a-z]+[0-9]*([.-][a-z0-9]+)+$|^(workstation|server|kiosk|vdi|critical|high|low)$`)

// quote writes text as a scalar.
func quote(s string) string {
	if plain.MatchString(s) {
		return s
	}
	return strconv.Quote(s)
}

// comment returns what stands behind a value.
func comment(why string) string {
	if why == "" {
		return ""
	}
	return " # " + oneLine(why)
}

// oneLine keeps hostile text in the comment that it stands in.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
