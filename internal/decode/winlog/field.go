package winlog

import (
	"github.com/postern/postern/internal/event"
)

// A field is one that some event here needs.
type field int

// The fields. Those of the System part come first, then those of EventData, of
// Sysmon and of the Security log.
const (
	fieldEventID field = iota
	fieldChannel
	fieldProvider
	fieldComputer
	fieldRecord
	fieldTime

	fieldUTCTime
	fieldProcessGUID
	fieldProcessID
	fieldImage
	fieldCommandLine
	fieldUser
	fieldOriginalName
	fieldProduct
	fieldCompany
	fieldHashes
	fieldParentGUID
	fieldParentID
	fieldParentImage
	fieldParentCommandLine
	fieldProtocol
	fieldInitiated
	fieldSourceIP
	fieldSourcePort
	fieldDestinationIP
	fieldDestinationPort
	fieldDestinationName
	fieldQueryName
	fieldQueryResults
	fieldState
	fieldConfiguration
	fieldConfigurationHash

	fieldCleared     // the channel in the UserData of System 104
	fieldCommunityID // no field of Sysmon's: a collector adds it

	fieldNewProcessID
	fieldNewProcessName
	fieldParentProcessName
	fieldProcessName
	fieldSubjectUser
	fieldSubjectDomain
	fieldTargetUser
	fieldTargetDomain
	fieldApplicationID // ProcessID, as 5156 spells it
	fieldApplication
	fieldDirection
	fieldSourceAddress
	fieldDestAddress
	fieldDestPort

	fieldCount
)

// dataNames are the names of the EventData fields.
var dataNames = [fieldCount]string{
	fieldUTCTime:           "UtcTime",
	fieldProcessGUID:       "ProcessGuid",
	fieldProcessID:         "ProcessId",
	fieldImage:             "Image",
	fieldCommandLine:       "CommandLine",
	fieldUser:              "User",
	fieldOriginalName:      "OriginalFileName",
	fieldProduct:           "Product",
	fieldCompany:           "Company",
	fieldHashes:            "Hashes",
	fieldParentGUID:        "ParentProcessGuid",
	fieldParentID:          "ParentProcessId",
	fieldParentImage:       "ParentImage",
	fieldParentCommandLine: "ParentCommandLine",
	fieldProtocol:          "Protocol",
	fieldInitiated:         "Initiated",
	fieldSourceIP:          "SourceIp",
	fieldSourcePort:        "SourcePort",
	fieldDestinationIP:     "DestinationIp",
	fieldDestinationPort:   "DestinationPort",
	fieldDestinationName:   "DestinationHostname",
	fieldQueryName:         "QueryName",
	fieldQueryResults:      "QueryResults",
	fieldState:             "State",
	fieldConfiguration:     "Configuration",
	fieldConfigurationHash: "ConfigurationFileHash",
	fieldNewProcessID:      "NewProcessId",
	fieldNewProcessName:    "NewProcessName",
	fieldParentProcessName: "ParentProcessName",
	fieldProcessName:       "ProcessName",
	fieldSubjectUser:       "SubjectUserName",
	fieldSubjectDomain:     "SubjectDomainName",
	fieldTargetUser:        "TargetUserName",
	fieldTargetDomain:      "TargetDomainName",
	fieldApplicationID:     "ProcessID",
	fieldApplication:       "Application",
	fieldDirection:         "Direction",
	fieldSourceAddress:     "SourceAddress",
	fieldDestAddress:       "DestAddress",
	fieldDestPort:          "DestPort",
}

// dataFields finds the field of an EventData name.
var dataFields = index(dataNames)

func index(names [fieldCount]string) map[string]field {
	m := make(map[string]field, fieldCount)
	for f, name := range names {
		if name != "" {
			m[name] = field(f)
		}
	}
	return m
}

// A record is one event as its format gives it.
type record interface {
	// text returns a field, or nil when the record has none. It is valid
	// until the next record.
	text(field) []byte

	// time returns when the event happened, as well as the format tells, and
	// the name of the clock that says so; or [event.Never].
	time() (event.Time, string)

	// where returns the place of the record in the input.
	where() string
}

// fields holds those of a record whose format finds all of them at once.
type fields [fieldCount][]byte

func (f *fields) text(name field) []byte { return f[name] }
