package arrange

// BoundCopies sets how many nodes are copied in one transaction, and at all.
func (k *Keeper) BoundCopies(turn, most int) { k.copyTurn, k.copyMost = turn, most }

// BoundRemovals sets how many nodes are removed in one transaction.
func (k *Keeper) BoundRemovals(turn int) { k.removeTurn = turn }
