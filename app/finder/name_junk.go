package finder

import (
	"strings"
	"unicode"
)

// refuseJunk names what a cell holds when it is no name at all.
func refuseJunk(label, s string) error {
	low := strings.ToLower(s)
	switch {
	case s == "":
		return nil
	case strings.HasPrefix(s, "#") && errorValue(low), strings.HasPrefix(s, "=") || strings.HasPrefix(s, "@"):
		return refuse("The " + label + " holds a spreadsheet error or formula (" + clip(s, 30) + ").")
	case strings.Contains(s, "@"):
		return refuse("The " + label + " holds an e-mail address, not a name.")
	case strings.Contains(low, "://"), strings.HasPrefix(low, "www."), looksLikeHost(low):
		return refuse("The " + label + " holds a web address, not a name.")
	case phoneLike(s):
		return refuse("The " + label + " holds a telephone number, not a name.")
	case isPlaceholder(s):
		return refuse("The " + label + " holds a placeholder (" + clip(s, 30) + "), not a name.")
	}
	words := strings.Fields(lettersOnly(low))
	if isRole(words) {
		return refuse("The " + label + " names a role (" + clip(s, 30) + "), not a person.")
	}
	if w := companyWord(s); w != "" {
		return refuse("The " + label + " names a company (" + w + "), not a person.")
	}
	return nil
}

// errorValue reports whether the cell is one of the spreadsheets' error values (#REF!, #N/A, #NAME?).
func errorValue(low string) bool {
	for _, e := range []string{"#ref", "#n/a", "#name", "#value", "#div", "#null", "#num", "#spill", "#calc", "#error", "#getting_data", "###"} {
		if strings.HasPrefix(low, e) {
			return true
		}
	}
	return false
}

// looksLikeHost reports whether a single word ends like a host name: example.com.
func looksLikeHost(low string) bool {
	if strings.ContainsRune(low, ' ') {
		return false
	}
	i := strings.LastIndexByte(low, '.')
	return i > 0 && i < len(low)-1 && hostEndings[strings.TrimSuffix(low[i+1:], "/")]
}

var hostEndings = set("com net org info biz io co ai dev app edu gov eu de fr uk us nl it es ch at be pl se no dk fi cz ru cn jp br in au ca test example")

// phoneLike reports whether a cell is mostly digits in the shape of a telephone number.
func phoneLike(s string) bool {
	digits, letters := 0, 0
	for _, r := range s {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsLetter(r):
			letters++
		}
	}
	return digits >= 6 && letters <= 4
}

// refuseDigits refuses digits in what is left of a name; ordinals (2nd, 3rd) are suffixes.
func refuseDigits(label, s string) error {
	for w := range strings.FieldsSeq(s) {
		if strings.ContainsFunc(w, unicode.IsDigit) && !suffixes[strings.ToLower(strings.Trim(w, ".,"))] {
			return refuse("The " + label + " has digits in it, as no name has.")
		}
	}
	return nil
}

// refuseTwoPeople refuses a cell that names two people.
func refuseTwoPeople(label, s string) error {
	low := " " + strings.ToLower(s) + " "
	for _, and := range []string{"&", " and ", " und ", " et ", " + ", "/"} {
		if i := strings.Index(low, and); i > 0 && strings.ContainsFunc(low[:i], unicode.IsLetter) &&
			strings.ContainsFunc(low[i+len(and):], unicode.IsLetter) {
			return refuse("The " + label + " names two people or a couple; one row is one person.")
		}
	}
	return nil
}

// isPlaceholder reports whether a cell says that there is no name. Null, None and Test are surnames
// too, so those count only when they are not written like one.
func isPlaceholder(s string) bool {
	low := strings.ToLower(strings.TrimSpace(s))
	if placeholders[low] {
		return true
	}
	return maybePlaceholders[low] && (s == low || s == strings.ToUpper(s))
}

var placeholders = func() map[string]bool {
	m := map[string]bool{}
	for p := range strings.SplitSeq("n/a|n.a.|n.a|not available|not applicable|not provided|not given|no name|noname|unknown|"+
		"undefined|(blank)|blank|(none)|(null)|(empty)|empty|tbd|tba|to be determined|anonymous|anonym|first name|firstname|first_name|last name|"+
		"lastname|last_name|surname|full name|fullname|given name|family name|vorname|nachname|prénom|nom de famille|apellido|"+
		"apellidos|john doe|jane doe|max mustermann|erika mustermann|test test|test user|testuser|asdf|asdfasdf|qwerty|foo|foo bar|lorem ipsum|"+
		"xxx|xx|xxxx|nan|nil|[object object]|deleted user|private|confidential|unbekannt|inconnu|desconocido|keine angabe|k.a.|s/n|sin nombre|hidden|withheld", "|") {
		m[p] = true
	}
	return m
}()

var maybePlaceholders = set("null none na test name nobody user")

// isRole reports whether every word of a cell belongs to a mailbox of a function.
func isRole(words []string) bool {
	if len(words) == 0 {
		return false
	}
	sure := false
	for _, w := range words {
		w = strings.Trim(w, "-'.")
		if !roleWords[w] {
			return false
		}
		sure = sure || !softRoleWords[w]
	}
	return sure
}

var roleWords = set("sales support info admin administrator administration team office department dept marketing reception billing accounts accounting " +
	"accountant customer service services contact webmaster postmaster helpdesk help desk human resources purchasing procurement finance " +
	"enquiries inquiries general manager management owner director ceo cto cfo coo hr it the buchhaltung vertrieb einkauf verwaltung empfang " +
	"personalabteilung ventas compras administracion recepcion comercial accueil comptabilite direction president secretary secretariat")

// softRoleWords are names as well; a cell of these alone is a person.
var softRoleWords = set("help desk it the general service president")

// companyWord returns the word that makes a cell a company's name, or "".
func companyWord(s string) string {
	words := strings.Fields(strings.NewReplacer(",", " ", "(", " ", ")", " ").Replace(s))
	for i, w := range words {
		key := strings.ToLower(strings.ReplaceAll(strings.Trim(w, ".-"), ".", ""))
		if companyWords[key] && (len(words) > 1 || key == "gmbh") {
			return w
		}
		caps := strings.ReplaceAll(strings.Trim(w, ".-"), ".", "")
		if i == len(words)-1 && i > 0 && capsCompanyWords[caps] && s != strings.ToUpper(s) {
			return w
		}
	}
	return ""
}

var companyWords = set("gmbh mbh ltd limited inc incorporated llc llp corp corporation pty plc sarl srl kft ltda gbr ohg ug " +
	"holding holdings consulting solutions technologies university universität société")

// capsCompanyWords are legal forms that are also names or words, so only capitals at the end count.
var capsCompanyWords = set("AG SA SAS SPA SL AB AS BV NV KG SE OY OYJ APS KK AD DOO ZOO EV")

// clip cuts a text to n runes for a sentence.
func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n]) + "…"
}

// set makes a lookup table of the words of a string.
func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}
