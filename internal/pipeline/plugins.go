package pipeline

import (
	"slices"

	"github.com/postern/postern/internal/config"
	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/cef"
	"github.com/postern/postern/internal/decode/columns"
	"github.com/postern/postern/internal/decode/crowdstrike"
	"github.com/postern/postern/internal/decode/defender"
	"github.com/postern/postern/internal/decode/elastic"
	"github.com/postern/postern/internal/decode/fortinet"
	"github.com/postern/postern/internal/decode/netflow"
	"github.com/postern/postern/internal/decode/nvm"
	"github.com/postern/postern/internal/decode/ocsf"
	"github.com/postern/postern/internal/decode/osquery"
	"github.com/postern/postern/internal/decode/paloalto"
	"github.com/postern/postern/internal/decode/pcap"
	"github.com/postern/postern/internal/decode/squid"
	"github.com/postern/postern/internal/decode/suricata"
	"github.com/postern/postern/internal/decode/w3c"
	"github.com/postern/postern/internal/decode/winlog"
	"github.com/postern/postern/internal/decode/zeek"
	"github.com/postern/postern/internal/decode/zscaler"
)

// FormatsOf returns the formats that Postern reads, and those that a
// configuration describes.
func FormatsOf(c *config.Config) []*decode.Format {
	return append(Formats(), columns.Formats(c.Formats)...)
}

// Formats returns the formats that Postern reads, in the order of the manual.
func Formats() []*decode.Format {
	return slices.Concat(winlog.Formats(), zeek.Formats(), suricata.Formats(), netflow.Formats(), pcap.Formats(), squid.Formats(), w3c.Formats(), cef.Formats(), zscaler.Formats(), paloalto.Formats(), fortinet.Formats(), elastic.Formats(), nvm.Formats(), defender.Formats(), crowdstrike.Formats(), osquery.Formats(), ocsf.Formats())
}
