package keep

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/client/pace"
)

// mostWays is of how many servers something is kept.
const mostWays = 64

// Way is what is known of the way to a server: how large bodies may be. It is
// kept in ways.json beside the sign-in, and is a courtesy: without the file, or
// with a damaged one, it is measured anew.
type Way struct {
	*pace.Pace
	path   string // "": nowhere to keep it
	origin string
}

// FindWay reads what is known of the way to a site.
func FindWay(site string) *Way {
	w := &Way{origin: originOf(site)}
	if c, err := Open(); err == nil {
		w.path = filepath.Join(filepath.Dir(c.path), "ways.json")
	}
	w.Pace = pace.New(pace.Options{Known: w.read()[w.origin]})
	return w
}

// Over makes a client use the way.
func Over(w **Way) func(*client.Options) {
	return func(o *client.Options) {
		*w = FindWay(o.BaseURL)
		o.Pace = (*w).Pace
	}
}

// originOf is scheme, host and port: what a proxy stands in front of.
func originOf(site string) string {
	u, err := url.Parse(strings.TrimSpace(site))
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}

func (w *Way) read() map[string]pace.Origin {
	all := map[string]pace.Origin{}
	text, err := os.ReadFile(w.path)
	if err != nil || json.Unmarshal(text, &all) != nil || all == nil {
		return map[string]pace.Origin{}
	}
	return all
}

// Keep writes down what was learned. Of two commands at once the last wins.
func (w *Way) Keep() {
	known, learned := w.Size.Origin()
	if !learned || w.path == "" || w.origin == "" {
		return
	}
	all := w.read()
	all[w.origin] = known
	for len(all) > mostWays {
		var names []string
		for name := range all {
			names = append(names, name)
		}
		delete(all, slices.MinFunc(names, func(a, b string) int {
			return cmp.Or(all[a].At.Compare(all[b].At), strings.Compare(a, b))
		}))
	}
	_ = replaceFile(w.path, all) // it will be measured again
}

// replaceFile makes a file of the user's settings anew, as a whole or not at all.
func replaceFile(path string, what any) error {
	text, err := json.MarshalIndent(what, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // made with 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(append(text, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
