package report

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/postern/postern/internal/coverage"
	"github.com/postern/postern/internal/coverage/sysmon"
	"github.com/postern/postern/internal/finding"
)

// A Document is what JSON writes.
type Document interface {
	*finding.Document | *finding.Ledger | *finding.Baseline | *coverage.Document | *sysmon.Report
}

// JSON writes the document as docs/format specifies it. The encoder escapes
// control characters and what HTML would take for markup.
func JSON[D Document](w io.Writer, d D) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}
