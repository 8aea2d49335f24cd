package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// askHost asks one host. A session that was limited or dropped before an answer to this question is replaced by a fresh
// one; a fresh one that is dropped too is replaced once.
func (p *Prober) askHost(ctx context.Context, h Host, q *question) outcome {
	var out outcome
	drops := 0
	for try := range maxTries {
		s, failure := p.session(ctx, h, q, try > 0)
		if s == nil {
			if drops++; failure.dropped && drops == 1 && ctx.Err() == nil {
				continue
			}
			return failure
		}
		used, reused, idle := s.rcpts, s.served > 0, time.Since(s.freeSince)
		var again bool
		out, again = p.converse(ctx, s, q)
		p.report(ctx, h.Name, out, again && reused)
		_, perSession := p.memory.limits(h.Name, &p.cfg)
		p.pool.release(s, s.worthKeeping(perSession))
		if !again {
			return out
		}
		if !reused {
			if drops++; drops > 1 {
				return out
			}
		} else if used > 0 && idle < learnedAfter {
			p.memory.learn(h.Name, func(f *hostFacts) { f.perSession = used })
		}
	}
	return out
}

// report tells the memory how the host did. What only shows that a reused session was at its end shows nothing.
func (p *Prober) report(ctx context.Context, host string, out outcome, excused bool) {
	switch {
	case excused:
	case out.strike && !ended(ctx):
		if left := p.memory.failed(host, out.reason); left > 0 {
			p.log.Info("mail host rests", "host", host, "reason", string(out.reason), "for", left)
			if p.cfg.Gate != nil {
				p.cfg.Gate.Rest(host, out.reason, left)
			}
		}
	case out.reply.code != 0 && !out.strike:
		p.memory.works(host)
	default:
		p.memory.undecided(host)
	}
}

func (s *session) worthKeeping(perSession int) bool {
	return !s.broken && !s.spent && s.r.Buffered() == 0 && s.rcpts < perSession && s.refusals < maxRefusals
}

// session is an open session to h, from the pool or new. A nil session comes with the failure.
func (p *Prober) session(ctx context.Context, h Host, q *question, fresh bool) (*session, outcome) {
	if left, why := p.memory.resting(h.Name); left > 0 {
		return nil, resting(h, left, why, q)
	}
	s, err := p.pool.acquire(ctx, h.Name)
	if err != nil {
		return nil, p.broken(ctx, h, err)
	}
	if s != nil && !fresh && s.quiet() {
		s.notes = q.notes
		q.notes.add("I", fmt.Sprintf("open session to %s [%s], %d recipients so far", s.host, s.ip, s.rcpts))
		p.stats.reused.Add(1)
		return s, outcome{}
	}
	if s != nil {
		s.end() // its slot is ours now
	}
	if left, why := p.memory.mayDial(h.Name); left > 0 {
		p.pool.free(h.Name)
		return nil, resting(h, left, why, q)
	}
	done, failure := p.admit(ctx, h, q)
	if done == nil {
		p.memory.undecided(h.Name)
		p.pool.free(h.Name)
		return nil, failure
	}
	s, failure = p.open(ctx, h, q, done)
	if s == nil {
		p.report(ctx, h.Name, failure, false)
	}
	return s, failure
}

func resting(h Host, left time.Duration, why Reason, q *question) outcome {
	text := fmt.Sprintf("%s rests for %s after failures in a row", h.Name, left.Round(time.Second))
	q.notes.add("I", text)
	if why != BlockedByServer {
		why = ServerUnavailable
	}
	v := unknown(why, left)
	v.next = true
	return outcome{verdict: v, text: text, host: h.Name}
}

