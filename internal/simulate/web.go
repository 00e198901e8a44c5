package simulate

import (
	"github.com/postern/postern/internal/event"
)

// A web is the destinations of a scenario by name.
type web struct {
	epoch  event.Time // the certificates were issued before it
	byName map[string]*destination
}

func newWeb(from event.Time) *web {
	return &web{epoch: from, byName: make(map[string]*destination)}
}

// named returns the destination of that name.
func (w *web) named(name string) *destination {
	d := w.byName[name]
	if d == nil {
		h := hashOf("issuer " + name)
		d = newDestination(name, w.epoch, int(h%uint64(len(issuers))), 5+int(h>>8%75))
		w.byName[name] = d
	}
	return d
}

// knownSites are services that most offices use.
var knownSites = []string{
	"www.google.com", "www.youtube.com", "www.linkedin.com", "en.wikipedia.org", "www.bing.com",
	"github.com", "stackoverflow.com", "www.dropbox.com", "docs.google.com", "www.office.com",
	"learn.microsoft.com", "www.figma.com", "www.notion.so", "slack.com", "www.amazon.com",
	"fonts.gstatic.com", "www.googletagmanager.com", "cdn.jsdelivr.net", "www.deepl.com", "maps.google.com",
}

// places and trades name the made-up web sites.
var (
	places = []string{"harbor", "northlake", "bluefield", "mapleton", "riverside", "stonegate", "westbrook", "lindenhof", "kestrel", "old-mill"}
	trades = []string{"post", "supply", "travel", "recipes", "insurance", "print", "sports", "bank", "radio", "logistics"}
)

// sites returns the web sites that people visit, the popular ones first.
func (w *web) sites() []*destination {
	var all []*destination
	for _, name := range knownSites {
		d := w.named(name)
		d.quic = hashOf(name)%3 == 0 || name == "www.google.com" || name == "www.youtube.com"
		all = append(all, d)
	}
	for i, place := range places {
		for j := range trades {
			trade := trades[(i+j)%len(trades)]
			prefix := [...]string{"www.", "", "portal.", "shop.", "www."}[hashOf(place+trade)%5]
			all = append(all, w.named(prefix+place+"-"+trade+".example"))
		}
	}
	return all
}

// thirdParties are what web pages bring along.
func (w *web) thirdParties() []*destination {
	var all []*destination
	for _, name := range []string{
		"fonts.gstatic.com", "www.googletagmanager.com", "cdn.jsdelivr.net", "static.pagecdn.example",
		"collect.adstats.example", "img.pagecdn.example", "consent.cookiedesk.example", "video.streamhub.example",
	} {
		all = append(all, w.named(name))
	}
	return all
}
