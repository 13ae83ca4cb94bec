package account_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/account"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// withRecovery switches a second factor on with recovery codes.
func (s *site) withRecovery(who core.Actor) (secret core.Secret, codes []core.Secret) {
	s.t.Helper()
	secret, err := s.OfferFactor(s.t.Context(), who)
	s.must(err)
	codes, err = s.RecoveryCodes(s.t.Context(), who, true, s.code(secret), "")
	s.must(err)
	s.pass(time.Minute)
	return secret, codes
}

// second signs in with the password and this code.
func (s *site) second(code string) error {
	s.t.Helper()
	e, err := s.in(pass)
	s.must(err)
	_, err = s.SecondStep(s.t.Context(), e.Ticket, code, meta("192.0.2.1"))
	return err
}

func (s *site) left() int {
	s.t.Helper()
	n, err := s.RecoveryLeft(s.t.Context(), s.user.ID)
	s.must(err)
	return n
}

func TestARecoveryCodeSignsInOnceInPlaceOfTheApp(t *testing.T) {
	s := setup(t)
	who, _ := s.signedIn()
	secret, codes := s.withRecovery(who)
	seen := map[core.Secret]bool{}
	for _, c := range codes {
		if seen[c] || !regexp.MustCompile(`^([A-Z2-7]{4}-){3}[A-Z2-7]{4}$`).MatchString(c.Reveal()) {
			t.Errorf("a code is %q", c.Reveal())
		}
		seen[c] = true
	}
	if len(codes) != 10 || s.left() != 10 {
		t.Fatalf("%d codes, %d left", len(codes), s.left())
	}
	s.must(s.second(codes[0].Reveal()))
	want(t, s.second(codes[0].Reveal()), errs.FactorWrong)
	s.restart()
	want(t, s.second(codes[0].Reveal()), errs.FactorWrong)
	// As people type them.
	typed := strings.NewReplacer("-", " ", "O", "0", "I", "1", "B", "8").Replace(strings.ToLower(codes[1].Reveal()))
	s.must(s.second(strings.NewReplacer("o", "0", "i", "1", "b", "8").Replace(typed)))
	want(t, s.second(codes[1].Reveal()), errs.FactorWrong)
	s.must(s.second(strings.ReplaceAll(codes[2].Reveal(), "-", "")))
	s.must(s.second(s.code(secret))) // the app still does
	if n := s.left(); n != 7 {
		t.Errorf("%d left", n)
	}
}

