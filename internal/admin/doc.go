// Package admin has the rules of those who administer a site: users, groups,
// storage policies, settings, and lists of all that there is. Nobody is let in
// here but administrators: the table of routes sees to that (desk.Administrator),
// and every change says by whom it is made.
//
// A change and its line in the trail are one transaction. Changes queue up, so
// that of two administrators who demote each other one stays; the last who is
// active can be neither removed nor demoted, shut out nor deprived of the group's
// right.
//
// Lists look at a window of at most so many rows, from an id on: what a page
// costs does not grow with the table, and a page says where the next window begins.
//
//	a := admin.New(admin.Options{Store: administration.New(st), Names: st.Catalog(), …})
//	u, err := a.AddUser(ctx, admin.By{Actor: q.Actor, Request: q.ID}, admin.UserEdit{Email: &address, Password: &secret})
package admin
