package sheet

import (
	"slices"
	"strings"
)

// Words that settle what a column is when its name as a whole is not known.
var (
	// socialWords: a link or a number that is no website of a company.
	socialWords = wordSet("linkedin twitter facebook instagram xing github youtube skype whatsapp telegram tiktok crunchbase angellist wechat vkontakte sales navigator")
	// sideWords: a fact about an address, a company or a person, not the thing itself.
	sideWords = wordSet("status type label source confidence verified verification verify validation valid score count size revenue city country state street zip postal industry industries keywords " +
		"founded logo id ids date time owner opt consent provider phone phones telephone tel mobile fax location region technologies description seniority department title position role " +
		"display bounce bounced unsubscribed opened activity contacted seen sent open permission number employees funding sic naics address kana yomi phonetic phonetics prefix suffix middle nickname initials tags notes note stage manager assistant parent spouse referred created modified updated telefon telefone phonenumber ort stadt ville ciudad quality quelle")
	// noiseWords say whose or which; the rest of the name says what.
	noiseWords = wordSet("contact contacts person persons people lead leads prospect primary main work business professional corporate official user member attendee participant delegate guest speaker registrant " +
		"buyer billing your my the a of value required optional field hs crm associated current cleaned clean customer client candidate employee decision maker founder company companys organization organisation account " +
		"ansprechpartner ansprechpartners ansprechpartnerin ansprechperson kontakt kontaktperson contactpersoon contatto contacto contato referente interlocuteur dirigeant gerant teilnehmer participante partecipante asistente asistentes deelnemer uczestnik uczestnika persona pessoa persoon personne record deltagare unternehmens firmen gesellschaft wie im " +
		"what whats is are which please enter provide text string localized eingabe pflichtfeld geschaftlich geschaftliche dienstlich dienstliche pro professionnel professionnelle du de la le l des del della do da dos van het der die das votre ihr ihre ihren su tu seu sua uw twoj sluzbowy sluzbowa sluzbowe zakelijk laboral corporativo aziendale profissional person1 contact1 obligatoire obligatorio verplicht wymagane 必須 必填 任意")
	emailWords   = wordSet("email emails emailaddress mail correo courriel epost eposta emailadresse emailadres")
	webWords     = wordSet("website domain url web site homepage webseite sito dominio www webpage domaine domein domena")
	companyWords = wordSet("unternehmens firmen company companys organization organisation account employer firma unternehmen societe entreprise empresa azienda bedrijf")
)

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

// Confidence in what parts of an unknown name say.
const (
	sureStripped = 0.86
	sureWord     = 0.72
	sureLone     = 0.55 // one word of several
)

// headerMeaning is what a header name says; false if it says nothing.
func headerMeaning(name string) (meaning, bool) {
	list := words(name)
	if len(list) == 0 || len(list) > maxHeaderWords {
		return meaning{}, false
	}
	if m, known := dictionary()[strings.Join(list, "")]; known {
		return m, true
	}
	if overlap(list, socialWords) {
		return meaning{otherColumn, 0.95}, true
	}
	rest := slices.DeleteFunc(slices.Clone(list), func(w string) bool { return noiseWords[w] || isDigits(w) })
	isCompany := overlap(list, companyWords)
	if len(rest) > 0 && len(rest) < len(list) {
		m, known := dictionary()[strings.Join(rest, "")]
		if known && isCompany {
			m = ofCompany(m)
		}
		if known {
			return meaning{m.field, sureStripped * m.sure}, true
		}
	}
	return partMeaning(list, rest, isCompany)
}

// maxHeaderWords is how long a header name may be to be read word by word: a
// question of a form still is, a paragraph is not.
const maxHeaderWords = 14

// ofCompany corrects a meaning found without the word company: its name is no
// person's, its link is its website.
func ofCompany(m meaning) meaning {
	switch m.field {
	case anyName, givenOrFull, FullName:
		m.field = Company
	case anyURL:
		m.field = Domain
	}
	return m
}

// partMeaning judges by single words.
func partMeaning(list, rest []string, isCompany bool) (meaning, bool) {
	hasEmail := overlap(list, emailWords)
	switch {
	case hasEmail && !overlap(slices.DeleteFunc(slices.Clone(list), func(w string) bool { return w == "address" || w == "id" }), sideWords):
		return meaning{Email, sureWord}, true
	case overlap(list, sideWords):
		return meaning{otherColumn, 0.9}, true
	case overlap(list, webWords):
		return meaning{Domain, sureWord}, true
	case isCompany && (len(rest) == 0 || slices.Equal(rest, []string{"name"})):
		return meaning{Company, sureStripped}, true
	}
	return windowMeaning(list)
}

// maxWindow is the longest run of words that windowMeaning looks up, leastLone
// the shortest word that it trusts alone.
const (
	maxWindow = 3
	leastLone = 4
)

// windowMeaning looks for a known name within the words, the longest first:
// "Vorname (wie im Ausweis)".
func windowMeaning(list []string) (meaning, bool) {
	for n := min(maxWindow, len(list)-1); n > 0; n-- {
		for i := 0; i+n <= len(list); i++ {
			if n == 1 && (noiseWords[list[i]] || len(list[i]) < leastLone) {
				continue
			}
			m, known := dictionary()[strings.Join(list[i:i+n], "")]
			if !known || m.field == anyName || m.field == anyURL || m.field == givenOrFull {
				continue
			}
			if n == 1 {
				return meaning{m.field, sureLone}, true
			}
			return meaning{m.field, sureWord}, true
		}
	}
	return meaning{}, false
}

func overlap(list []string, set map[string]bool) bool {
	return slices.ContainsFunc(list, func(w string) bool { return set[w] })
}

func isDigits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}