func TestOfManyThatSendOneRecoveryCodeAtOnceOneIsSignedIn(t *testing.T) {
	s := setup(t)
	who, _ := s.signedIn()
	_, codes := s.withRecovery(who)
	tickets := make([]string, 8)
	for i := range tickets {
		e, err := s.in(pass)
		s.must(err)
		tickets[i] = e.Ticket
	}
	var won atomic.Int64
	var all sync.WaitGroup
	for i, ticket := range tickets {
		all.Go(func() {
			_, err := s.SecondStep(t.Context(), ticket, codes[3].Reveal(), meta(fmt.Sprintf("192.0.2.%d", i)))
			if err == nil {
				won.Add(1)
			} else {
				want(t, err, errs.FactorWrong)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 || s.left() != 9 {
		t.Errorf("%d were signed in by one code, %d are left", won.Load(), s.left())
	}
}

func TestNewRecoveryCodesEndTheOldOnesAndNeedACode(t *testing.T) {
	s := setup(t)
	ctx := t.Context()
	who, _ := s.signedIn()
	_, err := s.RecoveryCodes(ctx, who, false, "123456", "")
	want(t, err, errs.FactorMissing)
	_, err = s.RecoveryCodes(ctx, who, true, "123456", "")
	want(t, err, errs.FactorMissing)
	secret, err := s.OfferFactor(ctx, who)
	s.must(err)
	_, err = s.RecoveryCodes(ctx, who, false, s.code(secret), "") // it is not on
	want(t, err, errs.FactorMissing)
	_, err = s.RecoveryCodes(ctx, who, true, "x", "")
	want(t, err, errs.FactorWrong)
	if on, err := s.HasFactor(ctx, who.User); on || err != nil || s.left() != 0 {
		t.Fatalf("a wrong code switched it on: %v, %v, %d left", on, err, s.left())
	}

	secret, old := s.withRecovery(who)
	_, err = s.RecoveryCodes(ctx, who, true, s.code(secret), "")
	want(t, err, errs.FactorOn)
	_, err = s.RecoveryCodes(ctx, who, false, "x", "")
	want(t, err, errs.FactorWrong)
	fresh, err := s.RecoveryCodes(ctx, who, false, s.code(secret), "")
	s.must(err)
	want(t, s.second(old[0].Reveal()), errs.FactorWrong)
	s.must(s.second(fresh[0].Reveal()))
	last, err := s.RecoveryCodes(ctx, who, false, fresh[1].Reveal(), "") // the phone is lost
	s.must(err)
	want(t, s.second(fresh[2].Reveal()), errs.FactorWrong)
	s.must(s.SwitchFactorOff(ctx, who, last[0].Reveal(), ""))
	if on, err := s.HasFactor(ctx, who.User); on || err != nil || s.left() != 0 {
		t.Errorf("on %v, %v, %d left", on, err, s.left())
	}
	s.pass(time.Minute)
	s.withFactor(who)
	want(t, s.second(last[1].Reveal()), errs.FactorWrong)
}

func TestGuessesOfRecoveryCodesAreBoundedLikeThoseOfTheApp(t *testing.T) {
	s := setup(t)
	who, _ := s.signedIn()
	secret, codes := s.withRecovery(who)
	for i := range 10 {
		guess := "AAAA-AAAA-AAAA-AAAA"
		if i%2 == 1 {
			guess = "000000"
		}
		want(t, s.second(guess), errs.FactorWrong)
	}
	want(t, s.second(codes[0].Reveal()), errs.TooManyGuesses)
	s.restart()
	want(t, s.second(s.code(secret)), errs.TooManyGuesses)
	_, err := s.RecoveryCodes(t.Context(), who, false, codes[0].Reveal(), "")
	want(t, err, errs.TooManyGuesses)
	if n := s.left(); n != 10 {
		t.Errorf("a refused try took a code: %d left", n)
	}
}

func TestWhatIsNoRecoveryCodeIsAWrongCode(t *testing.T) {
	s := setup(t)
	who, _ := s.signedIn()
	_, codes := s.withRecovery(who)
	code := codes[0].Reveal()
	for _, text := range []string{"-", code + "A", code[1:], code + code, "\x00" + code, strings.Repeat("=", 16), "ÄAAA-AAAA-AAAA-AAAA"} {
		want(t, s.second(text), errs.FactorWrong)
	}
	if n := s.left(); n != 10 {
		t.Errorf("%d left", n)
	}
}

// told sees what the store is told to keep.
type told struct {
	account.Store
	recovery [][]byte
}

func (r *told) ConfirmFactor(ctx context.Context, f account.Factor, recovery [][]byte) error {
	r.recovery = recovery
	return r.Store.ConfirmFactor(ctx, f, recovery)
}

func TestRecoveryCodesAreNotInTheDatabase(t *testing.T) {
	s := setup(t)
	rows := &told{Store: s.Store}
	s.Store = rows
	who, _ := s.signedIn()
	_, codes := s.withRecovery(who)
	if len(rows.recovery) != len(codes) {
		t.Fatalf("%d rows for %d codes", len(rows.recovery), len(codes))
	}
	for i, hash := range rows.recovery {
		text := strings.ReplaceAll(codes[i].Reveal(), "-", "")
		code, err := base32.StdEncoding.DecodeString(text)
		s.must(err)
		if len(hash) != sha256.Size || bytes.Contains(hash, code) || bytes.Contains(hash, []byte(text)) {
			t.Errorf("a code is kept as %x", hash)
		}
	}
}
