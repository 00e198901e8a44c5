// Package html writes a run's document as one file that a browser shows without
// any network.
//
// Every string from the logs is cleaned and then passes html/template. A
// Content-Security-Policy names the hashes of the only style and the only
// script, which are ours.
package html

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"github.com/postern/postern/internal/coverage"
	"github.com/postern/postern/internal/finding"
)

// Bounds of a page: so much a browser opens, and a mail takes.
const (
	maxRows  = 500
	maxBytes = 4_800_000
)

//go:embed page
var assets embed.FS

// Write writes the report of d, and of what could not be seen by c; with a nil c
// it does not speak of that. The cards that would make the page too large are
// left out, and the page says so.
func Write(w io.Writer, d *finding.Document, c *coverage.Document) error {
	if err := write(w, d, c); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func write(w io.Writer, d *finding.Document, c *coverage.Document) error {
	t, err := template.ParseFS(assets, "page/*.gohtml")
	if err != nil {
		return err
	}
	v := view(d)
	v.Coverage = covered(c)
	if err := v.dress(); err != nil {
		return err
	}
	var top, bottom bytes.Buffer
	if err := t.ExecuteTemplate(&top, "top", v); err != nil {
		return err
	}
	if err := t.ExecuteTemplate(&bottom, "bottom", v); err != nil {
		return err
	}
	if _, err := w.Write(top.Bytes()); err != nil {
		return err
	}
	if err := cards(w, t, d, maxBytes-top.Len()-bottom.Len()); err != nil {
		return err
	}
	_, err = w.Write(bottom.Bytes())
	return err
}

// dress gives the page its style and its script, and the policy that allows
// nothing else.
func (v *pageView) dress() error {
	style, err := assets.ReadFile("page/style.css")
	if err != nil {
		return err
	}
	script, err := assets.ReadFile("page/script.js")
	if err != nil {
		return err
	}
	v.Style, v.Script = template.CSS(style), template.JS(script) // both are files of ours
	v.Policy = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'",
		hash(style), hash(script))
	return nil
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// cards writes the cards as far as the bytes reach. The others are named: the
// rows of the table must lead somewhere.
func cards(w io.Writer, t *template.Template, d *finding.Document, left int) error {
	stubs := make([][]byte, min(len(d.Findings), maxRows))
	for i := range stubs {
		var b bytes.Buffer
		if err := t.ExecuteTemplate(&b, "stub", row(&d.Findings[i], scale{})); err != nil {
			return err
		}
		stubs[i] = b.Bytes()
		left -= b.Len()
	}
	const least = 5000 // bytes that a card takes at least, or nearly
	frame := periodOf(&d.Summary)
	for i, stub := range stubs {
		var card bytes.Buffer
		room := left + len(stub)
		if room >= least {
			if err := t.ExecuteTemplate(&card, "card", cardView(&d.Findings[i], frame, i == 0)); err != nil {
				return err
			}
		}
		text := card.Bytes()
		if len(text) == 0 || len(text) > room {
			text = stub
		}
		left = room - len(text)
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return nil
}
