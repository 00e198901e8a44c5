package report

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/postern/postern/internal/finding"
)

// JSON writes the document as docs/format/findings.md specifies it. The
// encoder escapes control characters and what HTML would take for markup.
func JSON(w io.Writer, d *finding.Document) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}
