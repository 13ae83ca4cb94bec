// Package pace chooses how large the bodies of an upload are and how many are on
// their way at once, by what happens to them.
//
// Between a client and its server there may be proxies that refuse bodies above a
// size nobody told the client of, or cut those that take long, and links on which
// one connection is not enough or many are too many. None of it can be asked for;
// all of it can be measured. A [Pace] is what has been measured of one address.
// [Size] starts with what the strictest proxy in use lets through and grows while
// that works; [Streams] adds connections while that makes it faster.
//
// Everyone may import pace. It knows neither HTTP nor this server, and keeps no
// files: what should be remembered of an address is its [Origin].
//
//	p := pace.New(pace.Options{Known: remembered})
//	slot, err := p.Streams.Enter(ctx)
//	if err != nil {
//		return err
//	}
//	defer slot.Leave()
//	body := next(p.Size.Piece())
package pace
