package probe

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// phrases is a list of texts as fold leaves them; one of them inside a reply's text is enough.
type phrases []string

func newPhrases(list ...string) phrases {
	for i, s := range list {
		list[i] = fold(s)
	}
	return list
}

func (p phrases) in(text string) bool {
	for _, s := range p {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

// fold makes texts comparable: lower case, no accents, plain apostrophes, single spaces.
func fold(s string) string {
	if !ascii(s) {
		t := transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC)
		if plain, _, err := transform.String(t, s); err == nil {
			s = plain
		}
	}
	s = strings.NewReplacer("’", "'", "`", "'").Replace(strings.ToLower(s))
	return strings.Join(strings.Fields(s), " ")
}

// words is a reply's text as the tables see it: folded, and without addresses, whose letters are not the server's words
// ("no such user: bob@policy.example").
func words(text string) string {
	return " " + fold(addressLike.ReplaceAllString(text, " "))
}

var addressLike = regexp.MustCompile(`[^\s<>:;,"'()]+@[^\s<>:;,"'()]+`)

// The words of servers, collected from the defaults of common MTAs and providers. Only texts that can mean nothing else
// stand in unknownUser; "address rejected", "mailbox unavailable" and "access denied" mean too many things.
var (
	unknownUser = newPhrases(
		"user unknown", "unknown user", "no such user", "user not found", "user doesn't exist", "user does not exist", "user not exist",
		"user is unknown", "no user by that name", "not a known user", "not a valid user", "invalid user", "user invalid", "unknown username",
		"no such recipient", "recipient not found", "recipient unknown", "unknown recipient", "invalid recipient", "recipient does not exist",
		"recipient not exist", "recipient doesn't exist", "unknown or invalid recipient", "recipient is not known", "recipient is invalid",
		"no such mailbox", "mailbox not found", "mailbox does not exist", "mailbox doesn't exist", "mailbox unknown", "unknown mailbox",
		"invalid mailbox", "no mailbox here", "not a valid mailbox", "no mailbox by that name", "mailbox is unknown", "mailbox not exist",
		"no such address", "address does not exist", "address doesn't exist", "address unknown", "unknown address", "address not found",
		"address is unknown", "address could not be found", "address couldn't be found", "no such email address", "address not known",
		"no such account", "account not found", "account does not exist", "account doesn't exist", "unknown account", "no account by that name",
		"account that you tried to reach does not exist", "does not have an account", "doesn't have an account", "not our customer",
		"unknown local part", "unknown local-part", "no such local part", "local part not found", "unknown or illegal alias",
		"unrouteable address", "unroutable address", "not listed in domino directory", "no such person", "nobody by that name",
		"no one by that name", "no such name", "unknown destination address", "user account is not available here", "no valid recipient",
		"user not known", "recipient not known", "not known at this", "no recipient by that name", "no such alias",
		// German
		"benutzer unbekannt", "unbekannter benutzer", "empfänger unbekannt", "empfaenger unbekannt", "unbekannter empfänger", "unbekannter empfaenger",
		"empfänger existiert nicht", "empfaenger existiert nicht", "benutzer existiert nicht", "postfach existiert nicht", "postfach nicht gefunden",
		"postfach unbekannt", "kein solcher benutzer", "kein solches postfach", "adresse unbekannt", "adresse existiert nicht", "empfängeradresse unbekannt",
		"empfänger nicht gefunden", "empfaenger nicht gefunden", "benutzer nicht gefunden", "kein postfach", "unbekannte adresse", "unbekannte empfängeradresse",
		// French
		"utilisateur inconnu", "destinataire inconnu", "adresse inconnue", "boîte inconnue", "boîte aux lettres inconnue", "boîte inexistante",
		"boîte aux lettres inexistante", "compte inexistant", "compte inconnu", "destinataire inexistant", "utilisateur inexistant",
		"adresse inexistante", "destinataire invalide", "aucun utilisateur de ce nom", "adresse n'existe pas", "utilisateur n'existe pas",
		"destinataire n'existe pas", "compte n'existe pas", "boîte aux lettres n'existe pas", "destinataire introuvable", "utilisateur introuvable",
		// Spanish
		"usuario desconocido", "usuario no existe", "usuario inexistente", "no existe el usuario", "no existe ese usuario", "usuario no encontrado",
		"destinatario desconocido", "destinatario no existe", "destinatario inexistente", "destinatario no encontrado", "buzón no existe",
		"buzón inexistente", "buzón desconocido", "cuenta no existe", "cuenta inexistente", "no existe la cuenta", "dirección desconocida",
		"dirección no existe", "dirección inexistente", "no existe el buzón", "no existe el destinatario", "casilla inexistente",
		// Italian
		"utente sconosciuto", "utente inesistente", "utente non trovato", "utente non esiste", "destinatario sconosciuto", "destinatario inesistente",
		"destinatario non esiste", "casella inesistente", "casella non esistente", "casella sconosciuta", "casella non esiste", "casella non trovata",
		"indirizzo inesistente", "indirizzo sconosciuto", "indirizzo non esiste", "account inesistente",
		// Portuguese
		"usuário desconhecido", "utilizador desconhecido", "usuário não existe", "utilizador não existe", "usuário não encontrado",
		"destinatário desconhecido", "destinatário não existe", "destinatário inexistente", "destinatário não encontrado", "conta inexistente",
		"conta não existe", "caixa postal inexistente", "caixa postal não existe", "endereço inexistente", "endereço não existe", "endereço desconhecido",
		// Dutch
		"gebruiker onbekend", "onbekende gebruiker", "gebruiker bestaat niet", "ontvanger onbekend", "onbekende ontvanger", "ontvanger bestaat niet",
		"adres onbekend", "onbekend adres", "adres bestaat niet", "postvak bestaat niet", "mailbox bestaat niet", "postbus bestaat niet",
		"gebruiker niet gevonden", "ontvanger niet gevonden",
		// Polish
		"nie ma takiego użytkownika", "nieznany użytkownik", "użytkownik nie istnieje", "użytkownik nieznany", "nieznany odbiorca",
		"odbiorca nie istnieje", "odbiorca nieznany", "brak takiego konta", "konto nie istnieje", "nie ma takiego konta", "adres nie istnieje",
		"skrzynka nie istnieje", "nie ma takiej skrzynki", "brak takiego użytkownika", "brak takiego uzytkownika", "nie ma takiego adresu",
		// Russian
		"пользователь не найден", "нет такого пользователя", "такого пользователя нет", "неизвестный пользователь", "пользователь не существует",
		"получатель не найден", "неизвестный получатель", "получатель не существует", "ящик не найден", "ящик не существует",
		"адрес не существует", "адрес не найден", "учетная запись не найдена", "нет такого ящика", "нет такого адреса",
		// Czech, Slovak, Hungarian, Romanian
		"neznámý uživatel", "uživatel neexistuje", "schránka neexistuje", "neznámý příjemce", "adresát neexistuje", "používateľ neexistuje",
		"ismeretlen felhasználó", "ismeretlen címzett", "nincs ilyen felhasználó", "utilizator necunoscut", "destinatar necunoscut", "utilizator inexistent",
		// Swedish, Danish, Norwegian, Finnish
		"okänd användare", "användaren finns inte", "okänd mottagare", "mottagaren finns inte", "adressen finns inte", "ukendt bruger", "ukendt modtager",
		"brugeren findes ikke", "modtageren findes ikke", "ukjent bruker", "ukjent mottaker", "brukeren finnes ikke", "mottakeren finnes ikke",
		"tuntematon käyttäjä", "tuntematon vastaanottaja", "käyttäjää ei löydy",
		// Turkish, Greek, Ukrainian
		"kullanıcı bulunamadı", "bilinmeyen kullanıcı", "alıcı bulunamadı", "άγνωστος χρήστης", "άγνωστος παραλήπτης", "користувача не знайдено", "невідомий користувач",
		// Chinese, Japanese, Korean
		"用户不存在", "收件人不存在", "邮箱不存在", "帐号不存在", "账号不存在", "無此用戶", "ユーザーが存在しません", "宛先が存在しません", "宛先不明", "존재하지 않는 사용자", "존재하지 않는 계정",
	)

	disabledMailbox = newPhrases(
		"account disabled", "account is disabled", "account has been disabled", "account that you tried to reach is disabled", "mailbox disabled",
		"mailbox is disabled", "mailbox has been disabled", "user disabled", "user is disabled", "recipient disabled", "recipient is disabled",
		"account inactive", "account is inactive", "mailbox inactive", "mailbox is inactive", "user inactive", "user is inactive", "inactive mailbox",
		"inactive user", "inactive account", "inactive recipient", "account suspended", "account is suspended", "account has been suspended",
		"mailbox suspended", "user suspended", "suspended account", "account locked", "mailbox locked", "account is locked", "mailbox blocked",
		"account blocked", "account is blocked", "account deactivated", "account has been deactivated", "mailbox deactivated", "account closed",
		"account has been closed", "account expired", "mailbox expired", "no longer active", "no longer in use", "no longer employed",
		"no longer works here", "no longer working", "has left the company", "disabled recipient", "address disabled", "address is disabled",
		"disabled mailbox", "disabled account", "disabled user", "mailbox is not active", "account is not active",
		"postfach gesperrt", "postfach deaktiviert", "konto gesperrt", "konto deaktiviert", "benutzer deaktiviert", "compte désactivé", "compte suspendu",
		"boîte désactivée", "boîte aux lettres désactivée", "cuenta desactivada", "cuenta suspendida", "cuenta deshabilitada", "buzón desactivado",
		"casella disabilitata", "casella disattivata", "account disabilitato", "casella sospesa", "conta desativada", "conta suspensa", "conta desactivada",
		"account geblokkeerd", "account uitgeschakeld", "konto zablokowane", "konto wyłączone", "skrzynka zablokowana", "ящик заблокирован", "ящик отключен",
		"учетная запись заблокирована", "учетная запись отключена", "пользователь заблокирован",
	)

	fullMailbox = newPhrases(
		"mailbox full", "mailbox is full", "mailbox too full", "over quota", "overquota", "over its quota", "over his quota", "over the quota",
		"quota exceeded", "exceeded quota", "exceeds quota", "exceeded its quota", "exceeded mailbox quota", "quota full", "exceeded storage allocation",
		"out of storage space", "inbox is full", "inbox full", "mailbox size limit exceeded", "storage quota", "mailbox quota", "full mailbox",
		"user is over", "mailbox has exceeded", "mail quota", "disk quota", "maildir over quota", "account is full", "not enough storage space in the mailbox",
		"postfach voll", "postfach ist voll", "speicherplatz überschritten", "quota überschritten", "boîte pleine", "boîte aux lettres pleine", "quota dépassé",
		"buzón lleno", "cuota excedida", "casella piena", "quota superata", "caixa postal cheia", "caixa cheia", "postvak vol", "mailbox vol",
		"skrzynka pełna", "skrzynka jest pełna", "przepełniona", "ящик переполнен", "ящик полон", "квота превышена", "schránka je plná",
	)

	// receivingFast is Gmail's word for a mailbox that gets more than it may take: it exists.
	receivingFast = newPhrases("receiving mail at a rate", "receiving mail too quickly", "receiving mail too fast")

	// aboutUs is everything that a server holds against the client, its network, its name or its sender.
	aboutUs = newPhrases(
		"spamhaus", "spamcop", "barracudacentral", "sorbs", "uceprotect", "abusix", "senderscore", "sender score", "talosintelligence", "mailspike",
		"invaluement", "spfbl", "psbl", "surbl", " rbl", "dnsbl", "blacklist", "black list", "black-list", "blocklist", "block list", "block-list",
		"blocked", "denylist", "deny list", "is listed", "are listed", "was listed", "been listed", "listed by", "listed at", "listed on", "reputation", "banned", "spam", "junk", "unsolicited", "abuse",
		"relay", "rcpthosts", "not local host", "we don't handle mail for", "not authoritative",
		"reverse dns", "rdns", "ptr record", "no ptr", "ptr lookup", "reverse lookup", "cannot find your hostname", "find your reverse hostname",
		"cannot resolve your", "client host rejected", "fcrdns", "generic hostname", "dynamic ip", "dynamic address", "dial-up", "dialup", "residential",
		"helo command rejected", "ehlo command rejected", "bad helo", "invalid helo", "helo/ehlo", "ehlo/helo",
		"sender address", "sender rejected", "sender denied", "sender verify", "sender verification", "sender not", "sender domain", "sender is", "from address", "return path",
		"invalid sender", "bad sender", "unknown sender", "envelope from", "spf ", "spf:", "spf-", "dmarc", "dkim",
		"authentication required", "authentication is required", "not authenticated", "must authenticate", "authenticate first", "auth required", "requires authentication",
		"policy", "policies", "access denied", "access not allowed", "permission", "not allowed to send", "not permitted", "unauthorized", "not authorized",
		"unauthorised", "not authorised", "administrative prohibition", "administratively", "prohibited", "security", "suspicious", "rate limit", "ratelimit",
		"too many connections", "connection rate", "your ip", "your host", "your server", "your network", "your mail server", "go away", "directory harvest", "dictionary attack",
		"absender", "richtlinie", "gesperrte ip", "expéditeur", "politique", "remitente", "política", "mittente", "remetente", "afzender", "beleid", "nadawc", "отправител", "спам", "чёрн", "заблокирован ip",
	)

	greylistWords = newPhrases(
		"greylist", "graylist", "grey-list", "gray-list", "grey list", "gray list", "postgrey", "sqlgrey", "liste grise", "lista gris", "lista grigia",
		"lista cinza", "graue liste", "szara lista", "серый список", "серого списка",
	)

	// laterWords on a 450 or 451 are what greylisting looks like when it does not say its name.
	laterWords = newPhrases(
		"try again", "try later", "retry", "come back", "later", "deferred", "temporarily rejected", "temporarily delayed", "delayed", "not yet",
		"first contact", "first time", "new sender", "in progress", "unverified address",
		"später", "spaeter", "erneut versuchen", "réessayez", "réessayer", "plus tard", "más tarde", "intente", "inténtelo", "riprova", "più tardi",
		"tente novamente", "mais tarde", "probeer", "spróbuj", "później", "позже", "повторите",
	)

	manyRecipients = newPhrases("too many recipients", "too many rcpt", "too many recipient", "recipient limit", "recipients per", "maximum number of recipients", "one recipient at a time")
	wantsTLS       = newPhrases("starttls")
	tlsWords       = newPhrases("tls", "ssl", "encrypt")
	loadWords      = newPhrases("too many", "busy", "overload", "service not available", "service unavailable", "try again", "try later", "later", "shutting down", "shutdown", "maintenance", "load")
)
