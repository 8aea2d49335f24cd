// Package probe asks the DNS and the mail servers of the world one question at a time: does this domain take mail,
// does it take any name, does this mailbox exist? It answers with a verdict and with the conversation that led to it.
//
// The way of a question:
//
//	Lookup     domain → MX hosts and their addresses, or why there are none   domain.go, resolve.go, dns.go
//	AcceptAll  two invented names → does the server tell names apart?         acceptall.go
//	Check      address → one RCPT over a pooled session → verdict             check.go, ask.go
//	             pool.go       who may open how many sessions, and who waits
//	             memory.go     what a host taught us: it rests, it limits, it wants TLS
//	             session.go    banner, EHLO, STARTTLS, MAIL, RCPT, QUIT
//	             reply.go      bytes → reply, within limits
//	             verdict.go    reply → verdict, a pure function; its words are in phrases.go
//
// Nothing is ever sent beyond RCPT: no DATA, no VRFY. What cannot be known is Unknown with a reason, never Invalid.
package probe
