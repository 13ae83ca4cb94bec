package plan_test

import (
	"testing"

	"github.com/minio/crc64nvme"
	"pgregory.net/rapid"

	"github.com/wharfinger/wharfinger/client/plan"
)

// TestEveryByteIsGivenOutUntilItIsSafeAndNeverTwice plays an upload whose pieces
// fail, come in unseen and are cut anew, against an array of bytes.
func TestEveryByteIsGivenOutUntilItIsSafeAndNeverTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		shape := plan.Shape{
			Size: rapid.Int64Range(0, 300).Draw(t, "size"), Chunk: rapid.SampledFrom([]int64{0, 32, 48, 400}).Draw(t, "chunk"),
			Align: rapid.SampledFrom([]int64{0, 1, 8, 16}).Draw(t, "align"),
		}
		p, err := plan.New(shape)
		if err != nil {
			t.Fatal(err)
		}
		data := rapid.SliceOfN(rapid.Byte(), int(shape.Size), int(shape.Size)).Draw(t, "data")
		chunk := shape.Chunk
		if chunk == 0 {
			chunk = max(1, shape.Size)
		}
		const missing, out, safe = 0, 1, 2
		state := make([]int, shape.Size)
		set := func(g plan.Piece, to int) {
			for i := g.From; i < g.To; i++ {
				state[i] = to
			}
		}
		sums := func() (received [][2]int64) {
			for i, s := range state {
				if s == safe {
					received = append(received, [2]int64{int64(i), int64(i) + 1})
				}
			}
			return received
		}
		var under []plan.Piece
		empty := false
		for step := 0; ; step++ {
			most := rapid.Int64Range(1, 100).Draw(t, "most")
			if step > 400 {
				most = 1 << 20
			}
			g, ok := p.Take(most)
			if ok {
				begin := g.Index * chunk
				end := min(shape.Size, begin+chunk)
				switch {
				case g.From < begin || g.To > end || g.Whole != (g.From == begin && g.To == end):
					t.Fatalf("%+v is not of its chunk [%d,%d)", g, begin, end)
				case shape.Align == 0 && !g.Whole:
					t.Fatalf("%+v is cut", g)
				case shape.Align > 0 && ((g.From-begin)%shape.Align != 0 || (g.To-begin)%shape.Align != 0 && g.To != end):
					t.Fatalf("%+v is cut at the wrong place", g)
				case shape.Align > 0 && g.Len() > max(most, shape.Align):
					t.Fatalf("%+v is longer than %d", g, most)
				case g.Len() == 0 && (shape.Size > 0 || empty):
					t.Fatalf("%+v is nothing", g)
				}
				for i := g.From; i < g.To; i++ {
					if state[i] != missing {
						t.Fatalf("byte %d of %+v was given out before", i, g)
					}
				}
				set(g, out)
				p.Note(g, crc64nvme.Checksum(data[g.From:g.To]))
				under = append(under, g)
			} else if len(under) == 0 {
				break
			}
			if len(under) > 0 && (!ok || rapid.Bool().Draw(t, "one ends")) {
				i := rapid.IntRange(0, len(under)-1).Draw(t, "which")
				g := under[i]
				under = append(under[:i], under[i+1:]...)
				how := "done"
				if step < 300 {
					how = rapid.SampledFrom([]string{"done", "lost", "unseen"}).Draw(t, "how")
				}
				switch how {
				case "done":
					set(g, safe)
					p.Done(g)
					empty = empty || g.Len() == 0
				case "lost":
					set(g, missing)
					p.Return(g)
				case "unseen":
					set(g, safe)
					p.Return(g)
					p.Learn([][2]int64{{g.From, g.To}}, g.Len() == 0)
					if all, _ := p.Has(g); !all {
						t.Fatalf("%+v is not known to be in", g)
					}
				}
			}
		}
		if got := p.Safe(); got != shape.Size || int64(len(sums())) != shape.Size {
			t.Fatalf("%d of %d bytes are safe", got, shape.Size)
		}
		read := 0
		whole, err := p.CRC(func(from, to int64) (uint64, error) {
			read++
			return crc64nvme.Checksum(data[from:to]), nil
		})
		if want := crc64nvme.Checksum(data); err != nil || whole != want {
			t.Fatalf("the sum is %016x, want %016x, %v", whole, want, err)
		}
		if read > 0 {
			t.Fatalf("%d parts were read again although all were summed", read)
		}
	})
}

func TestWhatTheServerHasIsNotGivenOut(t *testing.T) {
	t.Parallel()
	p, err := plan.New(plan.Shape{Size: 100, Chunk: 40, Align: 10})
	if err != nil {
		t.Fatal(err)
	}
	p.Receive([][2]int64{{10, 20}, {40, 80}}, false)
	want := []plan.Piece{{Index: 0, From: 0, To: 10}, {Index: 0, From: 20, To: 40}, {Index: 2, From: 80, To: 100, Whole: true}}
	for _, w := range want {
		if g, ok := p.Take(1000); !ok || g != w {
			t.Errorf("gives %+v, want %+v", g, w)
		}
	}
	if g, ok := p.Take(1000); ok {
		t.Errorf("gives %+v after all", g)
	}
	// A server without pieces gets what lies there in part as a whole.
	if p, err = plan.New(plan.Shape{Size: 100, Chunk: 40}); err != nil {
		t.Fatal(err)
	}
	p.Receive([][2]int64{{10, 85}}, false)
	for _, index := range []int64{0, 2} {
		if g, ok := p.Take(1); !ok || g.Index != index || !g.Whole {
			t.Errorf("gives %+v, want chunk %d", g, index)
		}
	}
}
