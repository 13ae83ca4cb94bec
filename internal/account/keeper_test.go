package account_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/internal/account"
	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/accounts"
	"github.com/wharfinger/wharfinger/internal/store/storetest"
)

const pass core.Secret = "correct horse"

// site is a keeper over a database, a clock that only tests move, and one user.
type site struct {
	*account.Keeper
	t      *testing.T
	store  *store.Store
	tokens *auth.Tokens
	keys   auth.Keys
	now    atomic.Int64
	user   catalog.User
}

func setup(t *testing.T) *site {
	t.Parallel()
	s := &site{t: t, store: storetest.SQLite(t), keys: auth.DeriveKeys([32]byte{1})}
	s.now.Store(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).UnixMicro())
	s.restart()
	h := storetest.NewHome(t, s.store, -1)
	hash, err := auth.Hash(t.Context(), pass)
	h.Must(err)
	h.User.Password = hash
	h.Must(h.Names.UpdateUser(t.Context(), h.User))
	s.user = h.User
	return s
}

func (s *site) clock() time.Time     { return core.FromMicros(s.now.Load()) }
func (s *site) pass(d time.Duration) { s.now.Add(d.Microseconds()) }

func (s *site) restart() {
	ids := core.NewIDs(s.keys.IDs)
	s.tokens = auth.New(auth.Options{Store: s.store.Auth(), Keys: s.keys, IDs: ids, Clock: s.clock})
	s.Keeper = account.New(account.Options{
		Store: accounts.New(s.store), Accounts: s.store.Auth(), Tokens: s.tokens, Vault: auth.NewVault(s.keys), IDs: ids,
		Clock: s.clock, Title: "The Wharf",
	})
}

func meta(addr string) auth.SignIn { return auth.SignIn{Agent: "curl/8", Addr: addr} }

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) in(pw core.Secret) (account.Entry, error) {
	return s.SignIn(s.t.Context(), s.user.Email, pw, meta("192.0.2.1"))
}

// signedIn returns who is signed in on a new device, and its tokens.
func (s *site) signedIn() (core.Actor, auth.Pair) {
	s.t.Helper()
	e, err := s.in(pass)
	s.must(err)
	who, err := s.tokens.Verify(s.t.Context(), e.Pair.Access.Reveal())
	s.must(err)
	return who, e.Pair
}

func (s *site) alive(p auth.Pair) bool {
	_, err := s.tokens.Verify(s.t.Context(), p.Access.Reveal())
	return err == nil
}

func want(t *testing.T, err error, r errs.Reason) {
	t.Helper()
	if !errs.Has(err, r) {
		t.Errorf("got %v, want %s", err, r)
	}
}

func TestAChangedPasswordEndsAllDevicesButTheOneThatChangedIt(t *testing.T) {
	s := setup(t)
	ctx := t.Context()
	who, here := s.signedIn()
	_, there := s.signedIn()
	want(t, s.ChangePassword(ctx, who, "wrong horse", "a new horse", ""), errs.PasswordWrong)
	want(t, s.ChangePassword(ctx, who, pass, "short", ""), errs.BadParam)
	if !s.alive(there) {
		t.Error("a change that failed ended a device")
	}
	s.must(s.ChangePassword(ctx, who, pass, "a new horse", ""))
	if !s.alive(here) || s.alive(there) {
		t.Errorf("here %v, there %v", s.alive(here), s.alive(there))
	}
	next, err := s.tokens.Refresh(ctx, here.Refresh.Reveal())
	s.must(err)
	if !s.alive(next) {
		t.Error("the device is gone after its refresh")
	}
	_, err = s.in(pass)
	want(t, err, errs.BadLogin)
	_, err = s.in("a new horse")
	s.must(err)
	s.restart()
	if !s.alive(next) || s.alive(there) {
		t.Error("a restart changed who is signed in")
	}
}

func TestGuessesOfThePresentPasswordAreBounded(t *testing.T) {
	s := setup(t)
	who, _ := s.signedIn()
	for range 10 {
		want(t, s.ChangePassword(t.Context(), who, "wrong horse", "a new horse", "192.0.2.9"), errs.PasswordWrong)
	}
	want(t, s.ChangePassword(t.Context(), who, pass, "a new horse", "192.0.2.9"), errs.TooManyGuesses)
}

