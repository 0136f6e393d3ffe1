package grammar

import "hash/maphash"

// nameIndex finds a section by its name among those of a document. It is a table of their places, open addressing
// with one step, an eighth of what a map takes: the memory of a large file is most of what reading it costs.
type nameIndex struct {
	seed  maphash.Seed
	slots []uint32 // place of a section plus 1, 0 is free; the length is a power of two
	used  int
}

// newNameIndex makes room for n names; more may come.
func newNameIndex(n int) *nameIndex {
	size := 64
	for size < 2*n {
		size *= 2
	}
	return &nameIndex{seed: maphash.MakeSeed(), slots: make([]uint32, size)}
}

// put returns the section of that name among those put before; without one it enters i, the place where the section
// stands or is about to, and returns nil.
func (x *nameIndex) put(sections []Section, name string, i int) *Section {
	if 2*x.used >= len(x.slots) {
		x.grow(sections)
	}
	slot := x.slot(name)
	for ; x.slots[slot] != 0; slot = (slot + 1) & (len(x.slots) - 1) {
		if s := &sections[x.slots[slot]-1]; s.Name == name {
			return s
		}
	}
	x.slots[slot], x.used = uint32(i)+1, x.used+1
	return nil
}

func (x *nameIndex) slot(name string) int {
	return int(maphash.String(x.seed, name) & uint64(len(x.slots)-1)) //nolint:gosec // below the length
}

func (x *nameIndex) grow(sections []Section) {
	old := x.slots
	x.slots = make([]uint32, 2*len(old))
	for _, place := range old {
		if place == 0 {
			continue
		}
		slot := x.slot(sections[place-1].Name)
		for x.slots[slot] != 0 {
			slot = (slot + 1) & (len(x.slots) - 1)
		}
		x.slots[slot] = place
	}
}
