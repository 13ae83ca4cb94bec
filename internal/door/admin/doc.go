// Package admin is the door through which a site is administered. Every line of its
// table but one's own tasks is for administrators; the desk sees to that.
//
//	desk.Mount(admin.New(admin.Options{Desk: desk, Admin: rules, Version: version}).Routes())
package admin
