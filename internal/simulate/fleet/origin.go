package fleet

// An Origin is what made a contact, as the truth has it.
type Origin string

// The origins.
const (
	Browsing      Origin = "browser"
	FreshSite     Origin = "browser-fresh-site" // to a domain that nobody visited before
	PollingTab    Origin = "browser-polling"
	Upload        Origin = "browser-upload" // a bulk upload, once
	System        Origin = "system"
	Agent         Origin = "agent"
	Collaboration Origin = "collaboration"
	Updater       Origin = "updater"
	Sync          Origin = "sync"
	Backup        Origin = "backup"
	Own           Origin = "own" // the company's programs
	DevTool       Origin = "developer"
	App           Origin = "app"     // of the catalogue's head and middle
	Niche         Origin = "niche"   // on one to three hosts from the begin
	Licence       Origin = "licence" // a niche product's licence updater, new and regular
	NewTool       Origin = "new-tool"
	RollOut       Origin = "roll-out" // on a quarter of the hosts in a day
	LOLBin        Origin = "lolbin"
	LOLBinFresh   Origin = "lolbin-fresh"     // to a domain that nobody visited before
	LOLBinTask    Origin = "lolbin-scheduled" // again and again
	Attack        Origin = "attack"
)

// Origins returns all origins.
func Origins() []Origin {
	return []Origin{
		Browsing, FreshSite, PollingTab, Upload, System, Agent, Collaboration, Updater, Sync, Backup, Own, DevTool,
		App, Niche, Licence, NewTool, RollOut, LOLBin, LOLBinFresh, LOLBinTask, Attack,
	}
}