func TestADeviceIsEndedByItsUserAtOnce(t *testing.T) {
	s := setup(t)
	ctx := t.Context()
	who, here := s.signedIn()
	s.pass(time.Second)
	other, there := s.signedIn()
	list, err := s.Devices(ctx, who)
	s.must(err)
	if len(list) != 2 || list[0].ID != other.Device || list[1].ID != who.Device || list[0].Addr != "192.0.2.1" || list[0].Agent != "curl/8" {
		t.Fatalf("%+v", list)
	}
	stranger := core.Actor{User: who.User + 1}
	want(t, s.End(ctx, stranger, other.Device), errs.SessionMismatch)
	s.must(s.End(ctx, who, other.Device))
	if s.alive(there) || !s.alive(here) {
		t.Error("the wrong device was ended")
	}
	_, third := s.signedIn()
	s.must(s.EndOthers(ctx, who))
	if s.alive(third) || !s.alive(here) {
		t.Error("others than those were ended")
	}
	list, err = s.Devices(ctx, who)
	s.must(err)
	if len(list) != 1 || list[0].ID != who.Device {
		t.Errorf("%+v", list)
	}
}

// withFactor switches a second factor on.
func (s *site) withFactor(who core.Actor) core.Secret {
	s.t.Helper()
	secret, err := s.OfferFactor(s.t.Context(), who)
	s.must(err)
	s.must(s.SwitchFactorOn(s.t.Context(), who, s.code(secret), ""))
	s.pass(time.Minute)
	return secret
}

func (s *site) code(secret core.Secret) string { return account.CodeOf(secret, s.clock()) }

func TestCodesAreThoseOfTheStandard(t *testing.T) {
	t.Parallel()
	// RFC 6238, appendix B, the last six of its eight digits.
	secret := account.Base32([]byte("12345678901234567890"))
	for at, code := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := account.CodeOf(secret, time.Unix(at, 0)); got != code {
			t.Errorf("at %d: %s, want %s", at, got, code)
		}
	}
}

func TestASecondFactorIsAskedForAndEachCodeCountsOnce(t *testing.T) {
	s := setup(t)
	ctx := t.Context()
	who, _ := s.signedIn()
	secret := s.withFactor(who)
	if _, err := s.OfferFactor(ctx, who); !errs.Has(err, errs.FactorOn) {
		t.Error(err)
	}
	e, err := s.in(pass)
	s.must(err)
	if e.Ticket == "" || e.Pair.Access != "" {
		t.Fatal("no second factor was asked for")
	}
	second := func(ticket, code string) error {
		_, err := s.SecondStep(ctx, ticket, code, meta("192.0.2.1"))
		return err
	}
	want(t, second(e.Ticket, "000000x"), errs.FactorWrong)
	want(t, second(e.Ticket, ""), errs.FactorWrong)
	code := s.code(secret)
	s.restart()
	s.must(second(e.Ticket, code))
	again, err := s.in(pass)
	s.must(err)
	want(t, second(again.Ticket, code), errs.FactorWrong)
	s.restart()
	want(t, second(again.Ticket, code), errs.FactorWrong)
	s.pass(time.Minute)
	want(t, second(e.Ticket, s.code(secret)), errs.TicketGone) // it has counted
	s.pass(time.Minute)
	s.must(second(again.Ticket, s.code(secret)))
}

func TestOfManyThatSendOneCodeAtOnceOneIsSignedIn(t *testing.T) {
	s := setup(t)
	who, _ := s.signedIn()
	secret := s.withFactor(who)
	code := s.code(secret)
	var won atomic.Int64
	done := make(chan struct{})
	for i := range 8 {
		e, err := s.in(pass)
		s.must(err)
		go func() {
			defer func() { done <- struct{}{} }()
			if _, err := s.SecondStep(context.Background(), e.Ticket, code, meta(fmt.Sprintf("192.0.2.%d", i))); err == nil {
				won.Add(1)
			}
		}()
	}
	for range 8 {
		<-done
	}
	if won.Load() != 1 {
		t.Errorf("%d were signed in by one code", won.Load())
	}
}

func TestATicketDies(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*site, core.Actor, core.Secret){
		"with time": func(s *site, _ core.Actor, _ core.Secret) { s.pass(5 * time.Minute) },
		"with the password": func(s *site, who core.Actor, _ core.Secret) {
			s.must(s.ChangePassword(s.t.Context(), who, pass, "a new horse", ""))
		},
		"with the factor": func(s *site, who core.Actor, secret core.Secret) {
			s.must(s.SwitchFactorOff(s.t.Context(), who, s.code(secret), ""))
			s.pass(time.Minute)
		},
		"with the key": func(s *site, _ core.Actor, _ core.Secret) {
			s.keys = auth.DeriveKeys([32]byte{2})
			s.restart()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := setup(t)
			who, _ := s.signedIn()
			secret := s.withFactor(who)
			e, err := s.in(pass)
			s.must(err)
			end(s, who, secret)
			_, err = s.SecondStep(t.Context(), e.Ticket, s.code(secret), meta(""))
			want(t, err, errs.TicketGone)
		})
	}
	t.Run("that is none", func(t *testing.T) {
		s := setup(t)
		for _, text := range []string{"", "x", "====", strings.Repeat("A", 100)} {
			_, err := s.SecondStep(t.Context(), text, "000000", meta(""))
			want(t, err, errs.TicketGone)
		}
	})
}

