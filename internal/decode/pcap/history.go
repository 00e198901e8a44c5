package pcap

// maxHistory bounds a history. Letters come once, or at 1, 10, 100 … times.
const maxHistory = 32

// A history is the course of a flow in the letters of Zeek's conn.log: upper
// case for the originator. Who that is may turn out late, so that the letters
// keep their side until they are read.
type history struct {
	letters [maxHistory]byte // lower case, and sideBit for side 1
	n       uint8
	seen    [2]uint16 // of the letters that come once
}

const sideBit = 0x80

// onceBits gives each letter that comes once a bit.
const (
	onceS uint16 = 1 << iota
	onceH
	onceA
	onceD
	onceF
	onceR
	onceI
)

// once adds a letter that counts the first time.
func (h *history) once(s side, bit uint16, letter byte) {
	if h.seen[s]&bit == 0 {
		h.seen[s] |= bit
		h.add(s, letter)
	}
}

// scaled adds a letter where its count is a power of ten.
func (h *history) scaled(s side, count int64, letter byte) {
	for count >= 10 && count%10 == 0 {
		count /= 10
	}
	if count == 1 {
		h.add(s, letter)
	}
}

func (h *history) add(s side, letter byte) {
	if h.n < maxHistory {
		h.letters[h.n] = letter | s.bit()
		h.n++
	}
}

func (s side) bit() byte {
	if s == 1 {
		return sideBit
	}
	return 0
}

// text returns the history as Zeek writes it, with ^ for a flow whose
// originator did not send the first packet.
func (h *history) text(originator side, turned bool) string {
	b := make([]byte, 0, maxHistory+1)
	if turned {
		b = append(b, '^')
	}
	for _, l := range h.letters[:h.n] {
		letter := l &^ sideBit
		if l&sideBit == originator.bit() {
			letter -= 'a' - 'A'
		}
		b = append(b, letter)
	}
	return string(b)
}
