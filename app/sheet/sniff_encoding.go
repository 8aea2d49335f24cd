package sheet

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// encodingGuess is what sniffEncoding found; confidence is 0..1.
type encodingGuess struct {
	name       string
	confidence float64
}

// sniffEncoding tells how a block of text is encoded: by its byte order mark,
// by its NULs (UTF-16), by being valid UTF-8, and last by which letters its
// bytes would be. The block may end within a rune unless it is the whole file.
func sniffEncoding(block []byte, whole bool) (encodingGuess, error) {
	switch {
	case bytes.HasPrefix(block, byteOrderMark):
		return encodingGuess{UTF8, 1}, nil
	case bytes.HasPrefix(block, []byte{0xFF, 0xFE}):
		return encodingGuess{UTF16LE, 1}, nil
	case bytes.HasPrefix(block, []byte{0xFE, 0xFF}):
		return encodingGuess{UTF16BE, 1}, nil
	}
	if g, ok := sniffUTF16(block); ok {
		return g, nil
	}
	if nuls := bytes.Count(block, []byte{0}); nuls*100 > len(block)*maxControls {
		return encodingGuess{}, refuse(NotASpreadsheet, "This file is not text but binary data. Save the table as CSV or XLSX and upload that.")
	}
	if !whole {
		block = block[:len(block)-cutRune(block)]
	}
	if utf8.Valid(block) {
		return encodingGuess{UTF8, 1}, nil
	}
	if good, broken := utf8Share(block); good > mostlyUTF8*broken {
		return encodingGuess{UTF8, 0.7}, nil
	}
	return sniffLegacy(block), nil
}

// mostlyUTF8 is how many well-formed runes beyond ASCII there are to one broken
// byte when a file is UTF-8 that something has damaged.
const mostlyUTF8 = 10

// utf8Share counts the runes beyond ASCII and the bytes that belong to none.
func utf8Share(b []byte) (good, broken int) {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n <= 1:
			broken++
		case n > 1:
			good++
		}
		b = b[n:]
	}
	return good, broken
}

// sniffUTF16 recognises UTF-16 without a byte order mark: ASCII characters
// (delimiters and line ends at least) have a NUL in one half of their two bytes,
// always the same half.
func sniffUTF16(block []byte) (encodingGuess, bool) {
	var nuls [2]int
	for i, c := range block {
		if c == 0 {
			nuls[i&1]++
		}
	}
	units := len(block) / 2
	if units < 2 {
		return encodingGuess{}, false
	}
	low, high, name := nuls[0], nuls[1], UTF16LE
	if low > high {
		low, high, name = high, low, UTF16BE
	}
	if high*100 < units*leastNULs || low*10 > high {
		return encodingGuess{}, false
	}
	text, err := decode(block[:units*2], name, false)
	if err != nil {
		return encodingGuess{}, false
	}
	odd := 0
	for _, r := range string(text) {
		if r == unicode.ReplacementChar || r == 0 || !(unicode.IsGraphic(r) || unicode.IsSpace(r)) {
			odd++
		}
	}
	if odd*100 > units*maxControls {
		return encodingGuess{}, false
	}
	return encodingGuess{name, 0.95}, true
}

// leastNULs is the share of UTF-16 units, in percent, that must be ASCII:
// Chinese text has few, but every row has delimiters and a line end.
const leastNULs = 4

// candidate is an encoding in a language, by the letters beyond ASCII that the
// language uses.
type candidate struct {
	encoding string
	table    *charmap.Charmap
	letters  string  // in lower and upper case
	prior    float64 // added to the share of bytes that are letters
}

