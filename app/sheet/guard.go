package sheet

import "strings"

// Guard makes a cell harmless in a spreadsheet program: a single quote before
// what would be computed as a formula (OWASP, CSV injection; ASVS 5.0 1.2.10).
// Formulas begin with = @ TAB CR or NUL, and with + or - unless the cell is a
// number or a telephone number. A cell that has been guarded does not change.
func Guard(cell string) string {
	if cell == "" {
		return cell
	}
	switch cell[0] {
	case '=', '@', '\t', '\r', 0:
		return "'" + cell
	case '+', '-':
		if !isSigned(cell) {
			return "'" + cell
		}
	}
	return cell
}

// isSigned says whether a cell that begins with a sign is a number (-1,234.50 %
// or 1E+5) or, after a plus, a telephone number (+49 (0)30 123-45 ext. 6).
func isSigned(cell string) bool {
	rest := strings.TrimSpace(cell[1:])
	if isNumber(rest) {
		return true
	}
	if cell[0] != '+' {
		return false
	}
	rest, extension := cutExtension(strings.ToLower(rest))
	if !isDigits(extension) {
		return false
	}
	digits := 0
	for _, r := range rest {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case !strings.ContainsRune(" ()-./\u00a0", r):
			return false
		}
	}
	return digits > 0 && rest[0] != '-' && rest[0] != '.'
}

// cutExtension splits "555 0100 ext. 12" or "555 0100 x12".
func cutExtension(phone string) (number, extension string) {
	for _, mark := range []string{"ext", "x"} {
		if before, after, found := strings.Cut(phone, mark); found {
			return strings.TrimSpace(before), strings.TrimLeft(after, ". ")
		}
	}
	return phone, ""
}

// isNumber: digits with separators between them, perhaps an exponent, a percent
// sign or a currency.
func isNumber(s string) bool {
	s = strings.TrimSpace(strings.TrimRight(s, "%€$£ \u00a0"))
	mantissa, exponent, found := cutAny(s, "eE")
	if found && (exponent == "" || !isDigits(strings.TrimLeft(exponent, "+-")) || len(exponent) > len("+308")) {
		return false
	}
	digits := 0
	for _, r := range mantissa {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case !strings.ContainsRune(".,' \u00a0", r):
			return false
		}
	}
	return digits > 0
}

func cutAny(s, chars string) (before, after string, found bool) {
	i := strings.IndexAny(s, chars)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}