func TestGuessesOfCodesAreBoundedFromAllAddressesTogetherAndAfterARestart(t *testing.T) {
	s := setup(t)
	who, _ := s.signedIn()
	secret := s.withFactor(who)
	e, err := s.in(pass)
	s.must(err)
	second := func(i int, code string) error {
		_, err := s.SecondStep(t.Context(), e.Ticket, code, meta(fmt.Sprintf("192.0.2.%d", i)))
		return err
	}
	for i := range 10 {
		want(t, second(i, "x"), errs.FactorWrong)
	}
	want(t, second(11, s.code(secret)), errs.TooManyGuesses)
	s.restart()
	want(t, second(12, s.code(secret)), errs.TooManyGuesses)
	want(t, s.SwitchFactorOff(t.Context(), who, s.code(secret), ""), errs.TooManyGuesses)
}

func TestASecretThatWasOfferedCountsOnlyAfterACode(t *testing.T) {
	s := setup(t)
	ctx := t.Context()
	who, _ := s.signedIn()
	want(t, s.SwitchFactorOn(ctx, who, "123456", ""), errs.FactorMissing)
	secret, err := s.OfferFactor(ctx, who)
	s.must(err)
	s.pass(10 * time.Minute)
	if again, err := s.OfferFactor(ctx, who); err != nil || again != secret {
		t.Errorf("another secret within the quarter of an hour: %v", err)
	}
	want(t, s.SwitchFactorOn(ctx, who, "x", ""), errs.FactorWrong)
	if on, err := s.HasFactor(ctx, who.User); on || err != nil {
		t.Error(on, err)
	}
	if e, err := s.in(pass); err != nil || e.Ticket != "" {
		t.Error("a factor that is not on was asked for")
	}
	s.pass(5 * time.Minute)
	want(t, s.SwitchFactorOn(ctx, who, s.code(secret), ""), errs.FactorMissing)
	if again, err := s.OfferFactor(ctx, who); err != nil || again == secret {
		t.Errorf("an old secret is offered again: %v", err)
	}
	want(t, s.SwitchFactorOff(ctx, who, "123456", ""), errs.FactorMissing)
}

func TestRetentionChangesByWhatIsSaid(t *testing.T) {
	t.Parallel()
	yes, no, five, less := true, false, int64(5), int64(-3)
	for i, c := range []struct {
		now  int64
		keep *bool
		most *int64
		want int64 // -1: nothing changes
	}{
		{0, nil, nil, -1},
		{0, &yes, nil, -1},
		{0, &no, nil, 1},
		{0, nil, &five, 5},
		{0, &no, &five, 1},
		{1, &yes, nil, 0},
		{1, &no, nil, -1},
		{5, &yes, nil, -1},
		{5, &yes, &five, -1},
		{5, &no, nil, 1},
		{1, &yes, &five, 5},
		{5, nil, &less, 0},
	} {
		got := int64(-1)
		if p := account.Retention(c.now, c.keep, c.most); p != nil {
			got = *p
		}
		if got != c.want {
			t.Errorf("case %d: %d, want %d", i, got, c.want)
		}
	}
}

func picture(w, h int, c color.Color) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, c)
		}
	}
	return m
}

