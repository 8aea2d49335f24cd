package sheet

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// content is what the sampled cells of a column look like: how many are filled,
// and the share of those (0..1) that have each look. A cell may have several.
type content struct {
	filled                       int
	email, site, social, company float64
	given                        float64 // a common given name, alone
	full                         float64 // two to four words like a person's name
	word                         float64 // one or two words like a name
	data                         float64 // numbers, dates, telephone numbers
}

// maxJudged is how many rows a column is judged by.
const maxJudged = 200

// judge looks at one column.
func judge(rows [][]string, column int) content {
	var c content
	for _, row := range rows[:min(len(rows), maxJudged)] {
		if column >= len(row) {
			continue
		}
		if s := strings.TrimSpace(row[column]); s != "" {
			c.filled++
			c.look(s)
		}
	}
	if n := float64(c.filled); n > 0 {
		for _, share := range []*float64{&c.email, &c.site, &c.social, &c.company, &c.given, &c.full, &c.word, &c.data} {
			*share /= n
		}
	}
	return c
}

// look counts what one cell looks like.
func (c *content) look(s string) {
	switch {
	case looksEmail(s):
		c.email++
		return
	case looksSocial(s):
		c.social++
		return
	case looksSite(s):
		c.site++
		return
	case looksData(s):
		c.data++
		return
	}
	list := strings.Fields(s)
	switch {
	case looksCompany(s, list):
		c.company++
	case len(list) >= 2 && len(list) <= 4 && allNameWords(list):
		c.full++
	}
	if len(list) <= 2 && allNameWords(list) {
		c.word++
	}
	if len(list) <= 2 && givenNames()[plainWord(list[0])] {
		c.given += 1 / float64(len(list))
	}
}

// bidsFor are the fields that a column may be, by its name and its content. The
// name is the better witness; content that contradicts it weakens it.
func bidsFor(column int, m meaning, c content) []bid {
	switch m.field {
	case "":
		return contentBids(column, c)
	case otherColumn:
		return nil
	}
	fit := 1.0
	if c.filled >= leastFilled {
		fit = m.fit(c)
	}
	return []bid{{m.field, column, m.sure * fit}}
}

// leastFilled is how many filled cells it takes to doubt a column's name.
const leastFilled = 3

// fit is by how much the content confirms (above 1) or contradicts a meaning.
func (m meaning) fit(c content) float64 {
	switch m.field {
	case Email:
		return 0.4 + 0.62*c.email
	case Domain:
		return 0.5 + 0.52*max(c.site, c.email)
	case FirstName, LastName, FullName, Company:
		if strange := c.email + c.social + c.data; strange > 0.5 {
			return 0.4
		}
		if m.field != Company && c.site > 0.5 {
			return 0.4
		}
		return 1.01
	}
	return 1
}

// contentBids judges a column that has no name, or one we do not know.
func contentBids(column int, c content) []bid {
	var bids []bid
	claim := func(f Field, share, least, sure float64) {
		if share >= least {
			bids = append(bids, bid{f, column, sure * share})
		}
	}
	claim(Email, c.email, 0.5, 0.9)
	claim(Domain, c.site, 0.5, 0.85)
	claim(Company, c.company, 0.3, 0.8)
	if c.company < 0.3 {
		claim(FullName, c.full, 0.6, 0.7)
		claim(FirstName, c.given, 0.4, 0.8)
	}
	return bids
}

// looksEmail: something@domain.tld, without blanks.
func looksEmail(s string) bool {
	s = strings.TrimPrefix(s, "mailto:")
	at := strings.LastIndexByte(s, '@')
	return at > 0 && !strings.ContainsAny(s, " \t\n,;/") && looksHost(s[at+1:])
}

// socialHosts are sites where people and companies have profiles.
var socialHosts = []string{"linkedin.com", "twitter.com", "x.com", "facebook.com", "fb.com", "instagram.com", "xing.com", "github.com", "youtube.com", "tiktok.com", "crunchbase.com", "angel.co", "wellfound.com", "lnkd.in", "t.me"}

func looksSocial(s string) bool {
	host := hostOf(s)
	for _, social := range socialHosts {
		if host == social || strings.HasSuffix(host, "."+social) {
			return true
		}
	}
	return false
}

