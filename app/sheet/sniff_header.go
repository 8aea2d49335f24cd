package sheet

import "strings"

// maxTitleRows is how many rows above a header may be a title.
const maxTitleRows = 5

// sniffHeader says whether the first row names the columns, after how many title
// rows, and how sure that is (0..1).
func sniffHeader(rows [][]string) (header bool, skip int, confidence float64) {
	if len(rows) == 0 {
		return false, 0, 0
	}
	if skip := titleRows(rows); skip > 0 {
		return true, skip, 0.9
	}
	header, confidence = firstIsHeader(rows)
	return header, 0, confidence
}

// titleRows counts the rows above a header, each with a single filled cell
// ("Attendees 2026"). Rows are taken for a title only if a row follows that is
// known to be a header: data must never be skipped.
func titleRows(rows [][]string) int {
	for skip, row := range rows[:min(len(rows), maxTitleRows+1)] {
		if filled(row) > 1 {
			known, ours := knownNames(row)
			if skip > 0 && ours > 0 && 2*known >= filled(row) && !hasData(row) {
				return skip
			}
			return 0
		}
	}
	return 0
}

func filled(row []string) int {
	n := 0
	for _, cell := range row {
		if strings.TrimSpace(cell) != "" {
			n++
		}
	}
	return n
}

// knownNames counts the cells that are known names of columns, and those among
// them that are ours: e-mail addresses, names, companies, domains.
func knownNames(row []string) (known, ours int) {
	for _, cell := range row {
		if looksEmail(cell) {
			continue
		}
		m, ok := headerMeaning(cell)
		if !ok {
			continue
		}
		known++
		if m.field != otherColumn {
			ours++
		}
	}
	return known, ours
}

// hasData says whether a cell is an e-mail address, a site, or a number: what no
// header holds. Names such as "contact.email" are no sites here.
func hasData(row []string) bool {
	for _, cell := range row {
		cell = strings.TrimSpace(cell)
		if looksEmail(cell) || (looksData(cell) && !isShortNumber(cell)) {
			return true
		}
		if _, known := headerMeaning(cell); !known && looksSite(cell) {
			return true
		}
	}
	return false
}

// isShortNumber: the columns of some exports are numbered.
func isShortNumber(s string) bool { return len(s) <= 3 && isDigits(s) }

// firstIsHeader weighs what the first row holds against the rows below it.
func firstIsHeader(rows [][]string) (bool, float64) {
	first, rest := rows[0], rows[1:]
	n := filled(first)
	if n == 0 {
		return false, 0.5
	}
	if hasData(first) {
		return false, 0.97
	}
	if known, ours := knownNames(first); known > 0 && (known >= 2 || 2*known >= n) {
		sure := 0.8 + 0.19*float64(known)/float64(n)
		if ours == 0 {
			sure -= 0.1
		}
		return true, sure
	}
	score := contrast(first, rest) - familiar(first)
	switch {
	case score >= 1:
		return true, 0.85
	case score > 0:
		return true, 0.65
	case score < 0 || len(rest) == 0:
		return false, 0.7
	}
	return true, 0.5
}

// contrast is in how many columns the rows below have a type that their first
// cell does not have, less the columns where the first cell occurs again.
func contrast(first []string, rest [][]string) float64 {
	score := 0.0
	for i, cell := range first {
		c := judge(rest, i)
		if c.filled == 0 {
			continue
		}
		if strings.TrimSpace(cell) != "" && c.email+c.site+c.social+c.data >= 0.6 {
			score++
		}
		for _, row := range rest {
			if i < len(row) && row[i] == cell && cell != "" {
				score -= 0.5
				break
			}
		}
	}
	return score
}

// familiar is how much the row looks like a person and a company.
func familiar(row []string) float64 {
	score := 0.0
	for i := range row {
		c := judge([][]string{row}, i)
		score += c.given + c.company + 0.3*c.full
	}
	return score
}
