package client

import (
	"encoding/binary"

	"github.com/wharfinger/wharfinger/api/wire"
)

func crcDigest(sum uint64) wire.Digest {
	return wire.Digest{Algorithm: wire.CRC64NVME, Sum: binary.BigEndian.AppendUint64(nil, sum)}
}

// digestOf finds one algorithm's sum in a Repr-Digest.
func digestOf(field, algorithm string) ([]byte, bool) {
	ds, err := wire.ParseDigests(field)
	if err != nil {
		return nil, false
	}
	for _, d := range ds {
		if d.Algorithm == algorithm {
			return d.Sum, true
		}
	}
	return nil, false
}

func crcOf(field string) (uint64, bool) {
	sum, ok := digestOf(field, wire.CRC64NVME)
	if !ok {
		return 0, false
	}
	return binary.BigEndian.Uint64(sum), true
}
