// Package mailworld is a simulated mail internet on loopback: an authoritative DNS server and SMTP servers that behave
// like those of real companies, good and bad, with invented people who do or do not have a mailbox there.
//
// It is a part of the product (`--demo`, tests and benchmarks use it), not a mock inside the prober: whoever asks it
// speaks DNS and SMTP over real sockets, and it counts every breach of those protocols.
//
// A World is described completely by New, Demo or Gallery and never changes afterwards; Start opens its sockets and
// Close shuts them. Every MX host has an address of its own, 127.64.x.y, and all share one SMTP port.
package mailworld
