package finder

import (
	"context"
	"strings"

	"beagle/app/probe"
)

// Trust in a domain that was guessed from a company's name: the first guess (the whole name under
// .com or the legal form's country), and those after it.
const (
	trustFirstGuess = 0.6
	trustNextGuess  = 0.4
	maxGuesses      = 5
)

// legalForms are words that end a company's name, with the endings of the domains usual there.
var legalForms = map[string]string{
	"gmbh": "de at ch", "mbh": "de", "ag": "de ch", "kg": "de", "ohg": "de", "ug": "de", "gbr": "de", "ev": "de", "ltd": "co.uk", "limited": "co.uk", "plc": "co.uk", "llp": "co.uk",
	"inc": "", "incorporated": "", "llc": "", "corp": "", "corporation": "", "company": "", "co": "", "lp": "", "group": "", "holding": "", "holdings": "",
	"sa": "fr ch", "sas": "fr", "sarl": "fr", "sasu": "fr", "eurl": "fr", "spa": "it", "srl": "it ro", "bv": "nl", "nv": "nl be", "ab": "se", "as": "no", "asa": "no", "aps": "dk",
	"oy": "fi", "oyj": "fi", "sro": "cz sk", "sl": "es", "slu": "es", "kft": "hu", "zrt": "hu", "ltda": "com.br", "lda": "pt", "pty": "com.au", "kk": "co.jp", "ooo": "ru", "doo": "rs hr", "zoo": "pl",
}

// locateCompany looks for a company's domain: in the cell itself, in the asker's own data, then among the domains named like
// the company for one that has mail servers.
func (q *question) locateCompany(ctx context.Context, company string) bool {
	if d, err := cleanDomain(company); err == nil && strings.Contains(company, ".") && !strings.Contains(strings.TrimSpace(company), " ") {
		q.domain, q.res.Evidence.DomainSource = d, sourceCompany
		return true
	}
	return q.locateOwn(ctx, company) || q.guessCompany(ctx, company)
}

// guessCompany asks DNS about domains named like the company.
func (q *question) guessCompany(ctx context.Context, company string) bool {
	failed := false
	for i, d := range companyDomains(company) {
		q.domain = d
		q.recall(ctx)
		if !q.factsFresh() {
			q.facts = q.f.prober.Lookup(ctx, d)
			if q.facts.State == probe.StateDNSFailed {
				failed = true
				continue
			}
			q.remember(ctx, nil)
		} else {
			q.facts = *q.known.Facts
		}
		if q.facts.State == probe.StateOK && !q.facts.Implicit && !q.facts.Webmail && !q.facts.Disposable {
			q.trust = trustNextGuess
			if i == 0 {
				q.trust = trustFirstGuess
			}
			q.res.Evidence.DomainSource, q.trustWhy = sourceCompany, "The domain was guessed from the company's name."
			return true
		}
	}
	q.domain = ""
	if failed {
		q.unknown(string(probe.DNSFailed), defaultRetry)
		return false
	}
	q.res.Status, q.res.Reason, q.res.Sentence = StatusUnknown, string(probe.DomainNotFound), sentenceNoCompany
	q.rule(RuleNoCompany)
	return false
}

// CompanyDomain is the mail domain of a company by the asker's own data, or else guessed from its name by asking DNS; "" when none of
// the guesses takes mail.
func (f *Finder) CompanyDomain(ctx context.Context, company string) string {
	q := f.question(Person{})
	if !q.locateCompany(ctx, company) {
		return ""
	}
	return q.domain
}

// companyDomains are the domains a company of this name may have, likeliest first.
func companyDomains(company string) []string {
	if len(company) > maxCellBytes {
		return nil
	}
	words, endings := splitCompany(company, latinWord)
	if len(words) == 0 {
		return nil
	}
	var out []string
	add := func(name, ending string) {
		if d, err := probe.CleanDomain(name + "." + ending); err == nil && len(out) < maxGuesses {
			out = append(out, d)
		}
	}
	for _, e := range endings {
		add(strings.Join(words, ""), e)
	}
	if len(words) > 1 {
		add(strings.Join(words, "-"), endings[0])
		if len(words) > 2 {
			add(words[0]+words[1], endings[0])
		}
	}
	add(strings.Join(words, ""), "io")
	return out
}

// companySigns turns the signs in a company's name into spaces, or nothing.
var companySigns = strings.NewReplacer(".", "", "'", "", "’", "", "&", " and ", ",", " ", "-", " ", "/", " ", "(", " ", ")", " ", "+", " ", "|", " ")

// splitCompany gives the words of a company's name without its legal form, each as spelt writes it, and the endings of its
// domain that the legal form makes likely.
func splitCompany(company string, spelt func(string) string) (words, endings []string) {
	endings = []string{"com"}
	for w := range strings.FieldsSeq(companySigns.Replace(company)) {
		one := spelt(w)
		if more, ok := legalForms[one]; ok && len(words) > 0 {
			endings = append(strings.Fields(more), endings...)
			continue
		}
		if one != "" && len(words) < maxWords {
			words = append(words, one)
		}
	}
	return words, endings
}

// latinWord is a word in the letters and digits of a domain name; "" in another script.
func latinWord(w string) string {
	one, _ := foldLatin(w)
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, one)
}
