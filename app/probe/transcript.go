package probe

import "time"

// Bounds of a transcript.
const (
	maxLines    = 64
	maxLineText = 512
)

// transcript collects the lines of one address's conversation. Its last place is kept for the note that it was cut.
type transcript struct{ lines []Line }

func (t *transcript) add(from, text string) {
	if t == nil || len(t.lines) >= maxLines {
		return
	}
	if len(t.lines) == maxLines-1 {
		from, text = "I", "further lines are left out"
	}
	t.lines = append(t.lines, Line{At: time.Now(), From: from, Text: printable(text, maxLineText)})
}

func (t *transcript) reply(r reply) {
	for _, line := range r.lines {
		t.add("S", line)
	}
}

// fork is a transcript that begins as t does and goes on with lines.
func (t *transcript) fork(lines []Line) *transcript {
	all := append(append([]Line(nil), t.lines...), lines...)
	return &transcript{lines: all[:min(len(all), maxLines)]}
}
