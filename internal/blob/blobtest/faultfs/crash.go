package faultfs

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Kill ends the process and returns what the next one finds: everything, for
// the kernel lives on.
func (s *FS) Kill() *FS {
	return s.reboot(func(n *node) (map[string]*node, []byte) { return n.entries, n.data })
}

// Crash cuts the power and returns what the next boot finds: what was synced,
// and of the rest whatever seed chooses. The same seed finds the same.
func (s *FS) Crash(seed uint64) *FS {
	s.mu.Lock()
	r := rand.New(rand.NewPCG(seed, 0x77686172)) // a test's choice, not a secret
	lose(s.root, r, map[*node]bool{})
	s.mu.Unlock()
	return s.reboot(func(n *node) (map[string]*node, []byte) { return n.safe, n.safeData })
}

// lose settles what luck leaves of n: a prefix of its changes, some of its
// pages, perhaps its length.
func lose(n *node, r *rand.Rand, seen map[*node]bool) {
	if seen[n] {
		return
	}
	seen[n] = true
	if !n.dir {
		size := len(n.safeData)
		if r.IntN(2) == 0 {
			size = len(n.data)
		}
		pages := slices.Sorted(maps.Keys(n.dirty))
		keep := map[int]int{}
		for _, page := range pages {
			keep[page] = [...]int{0, Page, r.IntN(Page)}[r.IntN(3)]
		}
		n.settlePages(func(page int) int { return keep[page] }, size)
		return
	}
	if k := r.IntN(len(n.log) + 1); k > 0 {
		n.log[k-1].settle()
	}
	// Children of both states: a name may be safe that is live no more.
	for _, m := range []map[string]*node{n.entries, n.safe} {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			lose(m[name], r, seen)
		}
	}
}

// reboot copies the state that pick chooses and turns s off.
func (s *FS) reboot(pick func(*node) (map[string]*node, []byte)) *FS {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = true
	next := New()
	next.room, next.ticks = s.room, s.ticks
	next.root = copyNode(s.root, pick, map[*node]*node{})
	return next
}

// copyNode keeps a file under two names one file.
func copyNode(n *node, pick func(*node) (map[string]*node, []byte), done map[*node]*node) *node {
	if c := done[n]; c != nil {
		return c
	}
	entries, data := pick(n)
	c := &node{dir: n.dir, mod: n.mod}
	done[n] = c
	if !n.dir {
		c.data, c.safeData, c.dirty = slices.Clone(data), slices.Clone(data), map[int]bool{}
		c.reserved = min(n.reserved, int64(len(data)))
		return c
	}
	c.entries, c.safe = map[string]*node{}, map[string]*node{}
	for name, e := range entries {
		c.entries[name] = copyNode(e, pick, done)
		c.safe[name] = c.entries[name]
	}
	return c
}
