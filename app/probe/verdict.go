package probe

import (
	"strings"
	"time"
)

// When asking again may help, beyond greylisting.
const (
	busyRetry    = 5 * time.Minute  // 421, 4xx, no connection, no reply
	blockedRetry = 30 * time.Minute // a 4xx that is about us
)

// verdict is what a reply means. The functions here are pure: the catalogue of server behaviours as code.
type verdict struct {
	status Status
	reason Reason
	retry  time.Duration // > 0: asking again may help
	strike bool          // it is about the host or about us: counts towards the host's rest
	next   bool          // the next MX host may be asked instead
	// limited: the server wants no more recipients in this transaction or session; says nothing of the address.
	limited bool
	tls     bool // STARTTLS is demanded
}

func unknown(r Reason, retry time.Duration) verdict {
	return verdict{status: Unknown, reason: r, retry: retry}
}

func (v verdict) withStrike() verdict { v.strike = true; return v }

// judge is the verdict on a reply to RCPT. The class digit outranks all (4xx is never Invalid), the enhanced code
// (RFC 3463) outranks the text, the text decides what is left.
func judge(r reply, greylistDelay time.Duration) verdict {
	switch r.class() {
	case 2:
		return judgeAccepted(r)
	case 3:
		return unknown(NotSMTP, 0)
	}
	text, detail := words(r.text), r.detail()
	switch {
	case r.code == 421:
		return judgeClosing(text)
	case demandsTLS(r, text):
		return verdict{status: Unknown, reason: TLSRequired, tls: true}
	case detail == "5.3" || detail == "" && manyRecipients.in(text):
		return verdict{status: Unknown, reason: ServerUnavailable, retry: busyRetry, limited: true}
	case r.class() == 4:
		return judgeLater(r, detail, text, greylistDelay)
	}
	return judgeRefused(r, detail, text)
}

// detail is the enhanced code without its class: "1.1" of "5.1.1". The class is the reply code's business.
func (r reply) detail() string {
	_, detail, _ := strings.Cut(r.enhanced, ".")
	return detail
}

func judgeAccepted(r reply) verdict {
	switch r.code {
	case 250, 251: // 251: will forward (RFC 5321 §3.4)
		return verdict{status: Valid, reason: MailboxExists}
	}
	return unknown(NotVerifiable, 0) // 252: cannot verify, will try (RFC 5321 §3.5.3)
}

func judgeClosing(text string) verdict {
	if aboutUs.in(text) && !loadWords.in(text) {
		return unknown(BlockedByServer, blockedRetry).withStrike()
	}
	return unknown(ServerUnavailable, busyRetry).withStrike()
}

// judgeLater is for 4xx.
func judgeLater(r reply, detail, text string, greylistDelay time.Duration) verdict {
	later := func(reason Reason, standard time.Duration) verdict {
		return unknown(reason, waitHint(r.text, standard))
	}
	subject, number, _ := strings.Cut(detail, ".")
	switch {
	case detail == "2.2", detail == "" && fullMailbox.in(text):
		return verdict{status: Valid, reason: MailboxFull}
	case detail == "2.1" && receivingFast.in(text), detail == "" && receivingFast.in(text):
		return verdict{status: Valid, reason: MailboxExists}
	case subject == "7" && len(number) == 3: // Microsoft's 4.7.500 "server busy" and 4.7.650 "rate limited"
		return later(ServerUnavailable, busyRetry).withStrike()
	case detail == "7.25": // no reverse DNS (RFC 7372)
		return later(BlockedByServer, blockedRetry).withStrike()
	case greylistWords.in(text):
		return later(Greylisted, greylistDelay)
	case detail == "1.7" || detail == "1.8" || aboutUs.in(text):
		return later(BlockedByServer, blockedRetry)
	case detail == "7.1", detail == "7.0":
		return later(Greylisted, greylistDelay)
	case (r.code == 450 || r.code == 451) && laterWords.in(text) && !aboutSystem(subject):
		return later(Greylisted, greylistDelay)
	}
	return later(ServerUnavailable, busyRetry)
}

// aboutSystem holds for RFC 3463 subjects that are the server's own trouble: system, network, protocol.
func aboutSystem(subject string) bool { return subject == "3" || subject == "4" || subject == "5" }

