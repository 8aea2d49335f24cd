package web

import (
	"errors"
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"
)

// words are the functions that templates have.
func words(a *assets) template.FuncMap {
	return template.FuncMap{
		"asset":      a.url,
		"count":      count,
		"size":       size,
		"span":       span,
		"percent":    percent,
		"iso":        func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"when":       func(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04") + " UTC" },
		"clock":      func(t time.Time) string { return t.UTC().Format("15:04:05.000") },
		"status":     statusWord,
		"state":      stateWord,
		"process":    processWord,
		"provider":   providerWord,
		"reason":     func(reason any) string { return reasonWord(fmt.Sprint(reason)) },
		"next":       nextStep,
		"because":    because,
		"args":       args,
		"plain":      plainWords,
		"action":     actionWord,
		"browser":    browserWord,
		"ledger":     ledgerWord,
		"hundredths": func(share float64) string { return fmt.Sprintf("%.1f", 100*share) },
	}
}

// args makes a map for a partial: args "name" value "name" value …
func args(kv ...any) (map[string]any, error) {
	if len(kv)%2 != 0 {
		return nil, errors.New("args: a name has no value")
	}
	m := make(map[string]any, len(kv)/2)
	for i := 0; i < len(kv); i += 2 {
		name, ok := kv[i].(string)
		if !ok {
			return nil, fmt.Errorf("args: %v is no name", kv[i])
		}
		m[name] = kv[i+1]
	}
	return m, nil
}

// count writes 1234567 as 1,234,567.
func count(n any) (string, error) {
	var v int64
	switch n := n.(type) {
	case int:
		v = int64(n)
	case int64:
		v = n
	default:
		return "", fmt.Errorf("count: %T is no whole number", n)
	}
	digits := strconv.FormatInt(v, 10)
	start := 0
	if v < 0 {
		start = 1
	}
	for i := len(digits) - 3; i > start; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits, nil
}

// size writes bytes for people: "12 KB", "3.4 MB".
func size(bytes int64) string {
	if bytes < 1024 {
		return fmt.Sprintf("%d B", bytes)
	}
	v, unit := float64(bytes), ""
	for _, unit = range []string{"KB", "MB", "GB", "TB"} {
		if v /= 1024; v < 999.5 {
			break
		}
	}
	if v < 9.95 {
		return fmt.Sprintf("%.1f %s", v, unit)
	}
	return fmt.Sprintf("%.0f %s", v, unit)
}

// span writes a duration for people: "40 s", "3 min", "2 h 5 min", "3 days".
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < 90*time.Second:
		return fmt.Sprintf("%d s", int(math.Ceil(d.Seconds())))
	case d < 90*time.Minute:
		return fmt.Sprintf("%d min", int(math.Round(d.Minutes())))
	case d < 48*time.Hour:
		minutes := int(math.Round(d.Minutes()))
		return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
	}
	return fmt.Sprintf("%d days", int(math.Round(d.Hours()/24)))
}

// percent writes a share of 1: "37 %", "0.4 %", "<0.1 %".
func percent(p float64) string {
	switch v := 100 * p; {
	case v <= 0:
		return "0 %"
	case v < 0.1:
		return "<0.1 %"
	case v < 9.95:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0") + " %"
	default:
		return fmt.Sprintf("%.0f %%", v)
	}
}

// statusWords are the answers, in the order in which charts and tables show them.
var statusWords = []struct{ Status, Word, Meaning string }{
	{"valid", "Valid", "The mail server knows this mailbox."},
	{"accept_all", "Accept-all", "The server takes every name, so the score is our estimate."},
	{"webmail", "Webmail", "A personal mailbox at a free provider."},
	{"disposable", "Disposable", "A throw-away mailbox."},
	{"unknown", "Unknown", "The server did not say. See why below."},
	{"not_found", "Not found", "None of the likely addresses exists."},
	{"invalid", "Invalid", "The address or its domain takes no mail."},
}

func statusWord(status string) string {
	for _, w := range statusWords {
		if w.Status == status {
			return w.Word
		}
	}
	return plainWords(status)
}

