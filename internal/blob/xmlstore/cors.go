package xmlstore

import (
	"context"
	"encoding/xml"
	"net/http"
	"slices"

	"github.com/wharfinger/wharfinger/internal/blob"
)

var _ blob.Origins = (*Store)(nil)

// ruleID names our rule among those of a bucket, where rules have names.
const ruleID = "wharfinger"

// corsRule is what a rule says, and all of it as it stands, which is how the rules of
// others are written back.
type corsRule struct {
	ID      string   `xml:",omitempty"`
	Origins []string `xml:"AllowedOrigin"`
	Methods []string `xml:"AllowedMethod"`
	Headers []string `xml:"AllowedHeader"`
	Expose  []string `xml:"ExposeHeader"`
	Age     int      `xml:"MaxAgeSeconds,omitempty"` // of the answer to a preflight
}

type (
	corsRead struct {
		XMLName xml.Name `xml:"CORSConfiguration"`
		Rules   []rawXML `xml:"CORSRule"`
		Rest    []rawXML `xml:",any"` // such as ResponseVary
	}
	rawXML struct {
		XMLName xml.Name
		Text    string `xml:",innerxml"`
	}
	corsWritten struct {
		XMLName xml.Name `xml:"CORSConfiguration"`
		Rules   []any    `xml:"CORSRule"`
		Rest    []rawXML
	}
)

// AllowOrigins implements blob.Origins. The store knows only the whole list: it is
// read, and written back with our rule in it.
func (s *Store) AllowOrigins(ctx context.Context, origins []string) error {
	var was corsRead
	_, err := s.ask(ctx, call{doing: "read the CORS rules", method: http.MethodGet, query: []Pair{{"cors", ""}}}, &was)
	if err != nil && !missing(err) { // there are none yet
		return err
	}
	ours := corsRule{
		Origins: origins, Methods: []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost},
		Headers: []string{"*"}, Expose: []string{"ETag"}, Age: 3600,
	}
	if s.RuleIDs {
		ours.ID = ruleID
	}
	out := corsWritten{Rules: []any{ours}} // first: the first that fits an origin is the one
	for _, r := range was.Rules {
		var old corsRule
		if err := xml.Unmarshal([]byte("<CORSRule>"+r.Text+"</CORSRule>"), &old); err != nil {
			return s.broken("read the CORS rules", err)
		}
		if !ours.replaces(old) {
			out.Rules = append(out.Rules, rawXML{Text: r.Text})
		}
	}
	for _, r := range was.Rest {
		out.Rest = append(out.Rest, rawXML{XMLName: xml.Name{Local: r.XMLName.Local}, Text: r.Text})
	}
	return s.post(ctx, call{doing: "set the CORS rules", method: http.MethodPut, query: []Pair{{"cors", ""}}}, out, nil)
}

// replaces reports whether old is the rule that we set before: by its name, or where
// rules have none by saying the same of other origins.
func (r corsRule) replaces(old corsRule) bool {
	if r.ID != "" {
		return old.ID == r.ID
	}
	return slices.Equal(r.Methods, old.Methods) && slices.Equal(r.Headers, old.Headers) &&
		slices.Equal(r.Expose, old.Expose) && r.Age == old.Age
}
