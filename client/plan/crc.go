package plan

import "github.com/minio/crc64nvme"

// poly is the polynomial of CRC-64/NVME, reflected: the bit of x^i is 1<<(63-i).
const poly = crc64nvme.NVME

// times multiplies two polynomials over GF(2), modulo poly.
func times(a, b uint64) uint64 {
	var p uint64
	for bit := uint64(1) << 63; bit != 0; bit >>= 1 {
		if a&bit != 0 {
			p ^= b
		}
		b = b>>1 ^ poly&-(b&1)
	}
	return p
}

// JoinCRC is the CRC of A‖B from those of A and B and the length of B: A's
// register times x^(8n), by repeated squaring. The inversions at both ends of
// the CRC cancel; see Mark Adler's crc32_combine in zlib.
func JoinCRC(a, b uint64, n int64) uint64 {
	square := uint64(1) << (63 - 8) // x^8
	shift := uint64(1) << 63        // 1
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			shift = times(shift, square)
		}
		square = times(square, square)
	}
	return times(shift, a) ^ b
}
