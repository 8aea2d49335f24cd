package probe

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// of judges one wire reply to RCPT.
func of(t require.TestingT, wire string) verdict {
	r, err := parse(strings.ReplaceAll(wire, "\n", "\r\n") + "\r\n")
	require.NoError(t, err, wire)
	return judge(r, DefaultGreylistDelay)
}

func TestRefusalsInManyWords(t *testing.T) {
	notFound := []string{
		"550 User unknown", "550 No such user here", "550 <x@acme.test>: Recipient address rejected: User unknown in local recipient table", "553 no such user", "550 Unknown user", "550 mailbox not found",
		"550 Unrouteable address", "550 x@acme.test... No such user", "550 Invalid recipient", "554 5.0.0 Recipient unknown", "550 5.5.0 no such mailbox",
		"550 5.3.0 x... User unknown", "550 5.2.0 no such recipient", "550 #5.1.0 Address rejected.", "550 5.1.0 x address unknown", "550 5.1.1 whatever policy spamhaus says", "550 5.1.6 moved", "501 5.1.3 bad", "550 5.1.10 gone", "551 5.1.1 no",
		"550 That address does not exist", "550 The email account that you tried to reach does not exist", "550 5.4.1 User unknown",
		"550 Benutzer unbekannt", "550 Empfänger unbekannt", "550 Empf\xe4nger existiert nicht", "550 Unbekannter Empfaenger", "550 Kein solcher Benutzer", "550 Postfach nicht gefunden",
		"550 Utilisateur inconnu", "550 Destinataire inconnu", "550 Adresse d au moins un destinataire invalide", "550 Bo\xeete aux lettres inexistante", "550 Cette adresse n’existe pas", "550 compte inexistant",
		"550 Usuario desconocido", "550 El usuario no existe", "550 Buzón inexistente", "550 destinatario desconocido", "550 la cuenta no existe",
		"550 Utente sconosciuto", "550 casella inesistente", "550 Destinatario inesistente", "550 Usuário desconhecido", "550 Usuário não existe", "550 conta inexistente", "550 Destinatario nao encontrado",
		"550 Gebruiker onbekend", "550 Onbekende ontvanger", "550 Dit adres bestaat niet", "550 Nie ma takiego uzytkownika", "550 Nieznany użytkownik", "550 konto nie istnieje",
		"550 Пользователь не найден", "550 Нет такого пользователя", "550 Получатель не существует", "550 neznámý uživatel", "550 Ismeretlen felhasználó", "550 Okänd användare", "550 ukendt modtager", "550 用户不存在", "550 ユーザーが存在しません",
		"550 No such user: bob@policy.spam.test", "550 <blacklist@security.test> unknown user",
	}
	for _, wire := range notFound {
		v := of(t, wire)
		require.Equal(t, want{Invalid, MailboxNotFound}, want{v.status, v.reason}, wire)
	}
	for reason, wires := range map[want][]string{
		{Unknown, RejectedUnclear}: {"550 Requested action not taken: mailbox unavailable", "550 mailbox unavailable", "550 rejected", "550 Recipient rejected", "550", "553 mailbox name not allowed", "554 Transaction failed",
			"550 5.4.1 Recipient address rejected: Access denied. [AS(201806281)]", "550 5.5.0 Requested action not taken: mailbox unavailable", "550 5.0.0 no", "550 5.1.2 bad destination", "554 delivery error", "550 5.4.4 domain does not exist", "501 syntax error", "550 5.3.0 rejected"},
		{Unknown, BlockedByServer}: {"550 5.7.1 Spamhaus", "550 5.7.1 user unknown", "550 5.7.606 Access denied, banned sending IP", "550 relaying denied", "554 Relay access denied", "550 blocked by RBL at x", "553 sorry, that domain isn't in my list of allowed rcpthosts",
			"550 sorry, no mailbox here by that name (#5.7.17 no)", "550 Sender address rejected: User unknown", "550 5.1.8 sender domain not found", "550 5.1.7 x", "550 reverse DNS lookup failed", "554 Access denied", "550 Administrative prohibition", "530 5.7.1 Authentication required", "550 SPF check failed: no such user",
			"550 Requested action not taken: mailbox unavailable (mailbox not found, no access, or command rejected for policy reasons)", "550 Verweis auf Richtlinie", "550 Absender unbekannter Benutzer", "550 Expéditeur inconnu: utilisateur inconnu", "535 no"},
		{Invalid, MailboxDisabled}:   {"550 5.2.1 x", "550 account disabled", "550 5.2.0 mailbox is inactive", "554 Account has been suspended", "550 Postfach gesperrt", "550 compte désactivé", "550 this user no longer works here"},
		{Valid, MailboxFull}:         {"552 5.2.2 x", "452 4.2.2 x", "552 mailbox full", "552 Requested mail action aborted: exceeded storage allocation", "550 over quota", "450 mailbox is full", "550 5.2.0 quota exceeded", "554 Das Postfach ist voll", "552 buzón lleno"},
		{Valid, MailboxExists}:       {"250 ok", "250 2.1.5 x", "251 forward", "450 4.2.1 receiving mail at a rate that", "550 5.2.1 receiving mail at a rate that", "450 receiving mail too quickly"},
		{Unknown, NotVerifiable}:     {"252 x", "253 x", "551 User not local; please try x@other.test", "550 5.6.7 no SMTPUTF8", "553 5.1.4 ambiguous", "550 5.2.4 list"},
		{Unknown, Greylisted}:        {"450 Greylisted", "451 4.7.1 Greylisting in action", "450 4.7.1 please wait", "451 try again later", "450 4.2.0 Recipient address rejected: Greylisted", "450 4.1.1 unverified address: Address verification in progress", "451 Bitte später erneut", "451 4.7.0 Temporarily deferred", "450 Réessayez plus tard"},
		{Unknown, ServerUnavailable}: {"421 busy", "421 4.7.0 Try again later, closing connection", "450 mailbox unavailable", "451 4.3.0 try again later", "452 4.3.1 insufficient system storage", "450 user unknown", "450 4.1.1 User unknown", "451 4.1.1 no such user", "451 4.7.500 busy", "451 4.7.650 limited due to IP reputation", "452 4.5.3 Too many recipients", "450 4.5.1 x", "432 x", "451 4.4.1 later"},
		{Unknown, TLSRequired}:       {"530 Must issue a STARTTLS command first", "530 5.7.0 TLS required", "550 5.7.10 Encryption needed", "451 4.7.1 use STARTTLS"},
		{Unknown, NotSMTP}:           {"354 go on", "334 x"},
	} {
		for _, wire := range wires {
			v := of(t, wire)
			require.Equal(t, reason, want{v.status, v.reason}, wire)
		}
	}
}

