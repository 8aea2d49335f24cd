package mailworld

import "strings"

// voice is the wording of one kind of mail server. In all texts {host}, {address} and {client} are filled in and a
// newline separates the lines of one reply.
type voice struct {
	greeting   string
	extensions []string // offered in the answer to EHLO
	pipelining bool     // PIPELINING is one of them
	ok         string
	unknown    string
	full       string
	disabled   string
	busy       string
}

const (
	blockedText = "550 5.7.1 Service unavailable; client host [{client}] blocked using zen.spamhaus.org; " +
		"https://check.spamhaus.org/query/ip/{client}"
	longGreeting = "220-{host} ESMTP\n220-Authorised use only. All sessions are logged.\n220-We do not relay.\n" +
		"220-\n220 Please wait for your turn"
	rateText = "450-4.2.1 The user you are trying to contact is receiving mail at a rate that\n" +
		"450-4.2.1 prevents additional messages from being delivered. Please resend your\n450 4.2.1 message at a later time. - gsmtp"
)

// voices of the ordinary servers: Postfix, Exim, Sendmail, and two large hosters. Read only.
var voices = []voice{
	{
		greeting: "220 {host} ESMTP Postfix", pipelining: true,
		extensions: []string{"PIPELINING", "SIZE 52428800", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN"},
		ok:         "250 2.1.5 Ok",
		unknown:    "550 5.1.1 <{address}>: Recipient address rejected: User unknown in virtual mailbox table",
	},
	{
		greeting: "220 {host} ESMTP Exim 4.98 ready", pipelining: true,
		extensions: []string{"SIZE 20971520", "8BITMIME", "PIPELINING", "HELP"},
		ok:         "250 Accepted",
		unknown:    "550 5.1.1 <{address}>: no such user here",
	},
	{
		greeting: "220 {host} ESMTP Sendmail 8.18.1", pipelining: true,
		extensions: []string{"ENHANCEDSTATUSCODES", "PIPELINING", "8BITMIME", "SIZE 41943040", "HELP"},
		ok:         "250 2.1.5 <{address}>... Recipient ok",
		unknown:    "550 5.1.1 <{address}>... User unknown",
	},
	{
		greeting: "220 {host} ESMTP ready - gsmtp", pipelining: true,
		extensions: []string{"SIZE 157286400", "8BITMIME", "ENHANCEDSTATUSCODES", "PIPELINING", "CHUNKING"},
		ok:         "250 2.1.5 OK - gsmtp",
		unknown: "550-5.1.1 The email account that you tried to reach does not exist. Please try\n" +
			"550-5.1.1 double-checking the recipient's email address for typos or\n550 5.1.1 unnecessary spaces. - gsmtp",
		full:     "552-5.2.2 The recipient's inbox is out of storage space and inactive.\n552 5.2.2 Please direct the recipient to free some space. - gsmtp",
		disabled: "550 5.2.1 The email account that you tried to reach is inactive. - gsmtp",
	},
	{
		greeting:   "220 {host} ESMTP service ready",
		extensions: []string{"SIZE 36700160", "ENHANCEDSTATUSCODES", "8BITMIME"},
		ok:         "250 2.1.5 Recipient accepted",
		unknown:    "550 5.1.10 Recipient <{address}> not found",
	},
}

// microsoftVoice answers as a tenant that blocks unknown recipients at the edge.
var microsoftVoice = voice{
	greeting: "220 {host} Microsoft ESMTP MAIL Service ready", pipelining: true,
	extensions: []string{"SIZE 157286400", "PIPELINING", "DSN", "ENHANCEDSTATUSCODES", "8BITMIME", "BINARYMIME", "CHUNKING"},
	ok:         "250 2.1.5 Recipient OK",
	unknown:    "550 5.4.1 Recipient address rejected: Access denied. [{host}]",
}

// foreignVoices refuse in words that carry no enhanced code; the third in Latin-1, as old servers do.
var foreignVoices = []voice{
	{greeting: "220 {host} Mailserver bereit", ok: "250 Empfaenger akzeptiert",
		unknown: "550 Empfänger unbekannt: kein Postfach unter dieser Adresse"},
	{greeting: "220 {host} SMTP hazir", ok: "250 Tamam", unknown: "550 Kullanıcı bulunamadı"},
	{greeting: "220 {host} serveur de messagerie", ok: "250 Destinataire accepte",
		unknown: "550 Destinataire inconnu, bo\xeete aux lettres non trouv\xe9e"},
}

// voiceOf picks the wording of a company's servers by its domain, so that it never changes.
func voiceOf(c *Company) *voice {
	n := int(hash(c.Domain) >> 33)
	switch c.Behaviour {
	case Microsoft:
		return &microsoftVoice
	case PlainText:
		return &foreignVoices[n%len(foreignVoices)]
	case Rate250:
		return &voices[3]
	}
	return &voices[n%len(voices)]
}

// about words the answer to a RCPT for a mailbox in the given state.
func (v *voice) about(box boxState) string {
	switch box {
	case openBox:
		return v.ok
	case fullBox:
		return either(v.full, "552 5.2.2 <{address}>: mailbox is full: over quota")
	case disabledBox:
		return either(v.disabled, "550 5.2.1 <{address}>: this mailbox is disabled, not accepting messages")
	case busyBox:
		return either(v.busy, rateText)
	}
	return v.unknown
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// fill puts the facts of a session into a text.
func (s *session) fill(text, address string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	return strings.NewReplacer("{host}", s.host.name, "{address}", address, "{client}", s.client).Replace(text)
}

func say(text string) func(*session, string, boxState) string {
	return func(*session, string, boxState) string { return text }
}

func takeAll(s *session, _ string, _ boxState) string { return s.host.voice.ok }

func tempFail(s *session, _ string, _ boxState) string {
	if s.rcpts%2 == 0 {
		return "451 4.3.0 Temporary lookup failure, try again later"
	}
	return "450 4.3.2 <{address}>: Recipient address rejected: system not accepting mail just now"
}

func tempFailExisting(s *session, _ string, box boxState) string {
	if box == noBox {
		return s.host.voice.unknown
	}
	return "450 4.2.0 <{address}>: mailbox temporarily unavailable"
}

func roomFull(s *session, _ string, box boxState) string {
	if box == fullBox {
		return "452 4.2.2 <{address}>: mailbox full, insufficient system storage"
	}
	return s.host.voice.about(box)
}

func forwards(s *session, _ string, box boxState) string {
	if box == noBox {
		return s.host.voice.unknown
	}
	return "251 2.1.5 User not local; will forward"
}

func noSuchUser(s *session, _ string, box boxState) string {
	if box == noBox {
		return "553 sorry, no such user: {address}"
	}
	return s.host.voice.ok
}

func badDestination(s *session, _ string, box boxState) string {
	if box == noBox {
		return "501 5.1.3 Bad recipient address syntax: no such mailbox"
	}
	return s.host.voice.ok
}

func bareRefusal(s *session, _ string, box boxState) string {
	if box == noBox {
		return "550 Requested action not taken"
	}
	return s.host.voice.ok
}

// flips takes every name that holds a dot, and tells the truth of the others.
func flips(s *session, address string, box boxState) string {
	if local, _, _ := strings.Cut(address, "@"); box == noBox && !strings.Contains(local, ".") {
		return "550 5.1.1 <{address}>: no such user here"
	}
	return s.host.voice.ok
}

// acceptsLater defends itself against guessing: it lies to whoever has asked it much.
func acceptsLater(s *session, _ string, box boxState) string {
	if box == noBox && s.run.hosts[s.host.index].rcpts.Load() <= acceptsAfter {
		return "550 5.1.1 <{address}>: no such user here"
	}
	return s.host.voice.ok
}
