package wire_test

import (
	"testing"

	"github.com/wharfinger/wharfinger/api/wire"
)

func TestBitsAsClientsKnowThem(t *testing.T) {
	t.Parallel()
	for s, set := range map[string]wire.Bits{
		"w8edAQ==": wire.OwnDrive,
		"gIaYAQ==": wire.ShareDrive,
		"AMIK":     wire.TrashDrive,
		"gAKA":     wire.SharedWithMe,
		"hAg=":     wire.BitsOf(wire.GroupShare, wire.GroupShareDownload, 11),
		"gg==":     wire.BitsOf(wire.GroupAnonymous, wire.GroupShareDownload),
		"":         0,
	} {
		if got := set.String(); got != s {
			t.Errorf("%#x prints %q, want %q", uint64(set), got, s)
		}
		if got, err := wire.ParseBits(s); err != nil || got != set {
			t.Errorf("%q is %#x, %v, want %#x", s, uint64(got), err, uint64(set))
		}
	}
	for _, bit := range []int{wire.MayCreate, wire.MayRename, wire.MayUpload, wire.MayDownload, wire.MayDelete, wire.MayLock, wire.MaySeeInfo} {
		if !wire.OwnDrive.Has(bit) {
			t.Errorf("the own drive lacks bit %d", bit)
		}
	}
	if wire.TrashDrive.Has(wire.MayUpload) || !wire.TrashDrive.Has(wire.MayRestore) {
		t.Error("the trash may be uploaded to, or not restored from")
	}
}

func TestBitsRefuse(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"!", "AAAAAAAAAAAB", "w8edAQ"} {
		if b, err := wire.ParseBits(s); err == nil {
			t.Errorf("%q is %#x", s, uint64(b))
		}
	}
	if b, err := wire.ParseBits("AQAAAAAAAAAAAAAA"); err != nil || b != 1 {
		t.Errorf("zero bytes at the end: %#x, %v", uint64(b), err)
	}
}
