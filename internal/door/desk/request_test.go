package desk

import "testing"

func TestOnlyAUUIDNamesARequest(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"01234567-89ab-cdef-ABCD-EF0123456789": true, "01234567-89ab-cdef-abcd-ef012345678": false,
		"01234567-89ab-cdef-abcd-ef01234567890": false, "01234567089ab-cdef-abcd-ef0123456789": false,
		"g1234567-89ab-cdef-abcd-ef0123456789": false, "@1234567-89ab-cdef-abcd-ef0123456789": false,
		"\x101234567-89ab-cdef-abcd-ef012345678": false, "": false, "------------------------------------": false,
	} {
		if isUUID(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