// plainWords reads an identifier aloud: "mailbox_full" is "Mailbox full".
func plainWords(id string) string {
	s := strings.ReplaceAll(id, "_", " ")
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func stateWord(state string) string {
	switch state {
	case "mapping":
		return "Choose columns"
	case "queued":
		return "In the queue"
	case "retrying":
		return "Coming back later"
	case "pending":
		return "Waiting"
	case "exporting":
		return "Writing the file"
	}
	return plainWords(state)
}

// processes are what can be done with a list, as people choose it.
var processes = []struct{ ID, Word, Meaning string }{
	{"find", "Find addresses", "A name and a company become one verified work address."},
	{"find_all", "Find all candidates", "Every likely address of a person, each asked about."},
	{"verify", "Verify addresses", "The file has addresses; find out which ones take mail."},
	{"pattern", "Patterns only", "How a company writes its addresses. No mailbox is asked about."},
	{"none", "Only import", "Keep the rows here and look nothing up."},
}

func processWord(process string) string {
	for _, p := range processes {
		if p.ID == process {
			return p.Word
		}
	}
	return plainWords(process)
}

var providers = map[string]string{"google": "Google Workspace", "microsoft365": "Microsoft 365", "outlook": "Outlook.com", "icloud": "iCloud", "ovh": "OVHcloud", "ionos": "IONOS"}

func providerWord(p string) string {
	if w, ok := providers[p]; ok {
		return w
	}
	return plainWords(p)
}

// because is the reason in words where it says more than the status does.
func because(status, reason string) string {
	switch status + " " + reason {
	case "valid mailbox_exists", "accept_all accepts_all", "not_found mailbox_not_found", "invalid mailbox_not_found":
		return ""
	}
	return reasonWord(reason)
}

var reasonWords = map[string]string{
	"no_mx": "Domain without mail server", "null_mx": "Domain takes no mail", "dns_failed": "DNS did not answer",
	"tls_required": "Encryption demanded", "not_smtp": "Not a mail server", "accepts_all": "Accepts every name",
	"not_verifiable_provider": "Provider says yes to all", "bad_line": "Line could not be read", "bad_input": "Not enough to go on", "duplicate": "Repeats an earlier row",
	"blocked_by_server": "Server refused us", "ambiguous": "May be somebody else's", "pattern_unknown": "Form of address unknown",
	"greylisted": "Server says: come back later", "pattern_learned": "From known addresses here", "pattern_prior": "From what is usual", "internal_error": "Our own error",
}

func reasonWord(reason string) string {
	if w, ok := reasonWords[reason]; ok {
		return w
	}
	return plainWords(reason)
}

// nextSteps say what a person can do about rows that have no answer.
var nextSteps = map[string]string{
	"greylisted":              "The server asks strangers to come back later, and Beagle did until it gave up. Try these rows again in a few hours.",
	"blocked_by_server":       "The server refused our address, not the mailbox. Send probes from another IP address, or ask from a network with a good name.",
	"server_unavailable":      "The mail server could not be reached or was busy. Try these rows again later.",
	"timeout":                 "The mail server was too slow. Try these rows again later.",
	"dns_failed":              "The domain's name servers did not answer. Try these rows again later.",
	"tls_required":            "The server wants encryption that could not be had. The address is our best estimate.",
	"not_verifiable":          "The server will not say who has a mailbox. The score is our estimate.",
	"not_verifiable_provider": "This provider says yes to every name, so only the pattern counts. The score is our estimate.",
	"rejected_unclear":        "The server refused without saying why. Nobody can tell from this whether the mailbox exists.",
	"ambiguous":               "A mailbox answers that may be somebody else's of a like name. Check before you write to it.",
	"pattern_unknown":         "The likely addresses were refused, and this company may write its addresses in a rare way. A known address of a colleague would tell.",
	"not_smtp":                "What answers for this domain does not speak the mail protocol. Check the domain.",
	"bad_input":               "The row lacks a usable name, domain or address. Correct it in your file and upload those rows again.",
	"bad_line":                "The line could not be read. The result file says what is wrong with it.",
	"internal_error":          "This was our own mistake. Try these rows again.",
	"suppressed":              "The owner of this address or domain asked not to be looked up.",
}

func nextStep(reason string) string { return nextSteps[reason] }