func TestAPictureIsDrawnAnewAndBounded(t *testing.T) {
	s := setup(t)
	ctx := t.Context()
	who, _ := s.signedIn()
	red := color.NRGBA{R: 200, A: 255}
	encode := func(f func(*bytes.Buffer) error) []byte {
		var b bytes.Buffer
		s.must(f(&b))
		return b.Bytes()
	}
	for name, c := range map[string]struct {
		sent []byte
		mime string
		side int
	}{
		"wide jpeg":  {encode(func(b *bytes.Buffer) error { return jpeg.Encode(b, picture(900, 300, red), nil) }), "image/jpeg", 256},
		"small png":  {encode(func(b *bytes.Buffer) error { return png.Encode(b, picture(20, 31, red)) }), "image/jpeg", 20},
		"clear png":  {encode(func(b *bytes.Buffer) error { return png.Encode(b, picture(300, 400, color.NRGBA{R: 200, A: 9})) }), "image/png", 256},
		"gif":        {encode(func(b *bytes.Buffer) error { return gif.Encode(b, picture(257, 257, red), nil) }), "image/jpeg", 256},
		"one pixel":  {encode(func(b *bytes.Buffer) error { return png.Encode(b, picture(1, 5000, red)) }), "image/jpeg", 1},
		"and a tail": {append(encode(func(b *bytes.Buffer) error { return png.Encode(b, picture(9, 9, red)) }), "<script>alert(1)</script>"...), "image/jpeg", 9},
	} {
		s.must(s.SetPicture(ctx, who, c.sent))
		p, err := s.PictureOf(ctx, who.User)
		s.must(err)
		got, _, err := image.Decode(bytes.NewReader(p.Image))
		s.must(err)
		if p.MIME != c.mime || got.Bounds().Dx() != c.side || got.Bounds().Dy() != c.side || bytes.Contains(p.Image, []byte("script")) {
			t.Errorf("%s: %s %v", name, p.MIME, got.Bounds())
		}
		if r, _, _, _ := got.At(0, 0).RGBA(); c.mime == "image/jpeg" && (r>>8 < 190 || r>>8 > 210) {
			t.Errorf("%s: red is %d", name, r>>8)
		}
	}
	huge := encode(func(b *bytes.Buffer) error { return png.Encode(b, image.NewGray(image.Rect(0, 0, 8<<10, 2<<10))) })
	cut := encode(func(b *bytes.Buffer) error { return png.Encode(b, picture(64, 64, red)) })
	for name, sent := range map[string][]byte{"too many pixels": huge, "damaged": cut[:len(cut)/2], "text": []byte("<svg/>")} {
		want(t, s.SetPicture(ctx, who, sent), errs.PictureBad)
		if _, err := s.PictureOf(ctx, who.User); err != nil {
			t.Errorf("%s took the picture away", name)
		}
	}
	s.must(s.SetPicture(ctx, who, nil))
	if _, err := s.PictureOf(ctx, who.User); !errs.Has(err, errs.PictureMissing) {
		t.Error(err)
	}
}

func TestABannedUserGetsNoTicket(t *testing.T) {
	s := setup(t)
	who, _ := s.signedIn()
	secret := s.withFactor(who)
	e, err := s.in(pass)
	s.must(err)
	u, err := s.store.Catalog().User(t.Context(), s.user.ID)
	s.must(err)
	u.Status = catalog.Banned
	s.must(s.store.Catalog().UpdateUser(t.Context(), u))
	_, err = s.SecondStep(t.Context(), e.Ticket, s.code(secret), meta(""))
	want(t, err, errs.UserBanned)
	_, err = s.in(pass)
	want(t, err, errs.UserBanned)
	_, err = s.in("wrong horse")
	want(t, err, errs.BadLogin)
}

func TestADatabaseThatIsGoneIsNoWrongCode(t *testing.T) {
	s := setup(t)
	who, _ := s.signedIn()
	s.must(s.store.Close())
	for name, err := range map[string]error{
		"offer": func() error { _, err := s.OfferFactor(t.Context(), who); return err }(),
		"on":    s.SwitchFactorOn(t.Context(), who, "123456", ""),
		"end":   s.EndOthers(t.Context(), who),
	} {
		if err == nil || errs.Has(err, errs.FactorWrong) || !errs.Has(err, errs.StoreFailed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestExtensionsAreKeptInOneForm(t *testing.T) {
	t.Parallel()
	got, err := account.Extensions([]string{" .TXT", "txt", "Md", "7z", "größe"})
	if d := cmp.Diff([]string{"txt", "md", "7z", "größe"}, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	if got, err := account.Extensions([]string{}); err != nil || len(got) != 0 || got == nil {
		t.Errorf("%v, %v: an empty list names no extension", got, err)
	}
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprint("e", i)
	}
	for _, said := range [][]string{
		{""}, {"."}, {"tar.gz"}, {"a/b"}, {`a\b`}, {"*"}, {"a b"}, {"a,b"}, {"a\x00"}, {"a\u202e"}, {"\xff"}, {strings.Repeat("x", 33)}, many,
	} {
		if _, err := account.Extensions(said); !errs.Has(err, errs.BadParam) {
			t.Errorf("%.40q: %v", said, err)
		}
	}
	if got, err := account.Extensions(append(many[:100], "E0")); err != nil || len(got) != 100 {
		t.Errorf("%d of a hundred, one said twice: %v", len(got), err)
	}
}
