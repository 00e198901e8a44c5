package inventory

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestManual: every key and column is in the manual, and its examples load.
func TestManual(t *testing.T) {
	text, err := os.ReadFile("../../docs/inventory.md")
	if err != nil {
		t.Fatal(err)
	}
	manual := string(text)
	for _, doc := range []any{estateDoc{}, hostDoc{}, holdingDoc{}, sensorDoc{}} {
		typ := reflect.TypeOf(doc)
		for i := range typ.NumField() {
			key := typ.Field(i).Tag.Get("yaml")
			if !strings.Contains(manual, "`"+key+"`") && key != "hosts" && key != "address" {
				t.Errorf("key %s is not documented", key)
			}
		}
	}
	for _, c := range columns {
		if !strings.Contains(manual, "`"+c.name+"`") {
			t.Errorf("column %s is not documented", c.name)
		}
	}
	for _, r := range []Role{Workstation, Server, DomainController, JumpHost, Kiosk, VDI} {
		if !strings.Contains(manual, "`"+string(r)+"`") {
			t.Errorf("role %s is not documented", r)
		}
	}
	_, block, _ := strings.Cut(manual, "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	if inv, err := Load(strings.NewReader(block), "manual.yaml"); err != nil || len(inv.Hosts) != 1 {
		t.Errorf("the example in YAML: %v", err)
	}
	_, block, _ = strings.Cut(manual, "    host,role")
	block, _, _ = strings.Cut("    host,role"+block, "\n\n")
	if inv, err := Load(strings.NewReader(strings.ReplaceAll(block, "    ", "")), "manual.csv"); err != nil || len(inv.Hosts) != 2 {
		t.Errorf("the example in CSV: %v", err)
	}
}
