package store

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/wharfinger/wharfinger/internal/store/query"
)

// doomRows is how many blobs one statement dooms. Only statements of one row and
// of this many are made, so that few are prepared.
const doomRows = 100

func doomText(rows int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO doomed (policy, blob, at_us) VALUES ")
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("($" + strconv.Itoa(3*i+1) + ",$" + strconv.Itoa(3*i+2) + ",$" + strconv.Itoa(3*i+3) + ")")
	}
	b.WriteString(" ON CONFLICT (policy, blob) DO NOTHING")
	return b.String()
}

// spareText takes back what other rows still name: a copy has the blob of its
// original.
func spareText(rows int) string {
	var b strings.Builder
	b.WriteString("DELETE FROM doomed WHERE policy = $1 AND blob IN ($2")
	for i := 1; i < rows; i++ {
		b.WriteString(",$" + strconv.Itoa(i+2))
	}
	b.WriteString(") AND EXISTS (SELECT 1 FROM versions v WHERE v.policy = doomed.policy AND v.blob = doomed.blob)")
	return b.String()
}

var (
	doomOne, doomMany   = doomText(1), doomText(doomRows)
	spareOne, spareMany = spareText(1), spareText(doomRows)
)

// doom dooms those of the blobs that no version names. The order of its steps
// matters on PostgreSQL, where copies may go at the same time: a row of doomed
// belongs to one transaction until that ends, so whoever comes second sees,
// looking again, that the first one's version is gone. The rows are taken in one
// order, so that two never wait for each other.
func (t *tx) doom(ctx context.Context, dead []query.Doomed) error {
	order := func(a, b query.Doomed) int {
		return cmp.Or(cmp.Compare(a.Policy, b.Policy), strings.Compare(a.Blob, b.Blob))
	}
	slices.SortFunc(dead, order)
	dead = slices.CompactFunc(dead, func(a, b query.Doomed) bool { return order(a, b) == 0 })
	for len(dead) > 0 {
		text, spare, n := doomOne, spareOne, 1
		if len(dead) >= doomRows && dead[0].Policy == dead[doomRows-1].Policy {
			text, spare, n = doomMany, spareMany, doomRows
		}
		rows, keys := make([]any, 0, 3*n), make([]any, 1, 1+n)
		keys[0] = dead[0].Policy
		for _, d := range dead[:n] {
			rows, keys = append(rows, d.Policy, d.Blob, d.AtUs), append(keys, d.Blob)
		}
		if _, err := t.db.ExecContext(ctx, text, rows...); err != nil {
			return err
		}
		if _, err := t.db.ExecContext(ctx, spare, keys...); err != nil {
			return err
		}
		dead = dead[n:]
	}
	return nil
}
