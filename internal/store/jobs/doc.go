// Package jobs keeps the rows of internal/job, on either database.
package jobs
