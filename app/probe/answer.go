package probe

import (
	"slices"
	"strings"
	"time"
)

// Status is the verdict on one address.
type Status string

// The statuses. A refusal that is about us, a 4xx, silence and a broken connection are always Unknown.
const (
	Valid      Status = "valid"      // the server accepts this name and refuses others, as far as this answer goes
	Invalid    Status = "invalid"    // the server or the DNS says there is no such mailbox
	AcceptAll  Status = "accept_all" // the server accepts any name
	Unknown    Status = "unknown"    // nobody can tell now; the reason says why
	Disposable Status = "disposable" // a throw-away domain; set by callers from Domain.Disposable
	Webmail    Status = "webmail"    // a public mailbox provider; set by callers from Domain.Webmail
)

// Reason is the machine-readable cause of a status.
type Reason string

// The reasons.
const (
	MailboxExists   Reason = "mailbox_exists"    // 250, 251, or "receiving mail at a rate that…" (Gmail)
	MailboxNotFound Reason = "mailbox_not_found" // an enhanced code X.1.1, X.1.10, … or a text that says so
	MailboxFull     Reason = "mailbox_full"      // it exists but is over quota: risky
	MailboxDisabled Reason = "mailbox_disabled"  // it existed and is switched off

	NoMX           Reason = "no_mx"            // the domain exists and has no mail server
	NullMX         Reason = "null_mx"          // the domain says it takes no mail (RFC 7505)
	DomainNotFound Reason = "domain_not_found" // NXDOMAIN
	Unroutable     Reason = "unroutable"       // every mail server has a private or otherwise unusable address
	DNSFailed      Reason = "dns_failed"       // SERVFAIL, REFUSED, time-out: ask again

	Greylisted            Reason = "greylisted"              // come back after RetryAfter, from the same IP and sender
	BlockedByServer       Reason = "blocked_by_server"       // about us: blocklist, policy, sender, rDNS, relaying
	ServerUnavailable     Reason = "server_unavailable"      // no connection, 421, busy, or resting after failures
	Timeout               Reason = "timeout"                 // a reply did not come in time, or the caller's context ended
	TLSRequired           Reason = "tls_required"            // STARTTLS is demanded and cannot be had
	NotVerifiable         Reason = "not_verifiable"          // the server says it cannot say (252, SMTPUTF8 missing, …)
	NotVerifiableProvider Reason = "not_verifiable_provider" // the provider is known to say yes to every name
	RejectedUnclear       Reason = "rejected_unclear"        // a 5xx that names neither the mailbox nor us as the cause
	AcceptsAll            Reason = "accepts_all"             // invented names are accepted too
	NotSMTP               Reason = "not_smtp"                // what answers does not speak SMTP, or speaks without end
	BadInput              Reason = "bad_input"               // the question makes no sense
)

// Line is one line of a conversation.
type Line struct {
	At   time.Time `json:"at"`
	From string    `json:"from"` // "C" the client, "S" the server, "I" information: connected, TLS, resting
	Text string    `json:"text"` // printable, at most 512 bytes
}

// Answer is the verdict on one address and what it rests on.
type Answer struct {
	Address  string `json:"address"`
	Status   Status `json:"status"`
	Reason   Reason `json:"reason"`
	Code     int    `json:"code"`     // SMTP reply code that decided, 0 = none
	Enhanced string `json:"enhanced"` // RFC 3463 code such as "5.1.1", "" = none
	Text     string `json:"text"`     // the reply's text, or what went wrong in words; at most 1 KiB
	Host     string `json:"host"`     // MX host that answered, "" = none was reached
	IP       string `json:"ip"`
	TLS      bool   `json:"tls"`
	// Backup says that the answer comes from an MX host that is not of the best preference, because those were not reached.
	Backup     bool          `json:"backup"`
	At         time.Time     `json:"at"`
	Took       time.Duration `json:"took"`        // nanoseconds, waiting for a session included
	RetryAfter time.Duration `json:"retry_after"` // nanoseconds; > 0: asking again after this may help
	Lines      []Line        `json:"lines"`       // at most 64
}

// connected begins the line of a new session.
const connected = "connected to "

// Opened reports whether a session was opened for this answer.
func (a Answer) Opened() bool {
	return slices.ContainsFunc(a.Lines, func(l Line) bool { return l.From == "I" && strings.HasPrefix(l.Text, connected) })
}

// Tri is an answer that may be missing.
type Tri string

// The three answers.
const (
	Yes    Tri = "yes"
	No     Tri = "no"
	Unsure Tri = "unknown"
)

// AcceptAllAnswer says whether a domain's server accepts names that nobody has.
// No with Reason RejectedUnclear means: invented names are refused, but not in words that name the mailbox.
type AcceptAllAnswer struct {
	Verdict    Tri           `json:"verdict"`
	At         time.Time     `json:"at"`
	Reason     Reason        `json:"reason"`
	RetryAfter time.Duration `json:"retry_after"` // nanoseconds; > 0: asking again after this may help
	Probes     []Answer      `json:"probes"`      // one or two; none when the domain or its provider decided
	Servers    []string      `json:"servers"`     // the domain's mail servers then, sorted: the answer is theirs
}

// Of reports whether the answer was given by the servers that the domain has now. One that was kept without their names is
// taken for theirs while the server that gave it is among them.
func (a AcceptAllAnswer) Of(d Domain) bool {
	now := d.servers()
	if len(a.Servers) > 0 {
		return slices.Equal(a.Servers, now)
	}
	for _, p := range a.Probes {
		if p.Host != "" && !slices.Contains(now, p.Host) {
			return false
		}
	}
	return true
}
