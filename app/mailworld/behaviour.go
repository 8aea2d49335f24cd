package mailworld

import "time"

// Behaviour is how the mail of a company's domain acts towards somebody who asks about its addresses.
type Behaviour string

// The behaviours. Unless said otherwise a domain has one MX host which answers 250 for a mailbox and 550 5.1.1 for none.
const (
	Accurate      Behaviour = "accurate"
	AccurateSmall Behaviour = "accurate_small" // the same, for companies of few people
	CatchAll      Behaviour = "catch_all"      // 250 for every address
	Greylist      Behaviour = "greylist"       // 451 4.7.1 until GreylistFor has passed since (client, sender, domain) came first
	TempFail      Behaviour = "tempfail"       // 450/451 for every address, always
	PolicyBlock   Behaviour = "policy_block"   // 550 5.7.1 with blocklist text for every address
	BannerBlock   Behaviour = "banner_block"   // 554 instead of a greeting
	FullMailbox   Behaviour = "full_mailbox"   // 552 5.2.2 for people with FullMailbox
	Disabled      Behaviour = "disabled"       // 550 5.2.1 for people with Disabled
	NullMX        Behaviour = "null_mx"        // RFC 7505, with an A record whose server would accept everything
	NoMX          Behaviour = "no_mx"          // neither MX nor A
	ImplicitMX    Behaviour = "implicit_mx"    // only an A record
	NXDomain      Behaviour = "nxdomain"
	Refused       Behaviour = "refused"      // connections are refused
	Slow          Behaviour = "slow"         // 1 to 2 s before each reply
	Silent        Behaviour = "silent"       // accepts and never speaks
	TLSRequired   Behaviour = "tls_required" // 530 5.7.0 until STARTTLS, with a self-signed certificate
	BackupMX      Behaviour = "backup_mx"    // the first MX is dead, the second works
	OneRcpt       Behaviour = "one_rcpt"     // 452 4.5.3 from the second RCPT of a session on
	HeloOnly      Behaviour = "helo_only"    // EHLO is answered 502
	ServFail      Behaviour = "servfail"     // the DNS answers SERVFAIL
	Microsoft     Behaviour = "microsoft"    // 550 5.4.1 Access denied for no mailbox
	Rate250       Behaviour = "rate_250"     // 450 4.2.1 "receiving mail at a rate" for people with Busy
	ClosesEarly   Behaviour = "closes_early" // drops the line at RCPT
	LongBanner    Behaviour = "long_banner"  // a greeting of several lines
	PlainText     Behaviour = "plain_text"   // 550 without an enhanced code, in another language
)

