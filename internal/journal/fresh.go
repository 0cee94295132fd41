package journal

// maxFresh bounds the bytes of written entries that memory holds as well.
const maxFresh = 4 << 20

// fresh are entries that were written a moment ago. Most leave at once, and need not be read from the file for it.
type fresh struct {
	entries map[uint64]*Entry // by number
	bytes   int               // of them in the file
}

// put keeps an entry while there is room.
func (f *fresh) put(it item, e *Entry) {
	if f.bytes+int(it.size) <= maxFresh {
		f.entries[it.seq] = e
		f.bytes += int(it.size)
	}
}

// take returns an entry once; one that is refused is read from the file when it comes again.
func (f *fresh) take(it item) (Entry, bool) {
	kept := f.entries[it.seq]
	if kept == nil {
		return Entry{}, false
	}
	delete(f.entries, it.seq)
	f.bytes -= int(it.size)
	return kept.asStored(), true
}