// judgeRefused is for 5xx.
func judgeRefused(r reply, detail, text string) verdict {
	switch detail {
	case "1.1", "1.10", "1.3", "1.6":
		return verdict{status: Invalid, reason: MailboxNotFound}
	case "2.1":
		if receivingFast.in(text) { // Gmail says so with 4.2.1 and with 5.2.1
			return verdict{status: Valid, reason: MailboxExists}
		}
		return verdict{status: Invalid, reason: MailboxDisabled}
	case "2.2":
		return verdict{status: Valid, reason: MailboxFull}
	case "1.7", "1.8":
		return unknown(BlockedByServer, 0)
	case "1.4", "2.4": // ambiguous, or a list that cannot be expanded: something is there
		return unknown(NotVerifiable, 0)
	case "7.25":
		return unknown(BlockedByServer, 0).withStrike()
	}
	switch subject, _, _ := strings.Cut(detail, "."); subject {
	case "7":
		v := unknown(BlockedByServer, 0)
		v.strike = clientBlocked.in(text)
		return v
	case "6": // content, among it X.6.7: no SMTPUTF8 on the way (RFC 6531)
		return unknown(NotVerifiable, 0)
	case "4": // X.4.1 "Access denied" is Microsoft's word for "not in the tenant's directory", but not only
		if unknownUser.in(text) {
			return verdict{status: Invalid, reason: MailboxNotFound}
		}
		return unknown(RejectedUnclear, 0)
	}
	return judgeRefusalText(r, detail, text)
}

// judgeRefusalText is for 5xx whose enhanced code is missing or says nothing of the mailbox.
func judgeRefusalText(r reply, detail, text string) verdict {
	switch {
	case detail == "" && (r.code == 552 || fullMailbox.in(text)), strings.HasPrefix(detail, "2.") && fullMailbox.in(text):
		return verdict{status: Valid, reason: MailboxFull}
	case disabledMailbox.in(text):
		return verdict{status: Invalid, reason: MailboxDisabled}
	case aboutUs.in(text) || r.code == 530 || r.code == 535:
		v := unknown(BlockedByServer, 0)
		v.strike = clientBlocked.in(text)
		return v
	case unknownUser.in(text):
		return verdict{status: Invalid, reason: MailboxNotFound}
	case detail == "1.0" && r.code == 550: // "other address status": what Cisco and others say of an unknown recipient
		return verdict{status: Invalid, reason: MailboxNotFound}
	case r.code == 551: // "user not local; please try …": it is known, elsewhere (RFC 5321 §3.4)
		return unknown(NotVerifiable, 0)
	}
	return unknown(RejectedUnclear, 0)
}

// clientBlocked are refusals of our address that every further question to the host would meet too.
var clientBlocked = newPhrases(
	"spamhaus", "spamcop", "barracudacentral", "sorbs", "uceprotect", "abusix", "blacklist", "black list", "blocklist", "block list", "dnsbl",
	" rbl", "reputation", "reverse dns", "rdns", "ptr record", "your ip", "client host", "banned",
)

// demandsTLS is RFC 3207 §4: 530 "Must issue a STARTTLS command first", and its variants.
func demandsTLS(r reply, text string) bool {
	if wantsTLS.in(text) {
		return true
	}
	detail := r.detail()
	return (r.code == 530 || detail == "7.0" || detail == "7.10" || detail == "7.11") && tlsWords.in(text)
}

// judgeBanner is for a greeting other than 220. Nothing in it is about a mailbox.
func judgeBanner(r reply) verdict {
	v := unknown(ServerUnavailable, busyRetry)
	switch {
	case r.code == 421:
		v = judgeClosing(words(r.text))
	case r.code == 521, r.code == 556: // this host takes no mail (RFC 7504)
		v = unknown(ServerUnavailable, 0)
	case r.class() == 5:
		v = unknown(BlockedByServer, 0)
	case r.class() < 4:
		v = unknown(NotSMTP, 0)
	}
	v.strike, v.next = true, true
	return v
}

// judgeHello is for a refused EHLO or HELO: they do not like our name, or have no time.
func judgeHello(r reply) verdict {
	text := words(r.text)
	switch {
	case r.code == 421 && loadWords.in(text):
		return unknown(ServerUnavailable, busyRetry).withStrike()
	case r.code == 421:
		return unknown(BlockedByServer, blockedRetry).withStrike()
	case r.class() == 4:
		return unknown(ServerUnavailable, waitHint(r.text, busyRetry)).withStrike()
	}
	return unknown(BlockedByServer, 0).withStrike()
}

// judgeMail is for a refused MAIL: about the sender and us.
func judgeMail(r reply, greylistDelay time.Duration) verdict {
	text := words(r.text)
	switch {
	case r.code == 421:
		return judgeClosing(text)
	case demandsTLS(r, text):
		return verdict{status: Unknown, reason: TLSRequired, tls: true}
	case r.class() == 4 && greylistWords.in(text):
		return unknown(Greylisted, waitHint(r.text, greylistDelay))
	case r.class() == 4 && (r.code == 450 || aboutUs.in(text)):
		return unknown(BlockedByServer, waitHint(r.text, blockedRetry))
	case r.class() == 4:
		return unknown(ServerUnavailable, waitHint(r.text, busyRetry))
	case r.class() == 5:
		v := unknown(BlockedByServer, 0)
		v.strike = clientBlocked.in(text)
		return v
	}
	return unknown(NotSMTP, 0)
}
