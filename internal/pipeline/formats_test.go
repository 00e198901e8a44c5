package pipeline

import (
	"testing"

	"github.com/postern/postern/internal/config"
	"github.com/postern/postern/internal/decode"
	"github.com/postern/postern/internal/decode/columns"
)

// TestGatewayLogsAreOfOneFormat: a line of a proxy's or firewall's log is of one format,
// also beside those that a configuration describes.
func TestGatewayLogsAreOfOneFormat(t *testing.T) {
	c := config.Default()
	c.Formats = []columns.Map{
		{Name: "own-csv", Kind: "csv", Event: "request", TimeLayout: "epoch", Columns: columns.Fields{Time: "time", Client: "src", Host: "host"}},
		{Name: "own-json", Kind: "json", Event: "request", TimeLayout: "epoch", Columns: columns.Fields{Time: "time", Client: "src", Host: "host"}},
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	formats := FormatsOf(&c)
	if err := decode.Validate(formats); err != nil {
		t.Fatal(err)
	}
	const query = "CEF:0|a|b|c|d|e|f|src=1 LEEF:1.0|a|b|c|d|src=1 date=2026-11-23 logid=1 type=traffic subtype=x"
	for want, head := range map[string]string{
		"squid":            "1795448359.000      0 10.0.0.5 TCP_MISS/200 720 GET http://www.example.com/?" + query + " - HIER_NONE/- text/html\n",
		"w3c-proxy":        "#Fields: date time c-ip cs-method cs-host cs(User-Agent)\n2026-11-23 15:39:19 10.0.0.5 GET www.example.com \"" + query + "\"\n",
		"cef":              "<134>Nov 23 15:39:19 fw CEF:0|Acme|Gate|1|1|x|3|src=10.0.0.5 msg=LEEF:1.0|a|b|c|d| date=2026-11-23 logid=1 type=x subtype=y\n",
		"leef":             "<134>Nov 23 15:39:19 fw LEEF:1.0|Acme|Gate|1|1|src=10.0.0.5\tmsg=" + query + "\n",
		"zscaler-nss":      "2026-11-23 15:39:19\treason=Allowed\tproduct=NSS\tuseragent=" + query + "\tvendor=Zscaler\n",
		"zscaler-nss-json": `{"sourcetype":"zscalernss-web","event":{"useragent":"` + query + "\"}}\n",
		"paloalto":         `1,2026/11/23 16:39:19,0125,TRAFFIC,end,2561,2026/11/23 16:39:19,10.0.0.5,203.0.113.9,,,"` + query + `",,,ssl,vsys1,a,b,e1,e2,log,,72,1,51000,443,0,0,0x0,tcp,allow` + "\n",
		"fortinet":         `<189>date=2026-11-23 time=16:39:19 devid="FGT1" logid="0000000013" type="traffic" subtype="forward" msg="` + query + "\"\n",
		"own-csv":          "time,host,src\n1795448359,www.example.com,10.0.0.5\n",
		"own-json":         `{"time":1795448359,"host":"www.example.com","src":"10.0.0.5"}` + "\n",
	} {
		f, err := decode.Detect(formats, []byte(head), []byte(head))
		if err != nil || f.Name != want {
			t.Errorf("%s: %v, %v", want, f, err)
		}
	}
}
