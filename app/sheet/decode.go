package sheet

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// byteOrderMark is U+FEFF in UTF-8.
var byteOrderMark = []byte{0xEF, 0xBB, 0xBF}

// decoderBytes is how much undecoded input a decoding reader holds.
const decoderBytes = 64 << 10

// encodingOf is nil for UTF-8, which needs no decoder.
func encodingOf(name string) (encoding.Encoding, error) {
	switch name {
	case "", UTF8:
		return nil, nil
	case UTF16LE:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), nil
	case UTF16BE:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), nil
	case Windows1252:
		return charmap.Windows1252, nil
	case Windows1250:
		return charmap.Windows1250, nil
	case ISO88592:
		return charmap.ISO8859_2, nil
	case Windows1251:
		return charmap.Windows1251, nil
	case Windows1254:
		return charmap.Windows1254, nil
	case Macintosh:
		return charmap.Macintosh, nil
	case ShiftJIS:
		return japanese.ShiftJIS, nil
	case GB18030:
		return simplifiedchinese.GB18030, nil
	}
	return nil, fmt.Errorf("sheet: unknown encoding %q", name)
}

// decodingReader turns r into UTF-8. What is invalid in the encoding becomes
// U+FFFD; invalid UTF-8 passes through and is replaced cell by cell, where it is
// cheaper. A byte order mark at the start is left to the formats.
func decodingReader(r io.Reader, name string) (io.Reader, error) {
	enc, err := encodingOf(name)
	if err != nil || enc == nil {
		return r, err
	}
	// transform.Reader reads 4 KiB at a time; a bigger buffer below it saves calls to r.
	return transform.NewReader(bufio.NewReaderSize(r, decoderBytes), enc.NewDecoder()), nil
}

// decode is the text of a block in UTF-8, without its byte order mark. When the
// block is not the whole file a rune cut at its end is dropped.
func decode(block []byte, name string, whole bool) ([]byte, error) {
	enc, err := encodingOf(name)
	if err != nil {
		return nil, err
	}
	if enc == nil {
		if !whole {
			block = block[:len(block)-cutRune(block)]
		}
		return bytes.TrimPrefix(block, byteOrderMark), nil
	}
	dst := make([]byte, 3*len(block)+utf8Slack)
	n, _, err := enc.NewDecoder().Transformer.Transform(dst, block, whole)
	if err != nil && err != transform.ErrShortSrc {
		return nil, fmt.Errorf("decoding the first block as %s: %w", name, err)
	}
	return bytes.TrimPrefix(dst[:n], byteOrderMark), nil
}

// utf8Slack is room for the last rune a decoder writes: no byte of a supported
// encoding becomes more than three bytes of UTF-8, but decoders want room ahead.
const utf8Slack = 16
