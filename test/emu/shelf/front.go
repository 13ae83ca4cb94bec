package shelf

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Kind is what goes wrong.
type Kind int

// The faults of a store and of the way to it.
const (
	Reset    Kind = iota + 1 // the connection breaks before anything is done
	Lost                     // done, and the answer is lost
	Busy                     // 503 with Retry-After, nothing done
	BusyDone                 // 503, but done
	Page                     // 200 with a page of HTML, nothing done
	Cut                      // done, and the answer ends in the middle
)

// Fault happens to the next Times requests that it matches.
type Fault struct {
	Kind   Kind
	Method string // "" is any
	Query  string // that the raw query contains
	Times  int
}

// Rule is what other origins may do.
type Rule struct {
	Origins, Methods, Headers, Expose []string
	MaxAge                            int
}

// Front stands before an emulator: it writes the log, makes faults and answers
// for CORS.
type Front struct {
	next   http.Handler
	mu     sync.Mutex
	rules  []Rule
	text   []byte // that rules were read from
	faults []Fault
	log    []string
}

// NewFront returns the front of next.
func NewFront(next http.Handler, rules []Rule) *Front { return &Front{next: next, rules: rules} }

// Fail asks for a fault.
func (f *Front) Fail(x Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, x)
}

// Log returns the requests so far: method, a blank, and the address as it came.
func (f *Front) Log() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.log)
}

func (f *Front) fault(r *http.Request) Kind {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = append(f.log, r.Method+" "+r.RequestURI)
	for i := range f.faults {
		x := &f.faults[i]
		if x.Times > 0 && (x.Method == "" || x.Method == r.Method) && strings.Contains(r.URL.RawQuery, x.Query) {
			x.Times--
			return x.Kind
		}
	}
	return 0
}

// ServeHTTP implements http.Handler. A request may come as to a proxy, with its host in
// the address.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.RequestURI = strings.TrimPrefix(r.RequestURI, "http://"+r.Host)
	if f.cors(w, r) {
		return
	}
	kind := f.fault(r)
	switch kind {
	case 0:
		f.next.ServeHTTP(w, r)
		return
	case Reset:
		panic(http.ErrAbortHandler)
	case Busy:
		busy(w)
		return
	case Page:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html><body>Sign in to the hotel network</body></html>"))
		return
	}
	done := httptest.NewRecorder()
	f.next.ServeHTTP(done, r)
	switch kind {
	case BusyDone:
		busy(w)
		return
	case Cut:
		h := w.Header()
		for name, values := range done.Header() {
			h[name] = values
		}
		h.Set("Content-Length", strconv.Itoa(done.Body.Len()))
		w.WriteHeader(done.Code)
		_, _ = w.Write(done.Body.Bytes()[:done.Body.Len()/2])
		_ = http.NewResponseController(w).Flush()
	}
	panic(http.ErrAbortHandler)
}

func busy(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "7")
	http.Error(w, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate</Message></Error>", http.StatusServiceUnavailable)
}

// cors answers a preflight and reports whether that was all. The first rule
// that fits is the one.
func (f *Front) cors(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	preflight := r.Method == http.MethodOptions
	method := r.Method
	var asked []string
	if preflight {
		method = r.Header.Get("Access-Control-Request-Method")
		for name := range strings.SplitSeq(r.Header.Get("Access-Control-Request-Headers"), ",") {
			if name = strings.TrimSpace(name); name != "" {
				asked = append(asked, name)
			}
		}
	}
	f.mu.Lock()
	rules := f.rules
	f.mu.Unlock()
	i := slices.IndexFunc(rules, func(c Rule) bool {
		return fits(c.Origins, origin) && fits(c.Methods, method) &&
			!slices.ContainsFunc(asked, func(h string) bool { return !fits(c.Headers, h) })
	})
	if i < 0 {
		if preflight {
			http.Error(w, "<Error><Code>AccessForbidden</Code></Error>", http.StatusForbidden)
		}
		return preflight
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", strings.Join(rules[i].Expose, ", "))
	if preflight {
		h.Set("Access-Control-Allow-Methods", strings.Join(rules[i].Methods, ", "))
		h.Set("Access-Control-Allow-Headers", strings.Join(asked, ", "))
		h.Set("Access-Control-Max-Age", strconv.Itoa(rules[i].MaxAge))
	}
	return preflight
}

func fits(list []string, s string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return x == "*" || strings.EqualFold(x, s) })
}
