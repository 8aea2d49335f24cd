package probe

import (
	"context"
	"strings"
)

// maxGroup is how many addresses are asked in one go.
const maxGroup = 8

// heard is what a server said to a question: to MAIL when that was refused, else to its addresses, as far as it went.
type heard struct {
	mail  reply // its code is 0 when MAIL was taken or not needed
	rcpts []reply
	more  []*transcript // of the addresses after the first
}

// pose asks for the first address of q, and, where the server takes commands in groups (RFC 2920), for as many of the others
// as it has room for, with MAIL in the same group when a transaction must be opened. err is what ended the session; what
// was heard before it stands.
func (s *session) pose(ctx context.Context, q *question, perTx, perSession int) (heard, error) {
	if !s.extensions["PIPELINING"] {
		return s.poseAlone(ctx, q, perTx)
	}
	more := q.more[:min(len(q.more), s.room(perTx, perSession)-1)]
	if q.apart {
		more = nil
	}
	var lines []string
	if !s.fits(q, perTx-len(more)) {
		if s.tx.open {
			lines = append(lines, "RSET")
		}
		lines = append(lines, s.mailLine(q))
	}
	opening := len(lines)
	lines = append(lines, rcptLine(q.address))
	for _, address := range more {
		lines = append(lines, rcptLine(address))
	}
	return s.group(ctx, q, lines, opening)
}

func rcptLine(address string) string { return "RCPT TO:<" + address + ">" }

// group sends lines, of which the first opening are no RCPT, and sorts the replies: each address has a transcript of its own
// that begins with what was said to all of them.
func (s *session) group(ctx context.Context, q *question, lines []string, opening int) (h heard, err error) {
	if err := s.send(ctx, nil, lines); err != nil {
		s.notes.add("I", inWords(err))
		return h, err
	}
	for _, line := range lines[:opening] {
		s.notes.add("C", line)
	}
	talk := make([]transcript, len(lines)-opening)
	for i, line := range lines[opening:] {
		talk[i].add("C", line)
	}
	h, err = s.replies(ctx, q, opening, talk)
	if err == nil && !s.spent && len(lines) > 1 && (s.r.Buffered() > 0 || crossed(lines[opening:], h.rcpts)) {
		h, err = heard{}, s.fail(ctx, s.notes, errOutOfTurn)
	}
	for i := 1; i < len(h.rcpts); i++ {
		h.more = append(h.more, s.notes.fork(talk[i].lines))
	}
	s.notes.lines = s.notes.fork(talk[0].lines).lines
	return h, err
}

// replies reads what a group is answered.
func (s *session) replies(ctx context.Context, q *question, opening int, talk []transcript) (h heard, err error) {
	for i := range opening + len(talk) {
		notes := s.notes
		if i >= opening {
			notes = &talk[i-opening]
		}
		rep, err := s.hear(ctx, notes)
		if err != nil {
			return h, err
		}
		switch {
		case h.mail.code != 0: // what is said to recipients without a transaction is about no recipient
		case i == opening-1:
			s.tx = transaction{open: rep.class() == 2, domain: q.domain, utf8: q.utf8}
			if rep.class() != 2 {
				h.mail = rep
			}
		case i < opening:
			if s.spent {
				h.mail = rep
			}
		default:
			h.rcpts = append(h.rcpts, rep)
		}
		if s.spent {
			break
		}
	}
	return h, nil
}

// poseAlone asks for one address with one command at a time.
func (s *session) poseAlone(ctx context.Context, q *question, perTx int) (h heard, err error) {
	if !s.fits(q, perTx) {
		if s.tx.open {
			if rep, err := s.command(ctx, "RSET"); err != nil || s.spent {
				h.mail = rep
				return h, err
			}
		}
		rep, err := s.command(ctx, s.mailLine(q))
		s.tx = transaction{open: err == nil && rep.class() == 2, domain: q.domain, utf8: q.utf8}
		if err != nil || rep.class() != 2 {
			h.mail = rep
			return h, err
		}
	}
	rep, err := s.command(ctx, rcptLine(q.address))
	if err == nil {
		h.rcpts = []reply{rep}
	}
	return h, err
}

// room is how many addresses may be asked in one go before the transaction, the session or the server's patience is at its end.
func (s *session) room(perTx, perSession int) int {
	return max(1, min(maxGroup, perTx, perSession-s.rcpts, maxRefusals-s.refusals))
}

// fits holds while a transaction is open that takes another recipient of q's domain.
func (s *session) fits(q *question, perTx int) bool {
	return s.tx.open && s.tx.domain == q.domain && s.tx.utf8 == q.utf8 && s.tx.rcpts < perTx
}

func (s *session) mailLine(q *question) string {
	line := "MAIL FROM:<" + s.cfg.MailFrom + ">"
	if q.utf8 {
		line += " SMTPUTF8"
	}
	return line
}

// count notes a reply to RCPT: a recipient, unless it says that there may be no more of them, and one refusal more or not.
func (s *session) count(o outcome) {
	if o.answers() {
		s.tx.rcpts++
		s.rcpts++
	}
	if o.reply.class() != 2 {
		s.refusals++
	}
}

// crossed holds when a reply names an address of the group other than the one that it should be about.
func crossed(rcpts []string, replies []reply) bool {
	named := make([]string, len(rcpts))
	for i, line := range rcpts {
		named[i] = strings.ToLower(line[strings.IndexByte(line, '<'):])
	}
	for i, rep := range replies {
		text := strings.ToLower(rep.text)
		if strings.Contains(text, named[i]) {
			continue
		}
		for _, other := range named {
			if strings.Contains(text, other) {
				return true
			}
		}
	}
	return false
}
