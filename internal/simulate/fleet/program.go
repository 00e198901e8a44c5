package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/postern/postern/internal/program"
)

// A Program is an identity that hosts share.
type Program struct {
	Image   string // with USER for the name of whoever works at the host
	Key     string // as sessions name it
	Product string // of the version resource; "" when it has none, as Company and Original
	Company string

	// Original is the file name in the version resource.
	Original string

	// Signed is told by the truth only: no sensor of ours sees signatures.
	Signed bool

	TLS    string // the name of its TLS library
	JA4    string
	Origin Origin

	links []link
	share map[Role]float64
}

// A link is one way in which a program uses the network.
type link struct {
	how      how
	every    time.Duration
	jitter   float64
	up, down float64 // median bytes
	sigma    float64 // of the logarithm of the bytes
	sites    []*Destination
}

// how is a manner of using the network, as programs.tsv describes it.
type how string

const (
	stay  how = "stay"
	use   how = "use"
	push  how = "push"
	night how = "night"
	poll  how = "poll"
	watch how = "watch"
	task  how = "task"
	runs  how = "run"
)

// manners are all of them, with the spread of the logarithm of their bytes.
var manners = map[how]float64{
	stay: 0.8, use: 1.1, push: 1.9, night: 0.35, poll: 0.35, watch: 0.35, task: 0.4, runs: 1.0,
}

// newProgram returns a program of a good name: its folder tells its company.
func newProgram(image string, origin Origin) *Program {
	p := &Program{
		Image: image, Key: program.Template(strings.ReplaceAll(image, "USER", "somebody")),
		Origin: origin, Signed: true, Original: program.Name(image), TLS: library(image, origin),
	}
	p.JA4 = ja4(p.TLS)
	p.Product, _, _ = strings.Cut(p.Original, ".exe")
	p.Company = company(image)
	return p
}

// company returns the folder below the last well-known one.
func company(image string) string {
	for _, root := range []string{`Program Files\`, `Program Files (x86)\`, `AppData\Local\Programs\`, `AppData\Local\`, `AppData\Roaming\`, `ProgramData\`} {
		if _, rest, ok := strings.Cut(image, root); ok {
			name, _, _ := strings.Cut(rest, `\`)
			return name
		}
	}
	return "Microsoft Corporation"
}

// bare makes p a program without a version resource.
func (p *Program) bare() { p.Product, p.Company, p.Original, p.Signed = "", "", "", false }

// libraries are what programs speak TLS with.
var libraries = []string{"schannel", "openssl", "electron", "go", "dotnet", "schannel"}

func library(image string, origin Origin) string {
	name := strings.ToLower(program.Name(image))
	switch {
	case name == "firefox.exe":
		return "nss"
	case origin == Browsing || name == "ms-teams.exe":
		return "chromium"
	case origin == System || origin == LOLBin && name != "curl.exe":
		return "schannel"
	}
	return libraries[hashOf("tls "+name)%uint64(len(libraries))]
}

// ja4 returns what stands for a library in the fingerprint of its hello.
func ja4(library string) string {
	sum := sha256.Sum256([]byte("tls " + library))
	h := hex.EncodeToString(sum[:])
	return "t13d1516h2_" + h[:12] + "_" + h[12:24]
}
