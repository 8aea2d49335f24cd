package sheet

import (
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// meaning is what a header name says about its column.
type meaning struct {
	field Field
	sure  float64 // 0..1
}

// Meanings that are no field yet: the other columns decide, or the content.
const (
	anyName     Field = "name"    // a surname beside a first name, else a full name: "Name", "Nom", "Naam"
	givenOrFull Field = "given"   // a first name beside a surname, else perhaps a full name: "Nombre", "Nome"
	anyURL      Field = "url"     // a website unless it leads to a social network
	otherColumn Field = "ignored" // known, and none of ours
)

// headerNames are the names by which columns go, in the languages we know:
// English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Swedish,
// Danish and Norwegian, Finnish, Czech, Hungarian, Turkish, Russian, Japanese,
// Chinese. Case, accents, blanks and punctuation do not matter. Earlier names of
// a field are surer when a file has several.
var headerNames = map[Field]string{
	FirstName: `first name|firstname|first|fname|given name|given names|forename|forenames|first names|christian name|givenname|preferred first name|firstname localized
		|vorname|vornamen|rufname|prénom|prénoms|prenom usuel|primer nombre|nombre de pila|nombres|nombre(s)|nome proprio|primeiro nome|nome de batismo|nome próprio
		|voornaam|voornamen|roepnaam|imię|imiona|imie|förnamn|tilltalsnamn|fornavn|fornavne|etunimi|jméno|krestni jmeno|křestní jméno|keresztnév|utónév|ad|adı|isim|ön ad|prenume
		|имя|ім'я|名|名前(名)|下の名前|名字(名)|given name (名)|first name (romaji)`,
	LastName: `last name|lastname|last|lname|surname|family name|familyname|sur name|second name|last names|surnames|lastname localized
		|nachname|nachnamen|familienname|zuname|name de famille|nom de famille|nom usuel|nom patronymique|nom d'usage|apellido|apellidos|apellido(s)|primer apellido|apellido paterno
		|cognome|cognomi|sobrenome|apelido|apelidos|último nome|ultimo nome|achternaam|familienaam|nazwisko|nazwiska|efternamn|efternavn|etternavn|sukunimi|příjmení|vezetéknév|családnév
		|soyad|soyadı|soyisim|soy ad|nume|nume de familie|фамилия|прізвище|姓|名字|苗字|姓氏`,
	FullName: `full name|fullname|contact name|person name|complete name|display name|displayname|contact|contact person|name of contact|first and last name|first name last name|first & last name|name (first and last)
		|lead name|employee name|attendee name|participant name|attendee|participant|delegate|founder|founder name|founders|gründer|gründerin|fondateur|fondatrice|fundador|fundadora|fondatore|oprichter|założyciel|grundare|ceo|ceo name|owner name|decision maker|speaker|speaker name|author|author name|guest name|employee|person|candidate name|partner name
		|vollständiger name|ganzer name|vor- und nachname|vor und nachname|vorname nachname|vorname und nachname|ansprechpartner|ansprechpartnerin|kontaktperson|kontakt|ansprechperson|teilnehmer|teilnehmername|bewerber|bewerbername|kandidat|candidat|candidato|kandidaat|naam kandidaat|kandydat|name vorname|name, vorname|geschäftsführer
		|nom complet|nom et prénom|nom prénom|prénom nom|prénom et nom|nom & prénom|nom du contact|contact principal|interlocuteur|participant(e)|dirigeant
		|nombre completo|nombre y apellidos|nombre y apellido|nombre del contacto|persona de contacto|contacto|apellidos y nombre|apellidos nombre|nombre apellidos|nome completo|nome e cognome|nome cognome|cognome e nome|cognome nome|referente|nominativo|persona di contatto|contatto
		|nome e sobrenome|nome do contato|nome do contacto|contato|responsável|nome e apelido|volledige naam|voor- en achternaam|naam contactpersoon|contactpersoon|naam contact|deelnemer
		|imię i nazwisko|imie i nazwisko|nazwisko i imię|osoba kontaktowa|osoba do kontaktu|uczestnik|fullständigt namn|för- och efternamn|kontaktperson|fulde navn|fullt navn|for- og efternavn|koko nimi|nimi|yhteyshenkilö|celé jméno|jméno a příjmení|teljes név|név|kapcsolattartó
		|ad soyad|adı soyadı|isim soyisim|ad soyadı|yetkili|yetkili kişi|tam ad|фио|ф.и.о.|полное имя|имя и фамилия|имя фамилия|фамилия имя|фамилия имя отчество|контактное лицо|контакт|піб|氏名|名前|お名前|担当者|担当者名|姓名|联系人|聯絡人|联系人姓名|名称(姓名)|姓名(中文)`,
	Company: `company|company name|companyname|organization|organisation|organization name|organisation name|account name|accountname|account|employer|firm|business name|business|current company|company/account|company / account|org|org name
		|employer name|company name for emails|cleaned company name|company (cleaned)|workplace|company or organization|company/organization|legal name|trading name|startup|startup name|institution|affiliation|exhibitor|exhibitor name|agency|agency name|current employer|company name (current)|client|client name|customer|customer name|accounts|parent company|fund|fund name|supplier|supplier name|vendor|vendor name
		|firma|firmenname|unternehmen|unternehmensname|organisation/firma|arbeitgeber|kunde|betrieb|gesellschaft|firma/organisation|aussteller|lieferant|lieferantenname|exposant|expositor|espositore|wystawca|udstiller|utställare|fournisseur|proveedor|fornitore|leverancier|dénomination sociale|accountnaam|nazwa konta
		|société|nom de la société|entreprise|nom de l'entreprise|raison sociale|nom société|nom entreprise|organisme|structure|employeur|compte|nom du compte|établissement
		|empresa|nombre de la empresa|nombre empresa|compañía|razón social|organización|sociedad|cuenta|azienda|nome azienda|società|ragione sociale|ditta|impresa|organizzazione|denominazione|ente|nome da empresa|nome empresa|razão social|companhia|organização|sociedade|conta
		|bedrijf|bedrijfsnaam|organisatie|naam bedrijf|naam organisatie|werkgever|onderneming|nazwa firmy|firma nazwa|przedsiębiorstwo|organizacja|spółka|pracodawca|nazwa przedsiębiorstwa|nazwa|kontrahent
		|företag|företagsnamn|bolag|bolagsnamn|arbetsgivare|virksomhed|virksomhedsnavn|organisasjon|organisasjonsnavn|foretak|firmanavn|selskab|selskap|bedrift|firmanamn|arbejdsgiver|yritys|yrityksen nimi|společnost|název firmy|název společnosti|cég|cégnév|vállalat
		|şirket|şirket adı|firma adı|kurum|kuruluş|şirket ünvanı|companie|компания|название компании|организация|фирма|компанія|наименование организации|работодатель|会社|会社名|企業名|企業|法人名|勤務先|公司|公司名称|公司名|企业|企业名称|单位|公司名稱`,
	Domain: `domain|company domain|company domain name|domain name|domainname|email domain|primary domain|account domain|organization domain|root domain|web domain|website domain|company website domain|company domains
		|website|company website|website url|web site|site|web|webpage|web page|web address|homepage|home page|company url|company website url|organization website|organisation website|organization url|account website|corporate website|company web|www|company homepage|business website|internet|company site|websites|org website|website link|company web site
		|domäne|firmendomain|webseite|internetseite|homepage url|webadresse|internetadresse|unternehmenswebsite|firmenwebsite|website des unternehmens|domaine|nom de domaine|site web|site internet|site|url du site|site de l'entreprise|page web|adresse web
		|dominio|dominio web|sitio web|página web|web de la empresa|pagina web|sitio|url empresa|dominio empresa|sito web|sito|sito internet|sito aziendale|dominio aziendale|domínio|site da empresa|página na internet|website da empresa|endereço web
		|domein|domeinnaam|webpagina|bedrijfswebsite|webadres|website bedrijf|domena|domena firmy|strona www|strona internetowa|witryna|strona|adres www|adres strony|domän|webbplats|hemsida|webbsida|domæne|hjemmeside|websted|domene|nettside|nettsted|verkkosivu|verkkosivusto|kotisivu|kotisivut|doména|webové stránky|webová stránka|stránky|weboldal|honlap
		|alan adı|web sitesi|internet sitesi|web adresi|site web firma|сайт|вебсайт|веб-сайт|сайт компании|домен|адрес сайта|ドメイン|ウェブサイト|ホームページ|サイト|サイトurl|hp|会社url|网站|网址|官网|域名|公司网站|公司网址|網站`,
	Email: `email|e-mail|email address|e-mail address|mail|emailaddress|work email|business email|work email address|company email|professional email|primary email|corporate email|email 1|emails|contact email|mail address|email (work)|email id|e-mail 1 value|email work|electronic mail|person email|email addresses|official email|office email
		|e-mail-adresse|e-mailadresse|mailadresse|emailadresse|mail-adresse|geschäftliche e-mail|e-mail geschäftlich|dienstliche e-mail|adresse e-mail|adresse email|adresse mail|courriel|adresse courriel|adresse électronique|email professionnel|e-mail professionnel|mail pro|email pro|adresse de messagerie|mél
		|correo|correo electrónico|correo-e|dirección de correo|dirección de correo electrónico|e-mail de contacto|email de trabajo|correo corporativo|indirizzo email|indirizzo e-mail|posta elettronica|email aziendale|e-mail aziendale|endereço de e-mail|endereço de email|correio eletrónico|correio eletrônico|e-mail corporativo|email profissional
		|e-mailadres|emailadres|mailadres|zakelijk e-mailadres|adres e-mail|adres email|adres mailowy|poczta|e-post|e-postadress|mejl|mejladress|jobbmejl|jobbmail|epost|epostadress|e-postadresse|epostadresse|mailadresse|sähköposti|sähköpostiosoite|emailová adresa|e-mailová adresa|e-mail cím|email cím
		|e-posta|eposta|e-posta adresi|mail adresi|e-mail adresi|adresă de email|почта|эл. почта|электронная почта|имейл|емейл|е-мейл|адрес электронной почты|e-mail адрес|пошта|メール|メールアドレス|eメール|電子メール|メアド|邮箱|电子邮件|电子邮箱|邮件|邮箱地址|電子郵件|邮件地址`,
	anyName:     `name|names|nom|noms|naam|namen|namn|navn|nazev|имя/фио`,
	givenOrFull: `nombre|nome`,
	anyURL:      `url|link|urls|lien|enlace|links|profile url|ссылка|リンク|链接`,
	otherColumn: `id|record id|contact id|lead id|user id|uuid|external id|nr|no|nummer|#|number|row|index|lfd nr|lp|l.p.|n°|num|key|kundennummer
		|title|job title|jobtitle|position|role|headline|job|function|occupation|designation|seniority|department|departments|level|funktion|titel|jobtitel|stelle|beruf|abteilung|rolle|poste|fonction|titre|intitulé du poste|service|métier|cargo|puesto|ocupación|departamento|área|posizione|ruolo|qualifica|mansione|reparto|profissão|função|functie|functietitel|afdeling|stanowisko|dział|funkcja|befattning|roll|avdelning|stilling|afdeling|tehtävänimike|asema|pozice|funkce|beosztás|pozisyon|ünvan|unvan|görev|departman|должность|отдел|позиция|役職|部署|職種|肩書|职位|职务|部门|職稱
		|phone|phone number|telephone|tel|mobile|mobile phone|cell|cell phone|work phone|fax|direct phone|telefon|telefonnummer|mobil|handy|mobiltelefon|rufnummer|téléphone|portable|numéro de téléphone|teléfono|móvil|telefono|cellulare|telefone|celular|telemóvel|telefoon|telefoonnummer|mobiel|komórka|numer telefonu|puhelin|matkapuhelin|telefonszám|cep telefonu|телефон|мобильный|電話|電話番号|携帯|电话|手机|手机号|電話號碼
		|city|town|state|country|region|location|address|street|zip|zip code|postal code|postcode|county|province|hq|headquarters|stadt|ort|land|plz|straße|strasse|adresse|bundesland|ville|pays|code postal|rue|région|département|ciudad|país|código postal|dirección|provincia|città|paese|indirizzo|cap|regione|cidade|estado|endereço|cep|morada|stad|plaats|adres|postcode|woonplaats|miasto|kraj|ulica|kod pocztowy|województwo|ort|gata|postnummer|by|adresse|kaupunki|maa|osoite|město|země|psč|ulice|város|ország|cím|şehir|ülke|il|ilçe|город|страна|адрес|регион|индекс|都道府県|住所|市区町村|郵便番号|国|城市|国家|地址|省份|地区
		|industry|sector|segment|branche|secteur|secteur d'activité|sector|settore|setor|ramo|branża|bransch|toimiala|odvětví|iparág|sektör|отрасль|業種|業界|行业|employees|# employees|company size|headcount|revenue|annual revenue|mitarbeiter|effectif|empleados|dipendenti|mitarbeiterzahl|umsatz|従業員数|员工人数
		|linkedin|linkedin url|linkedin profile|person linkedin url|company linkedin url|linkedin profile url|linkedin link|linkedin_url|twitter|twitter url|facebook|facebook url|xing|github|instagram|skype|sales navigator url|profile|company linkedin
		|date|created|created at|create date|created date|updated at|last modified|birthday|connected on|added on|registration date|datum|erstellt am|geburtsdatum|date de création|fecha|fecha de alta|data|dátum|data utworzenia|tarih|дата|дата рождения|日付|生年月日|日期|last activity|last contacted
		|notes|note|comment|comments|remarks|description|tags|labels|keywords|technologies|notizen|bemerkung|kommentar|remarques|commentaires|notas|comentarios|observaciones|note|osservazioni|observações|opmerkingen|uwagi|notatki|anteckningar|bemærkninger|huomautus|poznámka|megjegyzés|notlar|açıklama|примечание|комментарий|備考|メモ|备注
		|gender|sex|salutation|anrede|geschlecht|civilité|genre|sexo|tratamiento|sesso|titolo|aanhef|geslacht|płeć|kön|køn|cinsiyet|пол|отчество|middle name|middle|suffix|prefix|name prefix|name suffix|nickname|zweiter vorname|initials|additional name|性別|性别|フリガナ|ふりがな|セイ|メイ|age|alter
		|language|sprache|langue|idioma|lingua|taal|język|status|stage|lead status|lifecycle stage|source|lead source|quelle|origine|owner|contact owner|account owner|stato|statut|estado|score|type|typ|category|kategorie|catégorie|categoría|categoria|categorie|group|groups|gruppe|ticket|ticket type|order id|check-in|list|campaign|subscribed|opt in|consent|rank|salary|photo|avatar`,
}

// sureStep is how much less sure each later name of a field is, so that of two
// columns for one field the better known name wins.
const sureStep = 0.0005

// dictionary is headerNames by their compact form.
var dictionary = sync.OnceValue(func() map[string]meaning {
	m := map[string]meaning{}
	for _, field := range []Field{Email, Domain, Company, FirstName, LastName, FullName, anyName, givenOrFull, anyURL, otherColumn} {
		for i, name := range strings.Split(headerNames[field], "|") {
			key := strings.Join(words(name), "")
			if _, taken := m[key]; !taken && key != "" {
				m[key] = meaning{field, max(0.85, 0.97-sureStep*float64(i))}
			}
		}
	}
	return m
})

// words are the words of a header name, lower-cased and without accents:
// "E-mail Address", "emailAddress" and "EMAIL_ADDRESS" are email, address.
func words(name string) []string {
	var list []string
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			list = append(list, word.String())
			word.Reset()
		}
	}
	before := ' '
	for _, r := range norm.NFKD.String(name) {
		switch {
		case unicode.Is(unicode.Mn, r):
			continue
		case r == '#':
			flush()
			list = append(list, "number")
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
		default:
			if unicode.IsUpper(r) && unicode.IsLower(before) || unicode.IsDigit(r) != unicode.IsDigit(before) {
				flush()
			}
			word.WriteString(plainLetter(unicode.ToLower(r)))
		}
		before = r
	}
	flush()
	return joinEmail(list)
}

// plainLetter spells letters that do not decompose.
func plainLetter(r rune) string {
	switch r {
	case 'ß':
		return "ss"
	case 'ø':
		return "o"
	case 'æ':
		return "ae"
	case 'ł':
		return "l"
	case 'ı':
		return "i"
	case 'đ':
		return "d"
	case 'œ':
		return "oe"
	}
	return string(r)
}

// joinEmail makes one word of e, mail.
func joinEmail(list []string) []string {
	for i := 0; i+1 < len(list); i++ {
		if list[i] == "e" && strings.HasPrefix(list[i+1], "mail") {
			list[i] = "e" + list[i+1]
			list = append(list[:i+1], list[i+2:]...)
		}
	}
	return list
}
