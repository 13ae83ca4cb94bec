package admin

import (
	"math"
	"strconv"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	rules "github.com/wharfinger/wharfinger/internal/admin"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/trial"
)

// as turns a field that was given into the type of the rules.
func as[To, From any](v *From, turn func(From) To) *To {
	if v == nil {
		return nil
	}
	out := turn(*v)
	return &out
}

func (d *Door) summary(q *desk.Call) error {
	again := false
	if text := q.R.URL.Query().Get("generate"); text != "" {
		var err error
		if again, err = strconv.ParseBool(text); err != nil {
			return desk.Bad(desk.NotJSON)
		}
	}
	c, err := d.Admin.Counts(q.Ctx(), again)
	if err != nil {
		return err
	}
	out := wire.AdminSummary{
		SiteUrls: []string{d.Origin(q.R)}, Version: wire.AdminVersion{Version: d.Version, Commit: d.Commit},
	}
	if c != nil {
		out.MetricsSummary = &wire.AdminMetrics{GeneratedAt: c.At, Users: c.Users, Files: c.Files, Entities: c.Versions, Shares: c.Shares}
	}
	return desk.OK(q, out)
}

func (d *Door) showSettings(q *desk.Call) error {
	var in wire.AdminSettingsRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	if in.Keys == nil || len(in.Keys) > 1000 {
		return desk.Bad("Keys has up to 1000 names")
	}
	return desk.OK(q, d.Admin.Show(in.Keys))
}

func (d *Door) setSettings(q *desk.Call) error {
	var in wire.AdminSettingsPatch
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	if len(in.Settings) == 0 || len(in.Settings) > 1000 {
		return desk.Bad("Settings cannot be empty")
	}
	now, err := d.Admin.Set(q.Ctx(), by(q), in.Settings)
	if err != nil {
		return err
	}
	return desk.OK(q, now)
}

func userEdit(in wire.AdminUserRequest) rules.UserEdit {
	u := in.User
	e := rules.UserEdit{
		Email: u.Email, Nick: u.Nick, Quota: u.Quota,
		Group:  as(u.GroupUsers, func(n int64) core.GroupID { return core.GroupID(n) }),
		Status: as(u.Status, func(s string) catalog.Status { return catalog.Status(s) }),
	}
	if in.Password != "" {
		password := core.Secret(in.Password)
		e.Password = &password
	}
	return e
}

func (d *Door) addUser(q *desk.Call) error {
	var in wire.AdminUserRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	u, err := d.Admin.AddUser(q.Ctx(), by(q), userEdit(in))
	if err != nil {
		return err
	}
	return d.showUser(q, u.ID)
}

func (d *Door) getUser(q *desk.Call) error {
	id, err := number[core.UserID](q)
	if err != nil {
		return err
	}
	return d.showUser(q, id)
}

func (d *Door) showUser(q *desk.Call, id core.UserID) error {
	l, err := d.Admin.User(q.Ctx(), id)
	if err != nil {
		return err
	}
	return desk.OK(q, d.user(l))
}

func (d *Door) editUser(q *desk.Call) error {
	id, err := number[core.UserID](q)
	if err != nil {
		return err
	}
	var in wire.AdminUserRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	if _, err := d.Admin.EditUser(q.Ctx(), by(q), id, userEdit(in)); err != nil {
		return err
	}
	return d.showUser(q, id)
}

func (d *Door) deleteUser(q *desk.Call) error {
	id, err := number[core.UserID](q)
	if err == nil {
		err = d.Admin.RemoveUser(q.Ctx(), by(q), id)
	}
	if err != nil {
		return err
	}
	return q.Done()
}

func groupEdit(q *desk.Call) (rules.GroupEdit, error) {
	var in wire.AdminGroupRequest
	if err := desk.Bind(q, &in); err != nil {
		return rules.GroupEdit{}, err
	}
	g := in.Group
	e := rules.GroupEdit{
		Name: g.Name, Quota: g.MaxStorage, MaxSessions: g.Settings.MaxOpenUploads, MaxVersions: g.Settings.MaxVersions,
		Policy: as(g.StoragePolicyID, func(n int64) core.PolicyID { return core.PolicyID(n) }),
	}
	if t := g.Settings.TrashRetention; t != nil {
		if *t < 0 || *t > math.MaxInt64/int64(time.Second) {
			return e, desk.Bad("TrashRetention is a number of seconds")
		}
		keep := time.Duration(*t) * time.Second
		e.TrashFor = &keep
	}
	if g.Permissions != nil {
		bits, err := wire.ParseBits(*g.Permissions)
		if err != nil || bits > math.MaxInt64 {
			return e, desk.Bad("Permissions is no bit set")
		}
		n := int64(bits)
		e.Permissions = &n
	}
	return e, nil
}

func (d *Door) addGroup(q *desk.Call) error {
	e, err := groupEdit(q)
	if err != nil {
		return err
	}
	g, err := d.Admin.AddGroup(q.Ctx(), by(q), e)
	if err != nil {
		return err
	}
	return d.showGroup(q, g.ID)
}