// More behaviours of real servers, met in Gallery and by a Mix that names them.
const (
	GreylistEach      Behaviour = "greylist_each"       // as greylist, for each recipient on its own
	RoomFull          Behaviour = "room_full"           // 452 4.2.2 for people with FullMailbox
	TempFailExisting  Behaviour = "tempfail_existing"   // 450 for a mailbox, 550 for none
	Forwards          Behaviour = "forwards"            // 251 for a mailbox
	CannotVerify      Behaviour = "cannot_verify"       // 252 for every address
	RelayDenied       Behaviour = "relay_denied"        // 554 5.7.1 for every address
	LocalPolicy       Behaviour = "local_policy"        // bare 550 5.7.1 for every address
	NoReverseDNS      Behaviour = "no_reverse_dns"      // 550 5.7.25 for every address
	ServerBusy        Behaviour = "server_busy"         // 451 4.7.500 for every address
	RcptCloses        Behaviour = "rcpt_closes"         // 421 to RCPT, then closes
	BannerBusy        Behaviour = "banner_busy"         // 421 instead of a greeting
	GreetingRefused   Behaviour = "greeting_refused"    // 550 to EHLO and HELO
	SenderRefused     Behaviour = "sender_refused"      // 553 to MAIL
	NotSMTP           Behaviour = "not_smtp"            // speaks HTTP
	EndlessLine       Behaviour = "endless_line"        // a greeting without an end of line
	EndlessBanner     Behaviour = "endless_banner"      // a greeting of lines without end
	SlowBanner        Behaviour = "slow_banner"         // 6 s before the greeting
	ClosesAtOnce      Behaviour = "closes_at_once"      // accepts and closes
	BackupAcceptsAll  Behaviour = "backup_accepts_all"  // the second MX takes everything: only the first knows
	AliasMX           Behaviour = "alias_mx"            // the MX name is a CNAME
	UnresolvableMX    Behaviour = "unresolvable_mx"     // the MX name does not exist
	DNSSilent         Behaviour = "dns_silent"          // the DNS never answers
	DNSTruncated      Behaviour = "dns_truncated"       // the DNS answers over TCP only
	NoSuchUser553     Behaviour = "no_such_user_553"    // 553 "no such user"
	BadDestination501 Behaviour = "bad_destination_501" // 501 5.1.3 for no mailbox

	ImplicitV6        Behaviour = "implicit_v6"          // only an AAAA record
	V6Only            Behaviour = "v6_only"              // the MX has an AAAA record only
	DNSRefused        Behaviour = "dns_refused"          // the DNS answers REFUSED
	DeadEnd           Behaviour = "dead_end"             // the first MX refuses, the second never speaks
	BackupAlone       Behaviour = "backup_alone"         // the first MX is dead, the second takes everything
	UnroutableMX      Behaviour = "unroutable_mx"        // the MX has the address of a cloud's metadata
	MXServFail        Behaviour = "mx_servfail"          // the DNS answers SERVFAIL for the MX name
	NoMailHere521     Behaviour = "no_mail_here_521"     // the first MX greets with 521 (RFC 7504), the second works
	Tarpit            Behaviour = "tarpit"               // 3 s before each reply
	ClosesOnce        Behaviour = "closes_once"          // the first connection is dropped at MAIL
	Hello421          Behaviour = "hello_421"            // 421 to EHLO
	SenderDeferred    Behaviour = "sender_deferred"      // 450 to MAIL
	BareRefusal       Behaviour = "bare_refusal"         // 550 without a code and without a cause for no mailbox
	SecondRcptCloses  Behaviour = "second_rcpt_closes"   // 421 from the second RCPT of a session on
	SecondRcptDrops   Behaviour = "second_rcpt_drops"    // the line is dropped at the second RCPT of a session
	NoReverseDNSLater Behaviour = "no_reverse_dns_later" // 450 4.7.25 for every address
	RateLimited       Behaviour = "rate_limited"         // 451 4.7.650 for every address
	International     Behaviour = "international"        // the domain has letters beyond ASCII
	BouncesLater      Behaviour = "bounces_later"        // 250 for a mailbox whose mail comes back
	Flips             Behaviour = "flips"                // names of one shape are all taken, the rest truly answered
	AcceptsAfter      Behaviour = "accepts_after"        // the truth for a few recipients of a client, then 250 for all
)

// traits is all that a behaviour consists of.
type traits struct {
	behaviour Behaviour
	kind      string // what can be known of the people there: one of the Kind constants, KindFound standing for found or absent
	orUnknown bool   // of people without a mailbox "unknown" may be said just as well
	dns       dnsManners
	hosts     []manners // one for each MX, best preference first
}

// Behaviours lists all, in the order of the declarations.
func Behaviours() []Behaviour {
	list := make([]Behaviour, len(catalogue))
	for i, t := range catalogue {
		list[i] = t.behaviour
	}
	return list
}

// traits of an unknown behaviour are those of Accurate.
func (b Behaviour) traits() traits {
	for _, t := range catalogue {
		if t.behaviour == b {
			return t
		}
	}
	return catalogue[0]
}

// manners are the ways of one SMTP server; the zero value is a polite one that tells the truth.
type manners struct {
	dead         bool          // nobody listens
	wait         time.Duration // before the greeting, besides the latency
	slow         bool
	tarpit       time.Duration // before each reply, besides the latency
	greeting     string        // instead of the voice's 220
	mute         bool          // never speaks
	endless      string        // repeated instead of a greeting
	closesOn     string        // the command at which the line is dropped; "connect" for at once
	closesOnce   bool          // the first connection is dropped at MAIL
	heloOnly     bool
	greetRefusal string // to EHLO and HELO
	mailRefusal  string
	starttls     bool
	needsTLS     bool
	rcptMax      int    // of a session; 0 = no limit
	rcptOver     string // said beyond rcptMax instead of 452; dropsLine ends the connection
	greylist     greylisting
	rcpt         func(s *session, address string, box boxState) string // nil = by mailbox, in the voice's words
}

type greylisting int

const (
	greylistOff greylisting = iota
	greylistDomain
	greylistRecipient
)

const (
	slowBannerWait = 6 * time.Second
	tarpitWait     = 3 * time.Second
	primaryWait    = 300 * time.Millisecond // how much later the primary of backup_accepts_all greets than its backup
	dropsLine      = "(drop)"
	acceptsAfter   = 12 // recipients after which accepts_after takes everything
)