func TestTemporaryRefusalsAboutUs(t *testing.T) {
	for _, wire := range []string{"450 4.7.25 no PTR", "451 4.7.1 blocked using zen.spamhaus.org", "450 Client host rejected: cannot find your reverse hostname", "421 4.7.0 our system has detected an unusual amount of unsolicited mail from your IP", "450 4.1.8 domain of sender address does not resolve", "450 rejected by policy"} {
		v := of(t, wire)
		require.Equal(t, want{Unknown, BlockedByServer}, want{v.status, v.reason}, wire)
		require.Positive(t, v.retry, wire)
	}
}

// TestClassDigitOutranksAll puts every code, enhanced code and phrase together.
func TestClassDigitOutranksAll(t *testing.T) {
	var texts []string
	for _, table := range []phrases{unknownUser, disabledMailbox, fullMailbox, receivingFast, aboutUs, greylistWords, laterWords, manyRecipients, tlsWords, loadWords} {
		texts = append(texts, table...)
	}
	rapid.Check(t, func(t *rapid.T) {
		r := reply{code: rapid.IntRange(200, 599).Draw(t, "code")}
		r.enhanced = rapid.SampledFrom([]string{"", "5.1.1", "4.1.1", "5.2.1", "5.2.2", "4.2.1", "5.7.1", "4.7.1", "5.1.10", "5.4.1", "5.0.0", "2.1.5", "5.5.3", "5.7.25"}).Draw(t, "enhanced")
		r.text = rapid.SampledFrom(texts).Draw(t, "text") + " " + rapid.SampledFrom(texts).Draw(t, "more")
		v := judge(r, DefaultGreylistDelay)
		require.Contains(t, []Status{Valid, Invalid, Unknown}, v.status)
		switch r.class() {
		case 2:
			require.NotEqual(t, Invalid, v.status)
			require.Equal(t, r.code == 250 || r.code == 251, v.status == Valid)
		case 3:
			require.Equal(t, Unknown, v.status)
		case 4:
			require.NotEqual(t, Invalid, v.status)
			require.True(t, v.status == Valid || v.tls || v.retry > 0, "4xx may pass")
		case 5:
			require.NotEqual(t, Greylisted, v.reason)
		}
		require.Equal(t, v, judge(r, DefaultGreylistDelay), "pure")
	})
}

func TestWaitHints(t *testing.T) {
	for text, d := range map[string]time.Duration{
		"Greylisted for 300 seconds": 5 * time.Minute, "try again in 5 minutes": 5 * time.Minute, "come back in 00:04:32": 4*time.Minute + 32*time.Second, "wait 1 hour": time.Hour,
		"in 90s please": 90 * time.Second, "noch 10 Minuten warten": 10 * time.Minute, "in 2 Stunden": 2 * time.Hour, "dans 15 minutes": 15 * time.Minute, "espere 30 segundos": 30 * time.Second,
		"in 0 seconds": minHint, "in 999999 hours": maxHint, "later": 7 * time.Minute, "": 7 * time.Minute, "error 451 occurred": 7 * time.Minute, "99:99:99": maxHint, "2 retries": 7 * time.Minute, "fra 2 ore": 2 * time.Hour,
	} {
		require.Equal(t, d, waitHint(text, 7*time.Minute), text)
	}
}

func TestPhrasesAreFoldedAndUsable(t *testing.T) {
	for _, table := range []phrases{unknownUser, disabledMailbox, fullMailbox, receivingFast, aboutUs, clientBlocked, greylistWords, laterWords, manyRecipients, wantsTLS, tlsWords, loadWords} {
		for _, s := range table {
			require.GreaterOrEqual(t, len([]rune(s)), 3, s)
			require.Equal(t, s, fold(s))
		}
	}
	for _, s := range unknownUser {
		require.False(t, aboutUs.in(" "+s), "%q would be taken for a refusal of us", s)
		require.False(t, disabledMailbox.in(" "+s), "%q would be taken for disabled", s)
		require.False(t, fullMailbox.in(" "+s), "%q would be taken for full", s)
	}
	for _, s := range disabledMailbox {
		require.False(t, fullMailbox.in(" "+s), "%q would be taken for full", s)
	}
}