func (d *Door) getGroup(q *desk.Call) error {
	id, err := number[core.GroupID](q)
	if err != nil {
		return err
	}
	return d.showGroup(q, id)
}

func (d *Door) showGroup(q *desk.Call, id core.GroupID) error {
	l, err := d.Admin.Group(q.Ctx(), id)
	if err != nil {
		return err
	}
	return desk.OK(q, groupLine(l))
}

func (d *Door) editGroup(q *desk.Call) error {
	id, err := number[core.GroupID](q)
	if err != nil {
		return err
	}
	e, err := groupEdit(q)
	if err != nil {
		return err
	}
	if _, err := d.Admin.EditGroup(q.Ctx(), by(q), id, e); err != nil {
		return err
	}
	return d.showGroup(q, id)
}

func (d *Door) deleteGroup(q *desk.Call) error {
	id, err := number[core.GroupID](q)
	if err == nil {
		err = d.Admin.RemoveGroup(q.Ctx(), by(q), id)
	}
	if err != nil {
		return err
	}
	return q.Done()
}

func policyEdit(q *desk.Call) (kind string, e rules.PolicyEdit, err error) {
	var in wire.AdminPolicyRequest
	if err := desk.Bind(q, &in); err != nil {
		return "", e, err
	}
	p, s := in.Policy, in.Policy.Settings
	return p.Type, rules.PolicyEdit{
		Name: p.Name, MaxSize: p.MaxSize, ChunkSize: s.ChunkSize, AllowedSuffix: s.FileType, DeniedSuffix: s.DeniedFileType,
		AllowedName: s.NameRegexp, DeniedName: s.DeniedNameRegexp, Encrypt: s.Encryption, SHA256: s.Sha256, Relay: s.Relay,
		Concurrency: s.ChunkConcurrency,
		Sync:        as(s.Sync, func(level wire.AdminPolicySettingsEditSync) blob.Sync { return blob.Sync(level) }),
		Place:       place(p),
	}, nil
}

func (d *Door) addPolicy(q *desk.Call) error {
	kind, e, err := policyEdit(q)
	if err != nil {
		return err
	}
	p, err := d.Admin.AddPolicy(q.Ctx(), by(q), kind, e)
	if err != nil {
		return err
	}
	return d.showPolicy(q, p.ID)
}

func (d *Door) getPolicy(q *desk.Call) error {
	id, err := number[core.PolicyID](q)
	if err != nil {
		return err
	}
	return d.showPolicy(q, id)
}

func (d *Door) showPolicy(q *desk.Call, id core.PolicyID) error {
	l, err := d.Admin.Policy(q.Ctx(), id)
	if err != nil {
		return err
	}
	return desk.OK(q, policyLine(l))
}

// place is where a policy is to be, as far as it was said. An empty secret is none:
// forms send it when nobody has touched it.
func place(p wire.AdminPolicyEdit) rules.Place {
	at := rules.Place{
		Endpoint: p.Server, Bucket: p.BucketName, AccessKey: p.AccessKey, Region: p.Settings.Region, Public: p.Settings.PublicEndpoint,
		PathStyle: p.Settings.S3PathStyle, Downloads: p.Settings.DirectDownload,
	}
	if p.SecretKey != "" {
		secret := core.Secret(p.SecretKey)
		at.SecretKey = &secret
	}
	return at
}

func (d *Door) testPolicy(q *desk.Call) error {
	id, err := number[core.PolicyID](q)
	if err != nil {
		return err
	}
	l, err := d.Admin.Policy(q.Ctx(), id)
	if err != nil {
		return err
	}
	out := wire.AdminPolicyTest{Ok: true, Steps: []wire.AdminPolicyStep{}}
	err = d.Try(q.Ctx(), l.Policy, d.Origin(q.R), func(s trial.Step) {
		step := wire.AdminPolicyStep{Name: s.What, Ok: s.Err == nil}
		if !step.Ok {
			out.Ok, step.Cause, step.Remedy = false, s.Cause(), s.Fix
		}
		out.Steps = append(out.Steps, step)
	})
	if err != nil && len(out.Steps) == 0 {
		return err
	}
	return desk.OK(q, out)
}

func (d *Door) allowOrigin(q *desk.Call) error {
	id, err := number[core.PolicyID](q)
	if err != nil {
		return err
	}
	l, err := d.Admin.Policy(q.Ctx(), id)
	if err == nil {
		err = d.Allow(q.Ctx(), l.Policy, d.Origin(q.R))
	}
	if err != nil {
		return err
	}
	return q.Done()
}

func (d *Door) editPolicy(q *desk.Call) error {
	id, err := number[core.PolicyID](q)
	if err != nil {
		return err
	}
	_, e, err := policyEdit(q)
	if err != nil {
		return err
	}
	if _, err := d.Admin.EditPolicy(q.Ctx(), by(q), id, e); err != nil {
		return err
	}
	return d.showPolicy(q, id)
}

func (d *Door) deletePolicy(q *desk.Call) error {
	id, err := number[core.PolicyID](q)
	if err == nil {
		err = d.Admin.RemovePolicy(q.Ctx(), by(q), id)
	}
	if err != nil {
		return err
	}
	return q.Done()
}
