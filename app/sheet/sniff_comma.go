package sheet

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// commaRows is how many rows the delimiter is judged by.
const commaRows = 200

// sniffComma finds the delimiter: the one that a first line `sep=;` names, else
// the one that cuts the rows into the most regular and cleanest cells. A file of
// one column has a comma.
func sniffComma(text []byte, filename string) (string, float64) {
	if c, _ := separator(text); c != 0 && bytes.IndexByte([]byte(",;\t|"), c) >= 0 {
		return string(c), 1
	}
	best, bestScore, second := ",", 0.0, 0.0
	for _, comma := range Commas() {
		score := scoreComma(parse(text, comma[0], commaRows), comma[0])
		if comma == "\t" && (strings.HasSuffix(filename, ".tsv") || strings.HasSuffix(filename, ".tab")) {
			score *= tsvBonus
		}
		if score > bestScore {
			best, bestScore, second = comma, score, bestScore
		} else {
			second = max(second, score)
		}
	}
	if bestScore == 0 {
		return ",", 0.9 // one column: any delimiter is right
	}
	return best, 0.5 + 0.49*(bestScore-second)/bestScore
}

// tsvBonus is what the ending .tsv adds to a tab.
const tsvBonus = 1.5

// scoreComma is how regular the rows are (the share of rows with the usual number
// of cells, more for more cells) times how clean the cells are.
func scoreComma(rows []record, comma byte) float64 {
	widths, cells, clean := map[int]int{}, 0, 0.0
	for _, rec := range rows {
		widths[len(rec.cells)]++
		for _, cell := range rec.cells {
			cells++
			clean += cleanness(cell, comma)
		}
		if rec.bad != "" {
			clean -= float64(len(rec.cells))
		}
	}
	if cells == 0 {
		return 0
	}
	regular := 0.0
	for width, n := range widths {
		share := float64(n) / float64(len(rows))
		regular = max(regular, share*share*float64(width-1)/float64(width))
	}
	return regular * max(0, clean/float64(cells))
}

// cleanness is 1 for a cell as cells are, less if it looks like several, or like
// a part of one.
func cleanness(cell string, comma byte) float64 {
	cell = strings.TrimSpace(cell)
	if cell == "" || looksEmail(cell) || looksData(cell) && comma != ',' {
		return 1
	}
	if cell[0] == '"' || cell[len(cell)-1] == '"' {
		return 0.1
	}
	suspects := ";\t|"
	if comma == '|' || comma == '\t' {
		suspects = ";\t|," // these two hardly ever occur in text
	}
	score := 1.0
	for _, c := range suspects {
		if byte(c) != comma {
			if n := strings.Count(cell, string(c)); n > 0 {
				score -= 0.25 + 0.1*float64(min(n, 4))
			}
		}
	}
	return max(score, 0.1)
}

// parse reads up to n records of a block of text.
func parse(text []byte, comma byte, n int) []record {
	lx := newLexer(bytes.NewReader(text), comma, DefaultLimits())
	lx.start()
	var rows []record
	for len(rows) < n {
		var rec record
		if lx.next(&rec) != nil {
			return rows
		}
		rows = append(rows, rec)
	}
	return rows
}

// onlyReal drops io.EOF.
func onlyReal(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
