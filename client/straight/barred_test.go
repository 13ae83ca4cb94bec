package straight_test

import (
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/client/straight"
)

func TestAStoreIsBarredByItsOriginAndForAWhile(t *testing.T) {
	t.Parallel()
	var b straight.Barred
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	const away = "https://away.example:9000/bucket/key?n=1"
	if b.Has(away, now) {
		t.Error("a store is barred that nobody tried")
	}
	b.Add(away, now)
	for address, want := range map[string]bool{
		away: true, "https://away.example:9000/other?n=2": true,
		"https://away.example/bucket/key": false, "http://away.example:9000/bucket": false, "https://near.example:9000/bucket": false,
	} {
		if got := b.Has(address, now.Add(straight.BarredFor-1)); got != want {
			t.Errorf("%s is barred: %v", address, got)
		}
	}
	if b.Has(away, now.Add(straight.BarredFor)) {
		t.Error("it is barred for ever")
	}
}
