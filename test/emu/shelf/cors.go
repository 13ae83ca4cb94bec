package shelf

import (
	"encoding/xml"
	"fmt"
	"net/http"
)

// CORS returns the rules as they were written, nil if there are none.
func (f *Front) CORS() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.text
}

// SetCORS takes rules as these stores have them. Names of rules are taken only where
// the vendor knows such.
func (f *Front) SetCORS(text []byte, named bool) error {
	var in struct {
		XMLName xml.Name `xml:"CORSConfiguration"`
		Rules   []struct {
			ID      *string
			Origins []string `xml:"AllowedOrigin"`
			Methods []string `xml:"AllowedMethod"`
			Headers []string `xml:"AllowedHeader"`
			Expose  []string `xml:"ExposeHeader"`
			MaxAge  int      `xml:"MaxAgeSeconds"`
		} `xml:"CORSRule"`
	}
	if err := xml.Unmarshal(text, &in); err != nil {
		return err
	}
	var rules []Rule
	for _, r := range in.Rules {
		if len(r.Origins) == 0 || len(r.Methods) == 0 || r.ID != nil && !named {
			return fmt.Errorf("a rule without origins or methods, or with a name: %+v", r)
		}
		rules = append(rules, Rule{Origins: r.Origins, Methods: r.Methods, Headers: r.Headers, Expose: r.Expose, MaxAge: r.MaxAge})
	}
	if len(rules) == 0 || len(rules) > 20 {
		return fmt.Errorf("%d rules", len(rules))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules, f.text = rules, text
	return nil
}

// ServeCORS answers with the rules, and reports whether there are any.
func (f *Front) ServeCORS(w http.ResponseWriter) bool {
	text := f.CORS()
	if text == nil {
		return false
	}
	w.Header().Set("Content-Type", "application/xml")
	_, _ = w.Write(text)
	return true
}
