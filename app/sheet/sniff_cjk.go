package sheet

import "unicode/utf8"

// Weights of the byte pairs of Shift_JIS and GB18030 in the scores below.
const (
	pairCommon  = 1.0  // kana, the everyday ideographs
	pairRare    = 0.2  // ideographs of the second level
	pairForeign = -0.5 // valid, but not what such text is made of
	pairInvalid = -3.0
)

// scoreShiftJIS is how much the block looks like Japanese in Shift_JIS, as an
// average over its characters beyond ASCII; 1 at best.
// Ranges: JIS X 0208 as shifted (82 9F-F1 hiragana, 83 40-96 katakana, 88-97
// ideographs of level 1, 98-9F and E0-EA of level 2; A1-DF is half-width kana).
func scoreShiftJIS(block []byte) float64 {
	return scorePairs(block, func(lead, trail byte) (float64, int) {
		switch {
		case lead >= 0xA1 && lead <= 0xDF:
			return pairForeign / 2, 1
		case lead == 0x80 || lead == 0xA0 || lead > 0xFC || trail < 0x40 || trail == 0x7F || trail > 0xFC:
			return pairInvalid, 1
		case lead == 0x82 && trail >= 0x9F && trail <= 0xF1, lead == 0x83 && trail <= 0x96:
			return pairCommon, 2
		case lead == 0x81, lead == 0x82, lead >= 0x88 && lead <= 0x97:
			return pairCommon, 2
		case lead >= 0x98 && lead <= 0x9F, lead >= 0xE0 && lead <= 0xEA:
			return pairRare, 2
		}
		return pairForeign, 2
	})
}

// scoreGB18030 is the same for Chinese. Ranges: GB 2312 as in EUC (A1-A3
// punctuation and full width, B0-D7 ideographs of level 1, D8-F7 of level 2);
// the rest of the two-byte zone came with GBK.
func scoreGB18030(block []byte) float64 {
	return scorePairs(block, func(lead, trail byte) (float64, int) {
		switch {
		case lead == 0x80 || lead == 0xFF || trail < 0x30 || trail == 0x7F || trail == 0xFF:
			return pairInvalid, 1
		case trail <= 0x39:
			return pairForeign, 2 // half of a four-byte character
		case trail < 0xA1:
			return pairForeign, 2
		case lead >= 0xB0 && lead <= 0xD7, lead >= 0xA1 && lead <= 0xA3:
			return pairCommon, 2
		case lead >= 0xD8 && lead <= 0xF7:
			return pairRare, 2
		}
		return pairForeign, 2
	})
}

// scorePairs averages what judge says of every character beyond ASCII, given as
// its byte and the next one; judge also says how many of them it takes. Right
// after a small letter such a character is an accented letter, not an ideograph.
func scorePairs(block []byte, judge func(lead, trail byte) (float64, int)) float64 {
	sum, n, inWord := 0.0, 0, false
	for i := 0; i+1 < len(block); {
		if block[i] < utf8.RuneSelf {
			inWord = isLower(block[i])
			i++
			continue
		}
		score, taken := judge(block[i], block[i+1])
		if inWord {
			score = min(score, pairForeign)
		}
		inWord = false
		sum += score
		n++
		i += taken
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}
