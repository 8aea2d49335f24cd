package sheet

import (
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