// Languages with one alphabet of their own have a prior of 0; the mixtures come
// after them, so that a pure match wins. Windows-1252 is what most files are.
var candidates = []candidate{
	{Windows1252, charmap.Windows1252, "äöüßÄÖÜ", 0.05},
	{Windows1252, charmap.Windows1252, "àâæçèéêëîïôœùûüÿÀÂÆÇÈÉÊËÎÏÔŒÙÛÜŸ", 0.05},
	{Windows1252, charmap.Windows1252, "áéíñóúüçàèòïºª¿¡ÁÉÍÑÓÚÜÇÀÈÒÏ", 0.04},
	{Windows1252, charmap.Windows1252, "àáâãçéêíóôõúüÀÁÂÃÇÉÊÍÓÔÕÚÜ", 0.04},
	{Windows1252, charmap.Windows1252, "àèéìíòóùúÀÈÉÌÍÒÓÙÚ", 0.04},
	{Windows1252, charmap.Windows1252, "åäöæøéüÅÄÖÆØÉÜ", 0.04},
	{Windows1252, charmap.Windows1252, "áðéíóúýþæöÁÐÉÍÓÚÝÞÆÖ", -0.05},
	{Windows1252, charmap.Windows1252, "ëéèïöüáóËÉÈÏÖÜ", 0.04},
	{Windows1252, charmap.Windows1252, "àáâãäåæçèéêëìíîïñòóôõöøùúûüßœÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜŒ", -0.2},
	{Windows1250, charmap.Windows1250, "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ", 0},
	{Windows1250, charmap.Windows1250, "áčďéěíňóřšťúůýžÁČĎÉĚÍŇÓŘŠŤÚŮÝŽ", 0},
	{Windows1250, charmap.Windows1250, "áäčďéíĺľňóôŕšťúýžÁÄČĎÉÍĹĽŇÓÔŔŠŤÚÝŽ", -0.01},
	{Windows1250, charmap.Windows1250, "áéíóöőúüűÁÉÍÓÖŐÚÜŰ", 0},
	{Windows1250, charmap.Windows1250, "ăâîşţĂÂÎŞŢ", -0.05},
	{Windows1250, charmap.Windows1250, "čćđšžČĆĐŠŽ", 0},
	{Windows1250, charmap.Windows1250, "ąćęłńóśźżáčďéěíňřšťúůýžäöüßőűĄĆĘŁŃÓŚŹŻÁČĎÉĚÍŇŘŠŤÚŮÝŽÄÖÜŐŰ", -0.25},
	{ISO88592, charmap.ISO8859_2, "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ", -0.02},
	{ISO88592, charmap.ISO8859_2, "áčďéěíňóřšťúůýžÁČĎÉĚÍŇÓŘŠŤÚŮÝŽ", -0.02},
	{ISO88592, charmap.ISO8859_2, "áäčďéíĺľňóôŕšťúýžÁÄČĎÉÍĹĽŇÓÔŔŠŤÚÝŽ", -0.03},
	{ISO88592, charmap.ISO8859_2, "áéíóöőúüűÁÉÍÓÖŐÚÜŰ", -0.02},
	{ISO88592, charmap.ISO8859_2, "čćđšžČĆĐŠŽ", -0.02},
	{Windows1254, charmap.Windows1254, "çğıöşüâîûÇĞİÖŞÜ", -0.01},
	{Windows1251, charmap.Windows1251, "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґўАБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯІЇЄҐЎ", 0},
	{Macintosh, charmap.Macintosh, "äöüßÄÖÜ", -0.03},
	{Macintosh, charmap.Macintosh, "àâçèéêëîïôœùûüÀÂÇÈÉÊËÎÏÔŒÙÛÜ", -0.03},
	{Macintosh, charmap.Macintosh, "áéíñóúüÁÉÍÑÓÚÜ", -0.03},
	{Macintosh, charmap.Macintosh, "åäöæøéÅÄÖÆØÉ", -0.03},
}

// neutral is punctuation that any text may hold: it speaks neither for nor
// against an encoding.
const neutral = "\u00a0€‚„…‰‹›‘’“”•–—™«»°·§©®²³ªº´"

// bytesBeyond counts the bytes beyond ASCII; pairs have another one beside them.
type bytesBeyond struct {
	counts       [256]int
	total, pairs int
	inWord       [256]int // of those, right after a small ASCII letter
}

func countBeyond(block []byte) *bytesBeyond {
	var b bytesBeyond
	for i, c := range block {
		if c < utf8.RuneSelf {
			continue
		}
		b.counts[c]++
		b.total++
		if (i > 0 && block[i-1] >= utf8.RuneSelf) || (i+1 < len(block) && block[i+1] >= utf8.RuneSelf) {
			b.pairs++
		}
		if i > 0 && isLower(block[i-1]) {
			b.inWord[c]++
		}
	}
	return &b
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

// sniffLegacy chooses among the encodings from before Unicode.
func sniffLegacy(block []byte) encodingGuess {
	b := countBeyond(block)
	best, second := encodingGuess{Windows1252, 0}, 0.0
	consider := func(name string, score float64) {
		switch {
		case score > best.confidence:
			if name != best.name {
				second = best.confidence
			}
			best = encodingGuess{name, score}
		case name != best.name && score > second:
			second = score
		}
	}
	for _, c := range candidates {
		consider(c.encoding, c.score(b))
	}
	consider(ShiftJIS, scoreShiftJIS(block))
	consider(GB18030, scoreGB18030(block))
	best.confidence = min(0.95, 0.5+max(0, best.confidence-second))
	return best
}

// score is the share of bytes that are letters of the language, less what
// contradicts it: other characters, capitals after small letters, and words
// with too many or too few letters beyond ASCII in a row.
func (c candidate) score(b *bytesBeyond) float64 {
	score, weight := 0.0, 0
	for i := utf8.RuneSelf; i < 256; i++ {
		n := b.counts[i]
		if n == 0 {
			continue
		}
		r := c.table.DecodeByte(byte(i))
		switch {
		case containsRune(c.letters, r):
			score += float64(n)
			if unicode.IsUpper(r) {
				score -= 2 * float64(b.inWord[i])
			}
			weight += n
		case !containsRune(neutral, r):
			score -= 2 * float64(n)
			weight += n
		}
	}
	if weight == 0 {
		return c.prior
	}
	runs := float64(b.pairs) / float64(b.total)
	if c.encoding == Windows1251 {
		runs = 1 - runs
	}
	return score/float64(weight) + c.prior - runs
}

func containsRune(s string, r rune) bool {
	for _, x := range s {
		if x == r {
			return true
		}
	}
	return false
}