// catalogue is read only.
var catalogue = []traits{
	{behaviour: Accurate, kind: KindFound, hosts: one(manners{})},
	{behaviour: AccurateSmall, kind: KindFound, hosts: one(manners{})},
	{behaviour: CatchAll, kind: KindAcceptAll, hosts: one(manners{rcpt: takeAll})},
	{behaviour: Greylist, kind: KindFound, hosts: one(manners{greylist: greylistDomain})},
	{behaviour: TempFail, kind: KindUnknown, hosts: one(manners{rcpt: tempFail})},
	{behaviour: PolicyBlock, kind: KindUnknown, hosts: one(manners{rcpt: say(blockedText)})},
	{behaviour: BannerBlock, kind: KindUnknown, hosts: one(manners{greeting: "554 {host} ESMTP not accepting messages from your network"})},
	{behaviour: FullMailbox, kind: KindFound, hosts: one(manners{})},
	{behaviour: Disabled, kind: KindFound, hosts: one(manners{})},
	{behaviour: NullMX, kind: KindInvalidDomain, dns: dnsManners{nullMX: true}, hosts: one(manners{rcpt: takeAll})},
	{behaviour: NoMX, kind: KindInvalidDomain, dns: dnsManners{noMX: true}},
	{behaviour: ImplicitMX, kind: KindFound, dns: dnsManners{implicit: true}, hosts: one(manners{})},
	{behaviour: NXDomain, kind: KindInvalidDomain, dns: dnsManners{absent: true}},
	{behaviour: Refused, kind: KindUnknown, hosts: one(manners{dead: true})},
	{behaviour: Slow, kind: KindFound, hosts: one(manners{slow: true})},
	{behaviour: Silent, kind: KindUnknown, hosts: one(manners{mute: true})},
	{behaviour: TLSRequired, kind: KindFound, hosts: one(manners{starttls: true, needsTLS: true})},
	{behaviour: BackupMX, kind: KindFound, hosts: []manners{{dead: true}, {}}},
	{behaviour: OneRcpt, kind: KindFound, hosts: one(manners{rcptMax: 1})},
	{behaviour: HeloOnly, kind: KindFound, hosts: one(manners{heloOnly: true})},
	{behaviour: ServFail, kind: KindUnknown, dns: dnsManners{servfail: true}},
	{behaviour: Microsoft, kind: KindFound, orUnknown: true, hosts: one(manners{starttls: true})},
	{behaviour: Rate250, kind: KindFound, hosts: one(manners{})},
	{behaviour: ClosesEarly, kind: KindUnknown, hosts: one(manners{closesOn: "RCPT"})},
	{behaviour: LongBanner, kind: KindFound, hosts: one(manners{greeting: longGreeting})},
	{behaviour: PlainText, kind: KindFound, orUnknown: true, hosts: one(manners{})},

	{behaviour: GreylistEach, kind: KindFound, hosts: one(manners{greylist: greylistRecipient})},
	{behaviour: RoomFull, kind: KindFound, hosts: one(manners{rcpt: roomFull})},
	{behaviour: TempFailExisting, kind: KindUnknown, hosts: one(manners{rcpt: tempFailExisting})},
	{behaviour: Forwards, kind: KindFound, hosts: one(manners{rcpt: forwards})},
	{behaviour: CannotVerify, kind: KindUnknown, hosts: one(manners{rcpt: say("252 2.5.2 <{address}> cannot be verified, but the message will be accepted")})},
	{behaviour: RelayDenied, kind: KindUnknown, hosts: one(manners{rcpt: say("554 5.7.1 <{address}>: Relay access denied")})},
	{behaviour: LocalPolicy, kind: KindUnknown, hosts: one(manners{rcpt: say("550 5.7.1 Message rejected due to local policy")})},
	{behaviour: NoReverseDNS, kind: KindUnknown, hosts: one(manners{rcpt: say("550 5.7.25 [{client}] has no PTR record: reverse DNS validation failed")})},
	{behaviour: ServerBusy, kind: KindUnknown, hosts: one(manners{rcpt: say("451 4.7.500 Server busy. Please try again later from [{client}]")})},
	{behaviour: RcptCloses, kind: KindUnknown, hosts: one(manners{rcpt: say("421 4.3.2 {host} Service not available, closing transmission channel")})},
	{behaviour: BannerBusy, kind: KindUnknown, hosts: one(manners{greeting: "421 4.3.2 {host} Too many connections, try again later"})},
	{behaviour: GreetingRefused, kind: KindUnknown, hosts: one(manners{greetRefusal: "550 5.7.1 Your HELO name is not acceptable here"})},
	{behaviour: SenderRefused, kind: KindUnknown, hosts: one(manners{mailRefusal: "553 5.1.8 Sender address rejected: domain of sender does not exist"})},
	{behaviour: NotSMTP, kind: KindUnknown, hosts: one(manners{greeting: "HTTP/1.1 400 Bad Request\nContent-Type: text/plain\nConnection: close\n\nThis is a web server."})},
	{behaviour: EndlessLine, kind: KindUnknown, hosts: one(manners{endless: "220 welcome and welcome and welcome "})},
	{behaviour: EndlessBanner, kind: KindUnknown, hosts: one(manners{endless: "220-another line of greeting\r\n"})},
	{behaviour: SlowBanner, kind: KindFound, hosts: one(manners{wait: slowBannerWait})},
	{behaviour: ClosesAtOnce, kind: KindUnknown, hosts: one(manners{closesOn: "connect"})},
	{behaviour: BackupAcceptsAll, kind: KindFound, hosts: []manners{{wait: primaryWait}, {rcpt: takeAll}}},
	{behaviour: AliasMX, kind: KindFound, dns: dnsManners{alias: true}, hosts: one(manners{})},
	{behaviour: UnresolvableMX, kind: KindInvalidDomain, orUnknown: true, dns: dnsManners{unresolvable: true}, hosts: one(manners{dead: true})},
	{behaviour: DNSSilent, kind: KindUnknown, dns: dnsManners{silent: true}},
	{behaviour: DNSTruncated, kind: KindFound, dns: dnsManners{truncated: true}, hosts: one(manners{})},
	{behaviour: NoSuchUser553, kind: KindFound, orUnknown: true, hosts: one(manners{rcpt: noSuchUser})},
	{behaviour: BadDestination501, kind: KindFound, orUnknown: true, hosts: one(manners{rcpt: badDestination})},

	{behaviour: ImplicitV6, kind: KindFound, dns: dnsManners{implicit: true, v6: true}, hosts: one(manners{})},
	{behaviour: V6Only, kind: KindFound, dns: dnsManners{v6: true}, hosts: one(manners{})},
	{behaviour: DNSRefused, kind: KindUnknown, dns: dnsManners{refused: true}},
	{behaviour: DeadEnd, kind: KindUnknown, hosts: []manners{{dead: true}, {mute: true}}},
	{behaviour: BackupAlone, kind: KindUnknown, hosts: []manners{{dead: true}, {rcpt: takeAll}}},
	{behaviour: UnroutableMX, kind: KindInvalidDomain, orUnknown: true, dns: dnsManners{unroutable: true}, hosts: one(manners{rcpt: takeAll})},
	{behaviour: MXServFail, kind: KindUnknown, dns: dnsManners{hostServfail: true}, hosts: one(manners{dead: true})},
	{behaviour: NoMailHere521, kind: KindFound, hosts: []manners{{greeting: "521 5.3.2 {host} takes no mail"}, {}}},
	{behaviour: Tarpit, kind: KindFound, hosts: one(manners{tarpit: tarpitWait})},
	{behaviour: ClosesOnce, kind: KindFound, hosts: one(manners{closesOnce: true})},
	{behaviour: Hello421, kind: KindUnknown, hosts: one(manners{greetRefusal: "421 4.7.0 {host} does not like your name just now"})},
	{behaviour: SenderDeferred, kind: KindUnknown, hosts: one(manners{mailRefusal: "450 4.1.8 Sender address rejected: domain of sender not found"})},
	{behaviour: BareRefusal, kind: KindFound, orUnknown: true, hosts: one(manners{rcpt: bareRefusal})},
	{behaviour: SecondRcptCloses, kind: KindFound, hosts: one(manners{rcptMax: 1, rcptOver: "421 4.7.0 {host} one recipient is enough"})},
	{behaviour: SecondRcptDrops, kind: KindFound, hosts: one(manners{rcptMax: 1, rcptOver: dropsLine})},
	{behaviour: NoReverseDNSLater, kind: KindUnknown, hosts: one(manners{rcpt: say("450 4.7.25 Client host rejected: cannot find your hostname, [{client}]")})},
	{behaviour: RateLimited, kind: KindUnknown, hosts: one(manners{rcpt: say("451 4.7.650 The mail server [{client}] has been temporarily rate limited due to IP reputation")})},
	{behaviour: International, kind: KindFound, hosts: one(manners{})},
	{behaviour: BouncesLater, kind: KindFound, hosts: one(manners{})},
	{behaviour: Flips, kind: KindUnknown, hosts: one(manners{rcpt: flips})},
	{behaviour: AcceptsAfter, kind: KindFound, orUnknown: true, hosts: one(manners{rcpt: acceptsLater})},
}

func one(m manners) []manners { return []manners{m} }
