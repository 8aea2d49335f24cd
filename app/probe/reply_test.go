package probe

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func parse(s string) (reply, error) {
	return readReply(bufio.NewReaderSize(strings.NewReader(s), maxLine+2))
}

func TestReadReply(t *testing.T) {
	for in, out := range map[string]reply{
		"250 ok\r\n":           {code: 250, text: "ok"},
		"250\r\n":              {code: 250},
		"250 ok\n":             {code: 250, text: "ok"},
		"\r\n\r\n220 late\r\n": {code: 220, text: "late"},
		"550-5.1.1 no such\r\n550 5.1.1 user\r\n":                     {code: 550, enhanced: "5.1.1", text: "no such user"},
		"550 #5.1.0 Address rejected.\r\n":                            {code: 550, enhanced: "5.1.0", text: "Address rejected."},
		"550 (5.1.1) nobody\r\n":                                      {code: 550, enhanced: "5.1.1", text: "nobody"},
		"550 sorry, no mailbox here (#5.1.1)\r\n":                     {code: 550, enhanced: "5.1.1", text: "sorry, no mailbox here (#5.1.1)"},
		"550 5.1.1: gone\r\n":                                         {code: 550, enhanced: "5.1.1", text: "gone"},
		"550 5.1.1000 odd\r\n":                                        {code: 550, text: "5.1.1000 odd"},
		"550 version 5.1.1 of us\r\n":                                 {code: 550, text: "version 5.1.1 of us"},
		"250-a\r\nno code here\r\n250 b\r\n":                          {code: 250, text: "a no code here b"},
		"550 Empf\xe4nger unbekannt\r\n":                              {code: 550, text: "Empfänger unbekannt"},
		"550 a\x00b\x1b[31mc\r\n":                                     {code: 550, text: "a\uFFFDb\uFFFD[31mc"},
		"550-" + strings.Repeat("y", 2000) + "\r\n550 5.2.2 full\r\n": {code: 550, enhanced: "5.2.2", text: strings.Repeat("y", maxText)},
	} {
		got, err := parse(in)
		require.NoError(t, err, "%q", in)
		require.NotEmpty(t, got.lines)
		got.lines = nil
		require.Equal(t, out, got, "%q", in)
	}
}

func TestReadReplyRefusesWhatIsNotSMTP(t *testing.T) {
	for _, in := range []string{"HTTP/1.1 400 Bad\r\n", "hello\r\n", "25\r\n", "099 x\r\n", "600 x\r\n", "250x\r\n", "SSH-2.0-x\r\n", "250-a\r\n550 b\r\n", "\x16\x03\x01\r\n",
		strings.Repeat("\r\n", 20), "250 " + strings.Repeat("x", maxLine) + "\r\n", strings.Repeat("250-x\r\n", 20000)} {
		_, err := parse(in)
		require.ErrorIs(t, err, errNotSMTP, "%.40q", in)
	}
	for in, want := range map[string]error{"": io.EOF, "250 o": io.ErrUnexpectedEOF, "250-a\r\n": io.EOF} {
		_, err := parse(in)
		require.ErrorIs(t, err, want, "%q", in)
	}
}

func FuzzReadReply(f *testing.F) {
	for _, s := range []string{"250 ok\r\n", "550-5.1.1 a\r\n550 5.1.1 b\r\n", "\r\n220 x\n", "421", "550 \xff\x00(#5.1.1)\r\n", "250-a\r\n4"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		r, err := parse(string(wire))
		require.LessOrEqual(t, len(r.text), maxText)
		require.True(t, utf8.ValidString(r.text))
		if err != nil {
			return
		}
		require.True(t, r.code >= 200 && r.code <= 599)
		require.NotContains(t, r.text, "\n")
		v := judge(r, DefaultGreylistDelay)
		require.NotEmpty(t, v.status)
		require.NotEmpty(t, v.reason)
		require.False(t, r.class() == 4 && v.status == Invalid, "4xx is never invalid")
		require.False(t, r.class() == 5 && v.reason == Greylisted)
		require.False(t, r.class() != 2 && v.status == Valid && v.reason == MailboxExists && !receivingFast.in(words(r.text)))
		_, _, _ = judgeBanner(r), judgeHello(r), judgeMail(r, DefaultGreylistDelay)
	})
}
