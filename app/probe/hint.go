package probe

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Bounds of a waiting time that a server may ask for.
const (
	minHint = time.Second
	maxHint = 6 * time.Hour
)

var (
	clockHint = regexp.MustCompile(`\b(\d{1,2}):(\d{2}):(\d{2})\b`)
	wordHint  = regexp.MustCompile(`(?i)\b(\d{1,6})\s*(seconds?|secs?|sekunden?|segundos?|secondes?|secondi|s|minutes?|mins?|minuten?|minutos?|minuti|m|hours?|hrs?|stunden?|heures?|horas?|ore|h)\b`)
)

// waitHint reads how long a text asks to wait ("in 300 seconds", "5 minutes", "come back in 00:04:32"), or says standard.
func waitHint(text string, standard time.Duration) time.Duration {
	if m := clockHint.FindStringSubmatch(text); m != nil {
		return boundHint(time.Duration(number(m[1]))*time.Hour + time.Duration(number(m[2]))*time.Minute + time.Duration(number(m[3]))*time.Second)
	}
	m := wordHint.FindStringSubmatch(text)
	if m == nil {
		return standard
	}
	unit := time.Second
	switch strings.ToLower(m[2])[0] {
	case 'm':
		unit = time.Minute
	case 'h', 'o':
		unit = time.Hour
	}
	if strings.HasPrefix(strings.ToLower(m[2]), "st") { // Stunden
		unit = time.Hour
	}
	return boundHint(time.Duration(number(m[1])) * unit)
}

func boundHint(d time.Duration) time.Duration { return min(max(d, minHint), maxHint) }

// number is of at most 6 digits, by the expressions above.
func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
