package sheet

import (
	"errors"
	"fmt"
	"strings"
)

// Processes that Mapping.Check knows.
const (
	processFind     = "find"
	processFindAll  = "find_all"
	processVerify   = "verify"
	processPattern  = "pattern"
	processClassify = "classify"
	processNone     = "none"
)

// Check says whether the mapped columns are enough for a process: a name and a
// domain or company to find addresses, an e-mail column to verify them, a domain
// or company for patterns, a domain to classify. If not it is a *Refusal that
// says what is missing.
func (m Mapping) Check(process string) error { return m.CheckColumns(process, nil) }

// CheckColumns is Check with a message that also names the columns of the file.
func (m Mapping) CheckColumns(process string, columns []string) error {
	var missing []string
	need := func(what string, fields ...Field) {
		for _, f := range fields {
			if _, ok := m[f]; ok {
				return
			}
		}
		missing = append(missing, what)
	}
	task := ""
	switch process {
	case processNone, "":
	case processFind, processFindAll:
		task = "find addresses"
		need("a name (first and last name, or full name)", FirstName, LastName, FullName)
		need("the domain, website or name of the company", Domain, Company)
	case processVerify:
		task = "verify addresses"
		need("a column with e-mail addresses", Email)
	case processPattern:
		task = "tell the pattern of a company's addresses"
		need("the domain, website or name of the company", Domain, Company)
	case processClassify:
		task = "classify companies"
		need("their domain or website", Domain)
	default:
		return fmt.Errorf("sheet: unknown process %q", process)
	}
	if len(missing) == 0 {
		return nil
	}
	return refuse(NoUsableColumn, "To %s we need %s. %s Choose the right columns, or add what is missing to the file.", task, strings.Join(missing, " and "), m.seen(columns))
}

// CheckFile is CheckColumns for a file that is read with d. When nothing is below the header the refusal is NoRows; the line may be the only
// person, so a file is not refused before somebody could say that. When the whole file came out as one column and that is not
// enough, the likely mistake is the delimiter: the refusal is OneColumn and says so.
func (m Mapping) CheckFile(process string, d Dialect, columns []string) error {
	if d.NoRows {
		return noRows(columns)
	}
	err := m.CheckColumns(process, columns)
	var r *Refusal
	if !errors.As(err, &r) || r.Code != NoUsableColumn || len(columns) != 1 || (d.Format != CSV && d.Format != "") {
		return err
	}
	need, _, _ := strings.Cut(r.Message, ". ")
	look := "If another character separates the columns, choose it as the delimiter"
	if other := separatorIn(columns[0], d.comma()); other != "" {
		look = "It looks as if " + other + " separates the columns: choose that as the delimiter"
	} else if strings.ContainsAny(columns[0], "^~#:") {
		look = "Save the file again with a comma, semicolon, tab or pipe between the columns"
	}
	return refuse(OneColumn, "Read with %s between its columns, the file has only one column, %s. %s. %s, or add what is missing to the file.",
		CommaName(d.comma()), list(columns), need, look)
}

func noRows(columns []string) *Refusal {
	return refuse(NoRows, "The file has only a header (%s) and no rows below it. Add the people to look up, or, if this line is one of them, say that the first row is already a person.", list(columns))
}

// separatorIn names the delimiter, other than the one that was used, that a header holds most of; "" for none.
func separatorIn(header string, used byte) string {
	best, most := "", 0
	for _, c := range Commas() {
		if n := strings.Count(header, c); n > most && c[0] != used {
			best, most = CommaName(c[0]), n
		}
	}
	return best
}

// CommaName is a delimiter in words.
func CommaName(c byte) string {
	switch c {
	case ';':
		return "a semicolon"
	case '\t':
		return "a tab"
	case '|':
		return "a pipe"
	}
	return "a comma"
}

// seen is a sentence about the columns there are.
func (m Mapping) seen(columns []string) string {
	if len(columns) > 0 {
		return "The columns of the file are " + list(columns) + "."
	}
	var names []string
	for _, f := range Fields() {
		if i, ok := m[f]; ok {
			names = append(names, fmt.Sprintf("%s (column %d)", f.Label(), i+1))
		}
	}
	if len(names) == 0 {
		return "No column has been recognised."
	}
	return "Recognised so far: " + strings.Join(names, ", ") + "."
}

// maxListed is how many column names a message holds, maxName how much of each.
const (
	maxListed = 12
	maxName   = 40
)

// list names columns in a sentence.
func list(columns []string) string {
	names := make([]string, 0, maxListed+1)
	for i, name := range columns {
		if i == maxListed {
			names = append(names, fmt.Sprintf("and %d more", len(columns)-maxListed))
			break
		}
		if r := []rune(name); len(r) > maxName {
			name = string(r[:maxName]) + "…"
		}
		names = append(names, fmt.Sprintf("%q", name))
	}
	return strings.Join(names, ", ")
}
