package probe

import (
	"context"
	"time"
)

// Bounds of one question.
const (
	maxDials = 6 // connections tried, over all hosts and addresses
	maxTries = 4 // sessions of one host: reused, and fresh after a drop or a limit
)

// question is one address on its way through the hosts.
type question struct {
	address string   // as it is sent: the domain in A-labels
	more    []string // of the same domain and alphabet, to be asked in the same go as address, or not at all
	domain  string
	utf8    bool // needs SMTPUTF8 (RFC 6531)
	apart   bool // the host is not to be asked in groups
	notes   *transcript
	dials   int
}

func newQuestion(local, domain string, notes *transcript) *question {
	return &question{address: local + "@" + domain, domain: domain, utf8: !ascii(local), notes: notes}
}

// outcome is what a host made of a question.
type outcome struct {
	verdict
	reply    reply
	text     string // when there is no reply
	host, ip string
	tls      bool
	backup   bool
	dropped  bool      // the connection broke before an answer
	more     []outcome // what became of the first of question.more
	notes    *transcript
}

// Check asks the domain's best living mail server for one address with one RCPT, over a pooled session, and waits for one
// while there is none. It never fails: what could not be found out is Unknown with a reason. The end of ctx is Timeout.
func (p *Prober) Check(ctx context.Context, d Domain, address string) Answer {
	return p.CheckGroup(ctx, d, []string{address})[0]
}

// CheckGroup is Check for several addresses of one domain, in one go where the server takes commands in groups. It answers
// for the first address, and for as many of those behind it as the server was asked for and replied to. An address without
// an answer was not asked.
func (p *Prober) CheckGroup(ctx context.Context, d Domain, addresses []string) []Answer {
	start := time.Now()
	answers := p.check(ctx, d, addresses)
	for i := range answers {
		answers[i].At, answers[i].Took = start, time.Since(start)
	}
	return answers
}

func (p *Prober) check(ctx context.Context, d Domain, addresses []string) []Answer {
	a := Answer{Address: addresses[0]}
	local, domain, ok := ValidAddress(a.Address)
	status, reason, decided := d.Verdict()
	switch {
	case !ok:
		a.settle(Invalid, BadInput, "this is not a mail address")
	case domain != d.Name:
		a.settle(Unknown, BadInput, "the address is not of the domain "+d.Name)
	case decided:
		a.settle(status, reason, d.Detail)
		if d.State == StateDNSFailed {
			a.RetryAfter = dnsRetryAfter
		}
	case len(d.Hosts) == 0:
		a.settle(Unknown, DNSFailed, "no mail server is known")
		a.RetryAfter = dnsRetryAfter
	case !p.enter():
		a.settle(Unknown, ServerUnavailable, errClosed.Error())
	default:
		defer p.leave()
		ctx, stop := p.bound(ctx)
		defer stop()
		q := newQuestion(local, domain, &transcript{})
		q.more = q.beside(addresses[1:])
		return p.inquire(ctx, d, addresses, q)
	}
	return []Answer{a}
}

// beside are the addresses that can be asked in one transaction with q's, up to the first that cannot.
func (q *question) beside(addresses []string) []string {
	var more []string
	for _, address := range addresses[:min(len(addresses), maxGroup-1)] {
		local, domain, ok := ValidAddress(address)
		if !ok || domain != q.domain || ascii(local) == q.utf8 {
			break
		}
		more = append(more, local+"@"+domain)
	}
	return more
}

// inquire asks the hosts and weighs each yes by what is known of the host.
func (p *Prober) inquire(ctx context.Context, d Domain, addresses []string, q *question) []Answer {
	first := p.ask(ctx, d.Hosts, q)
	first.notes = q.notes
	var answers []Answer
	for i, out := range append([]outcome{first}, first.more...) {
		out.backup = first.backup
		switch {
		case out.status == Invalid, out.reason == RejectedUnclear:
			p.memory.refuse(out.host, d.Name)
		case out.status == Valid && out.backup:
			out = p.distrust(ctx, d, out, out.notes)
		case out.status == Valid:
			out = p.doubt(ctx, d, out, out.notes)
		}
		if sayYesToAll[d.Provider] && out.status == Valid {
			out.status, out.reason = AcceptAll, NotVerifiableProvider
		}
		a := Answer{Address: addresses[i]}
		a.fill(out, out.notes)
		answers = append(answers, a)
	}
	return answers
}

func (a *Answer) settle(s Status, r Reason, text string) {
	a.Status, a.Reason, a.Text = s, r, printable(text, maxText)
}

func (a *Answer) fill(out outcome, notes *transcript) {
	a.settle(out.status, out.reason, out.text)
	if out.reply.code != 0 {
		a.Code, a.Enhanced, a.Text = out.reply.code, out.reply.enhanced, out.reply.text
	}
	a.Host, a.IP, a.TLS, a.Backup = out.host, out.ip, out.tls, out.backup
	a.RetryAfter, a.Lines = out.retry, notes.lines
}

// ask goes through the hosts by preference, and on to the next one only when a host could not be talked to: a host that
// answers decides, also with 4xx. When all fail the best host's failure is the outcome.
func (p *Prober) ask(ctx context.Context, hosts []Host, q *question) outcome {
	var first outcome
	for i, h := range hosts {
		out := p.askHost(ctx, h, q)
		out.backup = h.Pref > hosts[0].Pref
		if !out.next {
			return out
		}
		if i == 0 {
			first = out
		}
		if ctx.Err() != nil || q.dials >= maxDials {
			break
		}
	}
	return first
}