// open connects to the first address of h that answers and greets. When none does it gives the slot back. done is called
// when the session is over, or when there is none.
func (p *Prober) open(ctx context.Context, h Host, q *question, done func()) (*session, outcome) {
	out := notTried(h)
	for _, ip := range p.memory.order(h) {
		if ctx.Err() != nil {
			out = p.broken(ctx, h, ctx.Err())
			break
		}
		if q.dials++; q.dials > maxDials {
			break
		}
		conn, err := p.connect(ctx, h.Name, ip)
		if err != nil {
			q.notes.add("I", fmt.Sprintf("no connection to %s [%s]: %s", h.Name, ip, inWords(err)))
			if !ended(ctx) {
				p.memory.markIP(h.Name, ip, false)
			}
			out = p.broken(ctx, h, err)
			out.ip, out.dropped = ip, false
			continue
		}
		p.memory.markIP(h.Name, ip, true)
		q.notes.add("I", fmt.Sprintf(connected+"%s [%s]%s", h.Name, ip, p.sources.from(conn)))
		s := newSession(conn, h.Name, ip, &p.cfg, q.notes)
		s.done = done
		if out, ok := p.greet(ctx, h, s); !ok {
			p.pool.retire(s)
			out.host, out.ip, out.tls = h.Name, ip, s.tls
			return nil, out
		}
		return s, outcome{}
	}
	done()
	p.pool.free(h.Name)
	return nil, out
}

// notTried is the outcome of a host without addresses, or one that comes after maxDials.
func notTried(h Host) outcome {
	out := outcome{verdict: unknown(ServerUnavailable, busyRetry), host: h.Name, text: "too many connections were tried before this one"}
	if len(h.IPs) == 0 {
		out.reason, out.retry, out.text = DNSFailed, dnsRetryAfter, "the address of "+h.Name+" is not known just now"
	}
	out.next = true
	return out
}

// greet goes through banner and hello, and TLS when the host is known to want it. What goes wrong here is never about a
// mailbox.
func (p *Prober) greet(ctx context.Context, h Host, s *session) (outcome, bool) {
	rep, err := s.greeting(ctx)
	if err != nil {
		return p.broken(ctx, h, err), false
	}
	if rep.code != 220 {
		return outcome{verdict: judgeBanner(rep), reply: rep}, false
	}
	if rep, err = s.hello(ctx); err != nil {
		return p.broken(ctx, h, err), false
	}
	if rep.class() != 2 {
		return outcome{verdict: judgeHello(rep), reply: rep}, false
	}
	if p.memory.wantsTLS(h.Name) && s.extensions["STARTTLS"] {
		if out, ok := p.upgrade(ctx, s); !ok {
			return out, false
		}
	}
	return outcome{}, true
}

// converse asks over an open session. again says that the session ended before it answered, so another may be asked.
func (p *Prober) converse(ctx context.Context, s *session, q *question) (out outcome, again bool) {
	defer func() { out.host, out.ip, out.tls = s.host, s.ip, s.tls }()
	if q.utf8 && !s.extensions["SMTPUTF8"] {
		return outcome{verdict: unknown(NotVerifiable, 0), text: "the server does not take letters beyond ASCII before the @"}, false
	}
	before := s.rcpts
	out, err := p.exchange(ctx, s, q)
	if err == nil && out.verdict.tls && !s.tls {
		if out, ok := p.upgrade(ctx, s); !ok {
			return out, false
		}
		out, err = p.exchange(ctx, s, q)
	}
	if taken := s.tx.rcpts; err == nil && out.limited && taken > 0 {
		p.memory.learn(s.host, func(f *hostFacts) { f.perTx = taken })
		out, err = p.exchange(ctx, s, q)
	}
	if err != nil {
		grouped := len(q.more) > 0 && errors.Is(err, errOutOfTurn)
		out = p.broken(ctx, Host{Name: s.host}, err)
		out.next = false
		return out, out.dropped || grouped
	}
	if out.limited {
		s.spent = true
	}
	return out, before > 0 && (out.limited || out.reply.code == 421)
}

