package desk

import (
	"maps"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// administration are the lines of the table that only administrators meet.
var administration = map[errs.Reason]fault{
	errs.AdminOnly: {
		answer{wire.CodeForbidden, "Only an administrator may do this"},
		user, never,
		"The account does not administer the site.",
		"Ask an administrator.",
	},
	errs.LastAdmin: {
		answer{wire.CodeAdminGroupProtected, "Somebody must administer the site"},
		user, changed,
		"Nobody would be left who administers the site.",
		"Make another user an administrator first.",
	},
	errs.Builtin: {
		answer{wire.CodeAdmin40039, "This group belongs to the site"},
		user, never,
		"The group came with the site, and something of it cannot be changed.",
		"Make a group of your own.",
	},
	errs.GroupMissing: {
		answer{wire.CodeNotFound, "Group not found"},
		user, never,
		"There is no such group.",
		"Look at the list of groups.",
	},
	errs.GroupInUse: {
		answer{wire.CodeAdmin40040, "The group has users"},
		user, changed,
		"There are users in the group.",
		"Give them another group first.",
	},
	errs.PolicyDefault: {
		answer{wire.CodeDefaultPolicyProtected, "The default storage policy cannot be deleted"},
		user, never,
		"It is the storage policy that came with the site.",
		"Give groups another policy; this one may stay empty.",
	},
	errs.PolicyInUse: {
		answer{wire.CodePolicyInUse40037, "The storage policy is in use"},
		user, changed,
		"Groups upload to the policy, or files are in it.",
		"Follow `msg`.",
	},
	errs.SettingReadOnly: {
		answer{wire.CodeForbidden, "The setting is not changed here"},
		operator, never,
		"The setting is given when the server starts.",
		"Change the configuration and start the server anew.",
	},
}

// withAll makes one table.
func withAll(all map[errs.Reason]fault, more ...map[errs.Reason]fault) map[errs.Reason]fault {
	for _, m := range more {
		maps.Copy(all, m)
	}
	return all
}
