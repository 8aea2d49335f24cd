package main

import "beagle/app/mailworld"

// who is asked for at a company of the gallery.
type who int

const (
	present who = iota // has a mailbox
	flagged            // has the mailbox that the behaviour is about
	nobody             // has none
	many               // several who have none, one after the other: the last answer counts
	accents            // nobody knows: a local part beyond ASCII
)

// lesson is one line of the catalogue of mail-server behaviours: what a server does, and what must be said of an address there.
// want is status and reason, and "again" where asking later may help.
type lesson struct {
	row  int
	what string
	at   mailworld.Behaviour
	who  who
	want string
}

// Verdicts that many lessons share.
const (
	isThere = "valid mailbox_exists"
	isNot   = "invalid mailbox_not_found"
	isDown  = "unknown server_unavailable again"
	refused = "unknown blocked_by_server"
	silent  = "unknown timeout again"
)

// lessons is the catalogue.
var lessons = []lesson{
	{1, "null MX beside an A record that would take everything", mailworld.NullMX, present, "invalid null_mx"},
	{2, "no MX: the A host is asked", mailworld.ImplicitMX, present, isThere},
	{2, "no MX: the A host is asked", mailworld.ImplicitMX, nobody, isNot},
	{3, "no MX, AAAA only: it is asked", mailworld.ImplicitV6, present, isThere},
	{3, "no MX, AAAA only: it is asked", mailworld.ImplicitV6, nobody, isNot},
	{4, "neither MX nor address", mailworld.NoMX, nobody, "invalid no_mx"},
	{4, "NXDOMAIN", mailworld.NXDomain, nobody, "invalid domain_not_found"},
	{5, "the DNS answers SERVFAIL", mailworld.ServFail, present, "unknown dns_failed again"},
	{5, "the DNS answers REFUSED", mailworld.DNSRefused, present, "unknown dns_failed again"},
	{5, "the DNS never answers", mailworld.DNSSilent, present, "unknown dns_failed again"},
	{5, "the DNS answers over TCP only", mailworld.DNSTruncated, present, isThere},
	{6, "first MX dead, second alive", mailworld.BackupMX, present, isThere},
	{6, "first MX dead, second alive", mailworld.BackupMX, nobody, isNot},
	{7, "the only MX refuses", mailworld.Refused, present, isDown},
	{7, "first MX refuses, second never speaks", mailworld.DeadEnd, present, isDown},
	{8, "backup takes everything, primary is slower: the primary decides", mailworld.BackupAcceptsAll, present, isThere},
	{8, "backup takes everything, primary is slower: the primary decides", mailworld.BackupAcceptsAll, nobody, isNot},
	{8, "backup takes everything, primary is dead", mailworld.BackupAlone, present, "unknown accepts_all again"},
	{9, "the MX is an alias", mailworld.AliasMX, present, isThere},
	{10, "the MX has an IPv6 address only", mailworld.V6Only, present, isThere},
	{11, "the MX points at a cloud's metadata: never dialled", mailworld.UnroutableMX, present, "invalid unroutable"},
	{12, "the MX name does not exist, and not on asking again", mailworld.UnresolvableMX, present, "invalid no_mx"},
	{12, "the DNS cannot tell the address of the MX just now", mailworld.MXServFail, present, "unknown dns_failed again"},
	{13, "banner 421", mailworld.BannerBusy, present, isDown},
	{14, "banner 554", mailworld.BannerBlock, present, refused},
	{14, "banner 521: the next MX is asked", mailworld.NoMailHere521, present, isThere},
	{15, "banner of many lines", mailworld.LongBanner, present, isThere},
	{16, "banner after 6 s", mailworld.SlowBanner, present, isThere},
	{17, "connects and never speaks", mailworld.Silent, present, silent},
	{18, "1 to 2 s for each reply", mailworld.Slow, present, isThere},
	{18, "tarpit: 3 s for each reply", mailworld.Tarpit, nobody, isNot},
	{19, "a line without end", mailworld.EndlessLine, present, "unknown not_smtp"},
	{19, "lines without end", mailworld.EndlessBanner, present, "unknown not_smtp"},
	{20, "HTTP instead of SMTP", mailworld.NotSMTP, present, "unknown not_smtp"},
	{21, "closes at once", mailworld.ClosesAtOnce, present, isDown},
	{21, "closes at RCPT", mailworld.ClosesEarly, present, isDown},
	{21, "closed once: asked again", mailworld.ClosesOnce, present, isThere},
	{22, "EHLO 502: HELO", mailworld.HeloOnly, present, isThere},
	{22, "EHLO 502: HELO", mailworld.HeloOnly, nobody, isNot},
	{23, "EHLO 550", mailworld.GreetingRefused, present, refused},
	{23, "EHLO 421: no HELO after it", mailworld.Hello421, present, refused + " again"},
	{24, "MAIL 553", mailworld.SenderRefused, present, refused},
	{24, "MAIL 450", mailworld.SenderDeferred, present, refused + " again"},
	{25, "MAIL 530: STARTTLS, then again", mailworld.TLSRequired, present, isThere},
	{25, "MAIL 530: STARTTLS, then again", mailworld.TLSRequired, nobody, isNot},
	{26, "250 for invented names too", mailworld.CatchAll, present, "accept_all accepts_all"},
	{26, "250 for invented names too", mailworld.CatchAll, nobody, "accept_all accepts_all"},
	{27, "RCPT 251", mailworld.Forwards, present, isThere},
	{27, "RCPT 251 for some, 550 for others", mailworld.Forwards, nobody, isNot},
	{28, "RCPT 252", mailworld.CannotVerify, present, "unknown not_verifiable"},
	{29, "RCPT 550 5.1.1 or 5.1.10", mailworld.Accurate, nobody, isNot},
	{29, "RCPT 250 where others get 550", mailworld.Accurate, present, isThere},
	{30, "550 without code or cause, as the invented name gets", mailworld.BareRefusal, nobody, "unknown rejected_unclear"},
	{30, "250 where others get a bare 550", mailworld.BareRefusal, present, isThere},
	{30, "550 in another language's words", mailworld.PlainText, nobody, isNot},
	{31, "553 no such user", mailworld.NoSuchUser553, nobody, isNot},
	{31, "501 5.1.3", mailworld.BadDestination501, nobody, isNot},
	{32, "Microsoft's 550 5.4.1, before any address is known to be taken", mailworld.Microsoft, nobody, "unknown rejected_unclear"},
	{32, "Microsoft: 250 where others get 5.4.1", mailworld.Microsoft, present, isThere},
	{33, "greylisting by domain", mailworld.Greylist, present, "unknown greylisted again"},
	{33, "greylisting by recipient", mailworld.GreylistEach, present, "unknown greylisted again"},
	{34, "450 for the existing name alone", mailworld.TempFailExisting, present, isDown},
	{34, "450 for the existing name alone", mailworld.TempFailExisting, nobody, isNot},
	{34, "45x for every name, for ever", mailworld.TempFail, present, isDown},
	{35, "450 4.2.1 receiving mail at a rate: it exists", mailworld.Rate250, flagged, isThere},
	{36, "452 4.5.3 from the second RCPT on", mailworld.OneRcpt, nobody, isNot},
	{36, "452 4.5.3 from the second RCPT on", mailworld.OneRcpt, present, isThere},
	{36, "421 from the second RCPT on", mailworld.SecondRcptCloses, present, isThere},
	{36, "drops the line at the second RCPT", mailworld.SecondRcptDrops, present, isThere},
	{37, "552 5.2.2 full", mailworld.FullMailbox, flagged, "valid mailbox_full"},
	{37, "452 4.2.2 full", mailworld.RoomFull, flagged, "valid mailbox_full"},
	{38, "550 5.2.1 disabled", mailworld.Disabled, flagged, "invalid mailbox_disabled"},
	{39, "550 5.7.1 with a blocklist's name", mailworld.PolicyBlock, present, refused},
	{40, "550 5.7.1 local policy", mailworld.LocalPolicy, present, refused},
	{41, "554 5.7.1 relay denied", mailworld.RelayDenied, present, refused},
	{42, "550 5.7.25 no reverse DNS", mailworld.NoReverseDNS, present, refused},
	{42, "450 4.7.25 no reverse DNS", mailworld.NoReverseDNSLater, present, refused + " again"},
	{43, "451 4.7.500 busy", mailworld.ServerBusy, present, isDown},
	{43, "451 4.7.650 rate limited", mailworld.RateLimited, present, isDown},
	{44, "421 to RCPT", mailworld.RcptCloses, present, isDown},
	{45, "domain beyond ASCII: its A-labels are asked", mailworld.International, present, isThere},
	{45, "local part beyond ASCII without SMTPUTF8", mailworld.International, accents, "unknown not_verifiable"},
	{46, "accepts, and bounces later: valid, never certain", mailworld.BouncesLater, present, isThere},
	{47, "takes invented names of one shape only", mailworld.Flips, present, "unknown not_verifiable again"},
	{47, "begins to take everything after some names", mailworld.AcceptsAfter, many, "unknown accepts_all again"},
	{48, "no more names are asked than needed", mailworld.AccurateSmall, present, isThere},
}
