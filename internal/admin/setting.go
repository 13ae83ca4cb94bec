package admin

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// Settings are the facts about a site that administrators set while it runs.
type Settings struct {
	Title      string
	UploadLife time.Duration // how long an unfinished upload is kept
	URL        string        // public address; "" as each request has it. Of the configuration
}

type settings struct{ now atomic.Pointer[Settings] }

// Settings returns those in force.
func (a *Admin) Settings() Settings { return *a.settings.now.Load() }

// setting is one of them, under the name that clients have for it.
type setting struct {
	read func(Settings) string
	set  func(s *Settings, value string) error // nil: of the configuration
}

// Lives of an upload. Addresses that storage vendors signed do not live longer than
// a week.
const (
	leastLife = time.Minute
	mostLife  = 7 * 24 * time.Hour
)

var table = map[string]setting{
	"siteName": {
		read: func(s Settings) string { return s.Title },
		set: func(s *Settings, value string) error {
			err := checkName("admin.siteName", "site", &value)
			s.Title = value
			return err
		},
	},
	"upload_session_timeout": {
		read: func(s Settings) string { return strconv.FormatInt(int64(s.UploadLife/time.Second), 10) },
		set: func(s *Settings, value string) error {
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || n < int64(leastLife/time.Second) || n > int64(mostLife/time.Second) {
				return bad("admin.upload_session_timeout", "upload_session_timeout is a number of seconds, from a minute (60) to a week (604800).")
			}
			s.UploadLife = time.Duration(n) * time.Second
			return nil
		},
	},
	"siteURL":          {read: func(s Settings) string { return s.URL }},
	"register_enabled": {read: func(Settings) string { return "0" }},
}

// SettingNames are the names of all settings.
func SettingNames() []string {
	names := make([]string, 0, len(table))
	for name := range table {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Show returns the settings of those names. One that this site does not have is left
// out.
func (a *Admin) Show(names []string) map[string]string {
	now, out := a.Settings(), map[string]string{}
	for _, name := range names {
		if s, ok := table[name]; ok {
			out[name] = s.read(now)
		}
	}
	return out
}

// Load reads the settings; before it, the defaults are in force. One that cannot be
// read, from another version perhaps, is as by default.
func (a *Admin) Load(ctx context.Context) error {
	const op = "admin.Load"
	now := a.Settings()
	for name, s := range table {
		if s.set == nil {
			continue
		}
		value, err := a.Store.Setting(ctx, name)
		if err != nil {
			return errs.Wrap(op, err)
		}
		if tried := now; value != "" && s.set(&tried, value) == nil {
			now = tried
		}
	}
	a.settings.now.Store(&now)
	return nil
}

// Set changes settings, all or none, and returns them as they are then. Invalid/bad_param
// for one that this site does not have, or a value it does not take;
// Forbidden/setting_readonly for one of the configuration.
func (a *Admin) Set(ctx context.Context, by By, values map[string]string) (map[string]string, error) {
	const op = "admin.Set"
	now := a.Settings()
	var names []string
	for name, value := range values {
		s, ok := table[name]
		switch {
		case !ok:
			return nil, bad(op, "This site has no setting %q. It has: %s.", name, strings.Join(SettingNames(), ", "))
		case s.set == nil && value != s.read(now):
			return nil, errs.Newf(errs.Forbidden, errs.SettingReadOnly, "%s is set when the server starts, not here.", name).At(op)
		case s.set == nil:
			continue
		}
		if err := s.set(&now, value); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	err := a.change(ctx, by, len(names), func(tx Tx) ([]Line, error) {
		lines := make([]Line, 0, len(names))
		for _, name := range names {
			if err := tx.SetSetting(ctx, name, table[name].read(now)); err != nil {
				return nil, err
			}
			lines = append(lines, Line{Action: Changed, Kind: OfSetting, Subject: name, Note: table[name].read(now)})
		}
		return lines, nil
	})
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	// What two changed at once is read as it was written.
	if err := a.Load(ctx); err != nil {
		return nil, errs.Wrap(op, err)
	}
	asked := make([]string, 0, len(values))
	for name := range values {
		asked = append(asked, name)
	}
	return a.Show(asked), nil
}