// looksSite: a domain or a URL.
func looksSite(s string) bool { return looksHost(hostOf(s)) }

// hostOf is the host of a URL or of a bare domain with a path, lower-cased.
func hostOf(s string) string {
	if _, after, found := strings.Cut(s, "://"); found {
		s = after
	}
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		s = s[:i]
	}
	host, _, _ := strings.Cut(s, ":")
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// looksHost: labels of letters, digits and hyphens, the last one of letters.
func looksHost(host string) bool {
	dot := strings.LastIndexByte(host, '.')
	if dot <= 0 || len(host) > 253 || utf8.RuneCountInString(host[dot+1:]) < 2 {
		return false
	}
	before := '.'
	for _, r := range host {
		switch {
		case r == '.' && (before == '.' || before == '-'), r == '-' && before == '.':
			return false
		case r != '.' && r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r):
			return false
		}
		before = r
	}
	for _, r := range host[dot+1:] {
		if !unicode.IsLetter(r) && !strings.HasPrefix(host[dot+1:], "xn--") {
			return false
		}
	}
	return true
}

// looksData: digits and what stands between them in numbers, dates and
// telephone numbers.
func looksData(s string) bool {
	digits := 0
	for _, r := range s {
		switch {
		case unicode.IsDigit(r):
			digits++
		case !strings.ContainsRune("+-.,:/()%€$£ '\u00a0TZ", r):
			return false
		}
	}
	return digits > 0
}

// legalForms are endings of company names, lower-cased and without dots.
var legalForms = wordSet("gmbh ag kg ohg ug ev eg mbh inc incorporated llc ltd limited plc corp corporation co company llp lp sa sas sarl sasu eurl scop srl spa sl slu slne scl lda ltda eireli bv nv vof cv ab aktiebolag hb oy oyj as asa aps is ks sp zoo spzoo spj sro kft zrt bt nyrt doo dd ad ood eood sia uab ou ooo oao zao pao pty pvt pte kk gk yk sdn bhd se holding holdings group gruppe groupe grupo gruppo partners solutions technologies consulting " +
	"services systems software labs studio studios media agency agentur bank university universität université hospital international global industries enterprises ventures capital foundation institute sti anonim limitada")

func looksCompany(s string, list []string) bool {
	for _, suffix := range []string{"株式会社", "有限会社", "合同会社", "有限公司", "股份公司", "集团"} {
		if strings.Contains(s, suffix) {
			return true
		}
	}
	lower := strings.ToLower(s)
	for _, prefix := range []string{"ооо ", "оао ", "зао ", "пао ", "ао "} {
		if strings.HasPrefix(lower, prefix) {
			return true
		}
	}
	if strings.ContainsRune(s, '&') {
		return true
	}
	if len(list) < 2 {
		return false
	}
	lastWord := strings.Trim(strings.ReplaceAll(strings.ToLower(list[len(list)-1]), ".", ""), ",()/")
	return legalForms[lastWord] || strings.HasSuffix(lower, " z o.o.") || strings.HasSuffix(lower, " e.v.") || strings.HasSuffix(lower, " s. a.")
}

// particles are the small words within names of people.
var particles = wordSet("van von der den de da do dos das del della di du la le el al bin ibn ten ter zu zur af av y e und")

// allNameWords: every word begins with a capital (or is a particle) and is made
// of letters. Scripts without case pass; so do words all in small letters when
// they are given names.
func allNameWords(list []string) bool {
	for _, w := range list {
		if !isNameWord(w) {
			return false
		}
	}
	return len(list) > 0
}

func isNameWord(w string) bool {
	if particles[strings.ToLower(w)] || givenNames()[plainWord(w)] {
		return true
	}
	for i, r := range w {
		switch {
		case i == 0 && (!unicode.IsLetter(r) || unicode.IsLower(r)):
			return false
		case !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) && !strings.ContainsRune("-'’.,", r):
			return false
		}
	}
	return true
}

// plainWord is a word lower-cased and without accents.
func plainWord(w string) string { return strings.Join(words(w), "") }
