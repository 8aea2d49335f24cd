package finder

import "beagle/app/probe"

// Reasons of this package, besides probe's.
const (
	ReasonBadInput       = string(probe.BadInput)
	ReasonAmbiguous      = "ambiguous"       // a mailbox answers that may be somebody else's
	ReasonPatternUnknown = "pattern_unknown" // the likeliest addresses were refused, and what else to ask is not known
	ReasonPort25Closed   = "port_25_closed"  // Options.NoSMTP said so
	ReasonPatternLearned = "pattern_learned" // Pattern: from addresses confirmed at this domain
	ReasonPatternPrior   = "pattern_prior"   // Pattern: from what is usual in such places
)

// sentences are the reasons for people: what happened and what happens next.
var sentences = map[string]string{
	string(probe.MailboxExists):         "The mail server accepts this address and refuses invented ones.",
	string(probe.MailboxNotFound):       "The mail server says that there is no such mailbox.",
	string(probe.MailboxFull):           "The mailbox exists but is full: mail to it may come back.",
	string(probe.MailboxDisabled):       "The mailbox existed and has been switched off.",
	string(probe.NoMX):                  "The domain has no mail server, so nobody can have an address there.",
	string(probe.NullMX):                "The domain says that it takes no mail at all.",
	string(probe.DomainNotFound):        "The domain does not exist.",
	string(probe.Unroutable):            "The domain's mail servers have addresses that cannot be reached from the internet.",
	string(probe.DNSFailed):             "The domain's name servers did not answer; we will try again.",
	string(probe.Greylisted):            "The server asked us to come back later; we will try again at that time.",
	string(probe.BlockedByServer):       "The server refused to talk to us. That says nothing about the mailbox.",
	string(probe.ServerUnavailable):     "The mail server could not be reached or was too busy; we will try again.",
	string(probe.Timeout):               "The mail server did not answer in time; we will try again.",
	string(probe.TLSRequired):           "The server demands encryption that could not be set up with it.",
	string(probe.NotVerifiable):         "The server says that it cannot tell whether the mailbox exists.",
	string(probe.NotVerifiableProvider): "This provider does not say which mailboxes exist, so nobody can verify an address there.",
	string(probe.RejectedUnclear):       "The server refused the address without saying whether the mailbox exists.",
	string(probe.AcceptsAll):            "The server accepts every name, real or invented, so the address is the likeliest and not a verified one.",
	string(probe.NotSMTP):               "What answers at the domain's mail server is not a mail server.",
	ReasonBadInput:                      "This row cannot be used.",
	ReasonAmbiguous:                     "A mailbox answers, but nothing shows that it is this person's and not a namesake's.",
	ReasonPatternUnknown:                "The server refused the likeliest addresses, but which pattern the domain uses is not known, so the person may have another.",
	ReasonPort25Closed:                  "Mail servers cannot be asked from here at present, so nothing was verified; an address given here is only the likeliest one.",
	ReasonPatternLearned:                "Addresses confirmed at this domain show its pattern.",
	ReasonPatternPrior:                  "Nothing is known of this domain yet; the pattern is the usual one for such domains.",
}

// Sentence is a reason for people, or "" when the reason is not one of ours.
func Sentence(reason string) string { return sentences[reason] }

// Sentences for answers whose reason says too little.
const (
	sentenceNobody    = "None of the addresses this name can have exists at the domain."
	sentenceWebmail   = "The domain gives mailboxes to anybody, so no address there can be tied to this person."
	sentenceThrowAway = "The domain gives out throw-away addresses; nobody works there."
	sentenceNoCompany = "No mail domain was found for this company name."
	sentenceNoDomain  = "There is no domain, address or company in this row."
	sentenceSyntax    = "This is not a mail address."
)

// Label is a score in words.
func Label(score int) string {
	switch {
	case score >= 95:
		return "very high"
	case score >= 85:
		return "high"
	case score >= 60:
		return "medium"
	case score >= 30:
		return "low"
	case score > 0:
		return "very low"
	}
	return "none"
}
