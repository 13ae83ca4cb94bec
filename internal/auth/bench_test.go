package auth_test

import "testing"

// BenchmarkVerify is what every request of somebody signed in costs here.
func BenchmarkVerify(b *testing.B) {
	s := newSite(&testing.T{})
	p, _, err := s.SignIn(b.Context(), annEmail, annPass, s.from(home))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Verify(b.Context(), p.Access.Reveal()); err != nil {
			b.Fatal(err)
		}
	}
}