// exchange poses the question and judges what was heard. err is the end of the session before an answer to the first address.
func (p *Prober) exchange(ctx context.Context, s *session, q *question) (outcome, error) {
	perTx, perSession := p.memory.limits(s.host, &p.cfg)
	q.apart = p.memory.apart(s.host)
	h, err := s.pose(ctx, q, perTx, perSession)
	p.stats.rcpts.Add(int64(len(h.rcpts)))
	switch {
	case h.mail.code != 0:
		return outcome{verdict: judgeMail(h.mail, p.cfg.GreylistDelay), reply: h.mail}, nil
	case len(h.rcpts) == 0:
		if errors.Is(err, errOutOfTurn) && len(q.more) > 0 {
			p.memory.learn(s.host, func(f *hostFacts) { f.apart = true })
		}
		return outcome{}, err
	}
	out := outcome{verdict: judge(h.rcpts[0], p.cfg.GreylistDelay), reply: h.rcpts[0]}
	s.count(out)
	answered := 1
	for i, rep := range h.rcpts[1:] {
		o := outcome{verdict: judge(rep, p.cfg.GreylistDelay), reply: rep, host: s.host, ip: s.ip, tls: s.tls, notes: h.more[i]}
		s.count(o)
		if answered == i+1 && out.answers() && o.answers() { // else it was not asked, nor were those behind it
			out.more = append(out.more, o)
			answered++
		}
	}
	if out.answers() && (answered < len(h.rcpts) || err != nil) {
		p.cutShort(ctx, s, h.rcpts[answered:], err)
	}
	return out, nil
}

// answers reports whether a reply is about the address, and not about the transaction or the session.
func (o outcome) answers() bool { return !o.limited && !o.verdict.tls && o.reply.code != 421 }

// cutShort learns from a group that was answered in part how many recipients the server takes in a transaction or a session.
func (p *Prober) cutShort(ctx context.Context, s *session, rest []reply, err error) {
	inTx, inSession := s.tx.rcpts, s.rcpts
	switch {
	case len(rest) > 0 && rest[0].code != 421:
		p.memory.learn(s.host, func(f *hostFacts) { f.perTx = inTx })
	case len(rest) > 0, !ended(ctx) && !timedOut(err):
		p.memory.learn(s.host, func(f *hostFacts) { f.perSession = inSession })
	}
}

// upgrade starts TLS because the host demands it, and remembers that it does.
func (p *Prober) upgrade(ctx context.Context, s *session) (outcome, bool) {
	failed := outcome{verdict: verdict{status: Unknown, reason: TLSRequired}}
	if !s.extensions["STARTTLS"] {
		failed.text = "the server demands TLS and does not offer it"
		return failed, false
	}
	rep, err := s.startTLS(ctx)
	switch {
	case err != nil && ended(ctx):
		return p.broken(ctx, Host{Name: s.host}, err), false
	case err != nil:
		failed.text = err.Error()
		return failed, false
	case rep.class() != 2:
		failed.reply = rep
		return failed, false
	}
	p.memory.learn(s.host, func(f *hostFacts) { f.tls = true })
	return outcome{}, true
}

// broken is the outcome of a connection that could not be made or did not last.
func (p *Prober) broken(ctx context.Context, h Host, err error) outcome {
	out := outcome{verdict: unknown(ServerUnavailable, busyRetry), host: h.Name, text: inWords(err)}
	var refused *unroutableError
	switch {
	case p.ctx.Err() != nil:
		out.text = errClosed.Error()
		return out
	case ended(ctx):
		out.reason = Timeout
		return out
	case errors.Is(err, errUnsafe):
		out.verdict = unknown(BadInput, 0)
		return out
	case errors.As(err, &refused):
		out.verdict = unknown(Unroutable, 0)
	case errors.Is(err, errNotSMTP):
		out.verdict = unknown(NotSMTP, 0)
	case timedOut(err):
		out.reason = Timeout
	default:
		out.dropped = true
	}
	out.strike, out.next = true, true
	return out
}

// ended says whether the caller's time is over. A connection's deadline may fire a moment before the context's own.
func ended(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && time.Until(deadline) <= 0
}

// inWords tells people what the usual ends of a connection mean.
func inWords(err error) string {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the server closed the connection without an answer"
	case errors.Is(err, context.Canceled):
		return "the question was called off"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the server refuses connections"
	case timedOut(err):
		return "no answer in time"
	}
	return err.Error()
}

func timedOut(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}
