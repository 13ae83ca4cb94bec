package pace

import "time"

// Options of a Pace. The zero value is good.
type Options struct {
	// Known is what was remembered of the address, if anything.
	Known Origin
	// Start is the size to begin with where nothing is known. 0: 960 KiB, which
	// is below 1 MiB and 1 MB, the limits that proxies come with.
	Start int64
	// Least is the smallest size worth trying. 0: 16 KiB.
	Least int64
	// Now is for tests. Nil: the real one.
	Now func() time.Time
}

// Pace is what has been measured of one address. All transfers there share it.
type Pace struct {
	Size    *Size
	Streams *Streams
}

// New makes a Pace.
func New(o Options) *Pace {
	if o.Start <= 0 {
		o.Start = 960 << 10
	}
	if o.Least <= 0 {
		o.Least = 16 << 10
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Pace{Size: newSize(o), Streams: newElastic(o.Now)}
}

// Origin is what is worth remembering of an address.
type Origin struct {
	// Passed is the largest body that went through.
	Passed int64 `json:"passed"`
	// Refused is the smallest body that was refused for its size; 0: none.
	Refused int64 `json:"refused,omitempty"`
	// By is the name of what refused it, where that said one.
	By string `json:"by,omitempty"`
	// At is when this was learned.
	At time.Time `json:"at"`
}

// A proxy may get another configuration, and a laptop another network.
const (
	believeRefusal = 7 * 24 * time.Hour
	believeSuccess = 30 * 24 * time.Hour
)

// fresh is what of o is to be believed still.
func (o Origin) fresh(now time.Time) Origin {
	age := now.Sub(o.At)
	if age < 0 || age > believeSuccess || o.Passed < 0 || o.Refused < 0 || o.Refused > 0 && o.Refused <= o.Passed {
		return Origin{}
	}
	if age > believeRefusal {
		o.Refused, o.By = 0, ""
	}
	return o
}
