package schema

import "github.com/postern/postern/internal/event"

// Certify gives handshakes without subject and issuer those of their
// certificates, which find returns by their IDs: the best report of each, in the
// order of a Window.
func Certify(hs []event.Handshake, find func(ids []string) ([]event.Certificate, error)) error {
	wanted := make(map[string][]int)
	for i := range hs {
		if h := &hs[i]; h.CertID != "" && h.Subject == "" && h.Issuer == "" {
			wanted[h.CertID] = append(wanted[h.CertID], i)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	ids := make([]string, 0, len(wanted))
	for id := range wanted {
		ids = append(ids, id)
	}
	certificates, err := find(ids)
	for _, c := range certificates {
		for _, i := range wanted[c.ID] {
			hs[i].Subject, hs[i].Issuer = c.Subject, c.Issuer
		}
	}
	return err
}
