// Package administration keeps what administrators change and look at: the
// contract of internal/admin. Lists are windows of the primary keys; what of a
// window is looked for is decided above.
package administration
