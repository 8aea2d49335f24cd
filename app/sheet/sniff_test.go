package sheet

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSniffRefusesWhatIsNoTable(t *testing.T) {
	block := SniffBytes
	cases := []struct {
		name, in, code, holds string
		cut                   bool // the head is not the whole file
	}{
		{name: "nothing", in: "", code: EmptyFile, holds: "empty"},
		{name: "only a mark", in: "\xEF\xBB\xBF", code: EmptyFile, holds: "empty"},
		{name: "only blanks", in: "  \r\n\t\n", code: EmptyFile, holds: "empty"},
		{name: "only NULs", in: strings.Repeat("\x00", 100), code: EmptyFile, holds: "empty"},
		{name: "PDF", in: "%PDF-1.7\n%âãÏÓ\n1 0 obj", code: NotASpreadsheet, holds: "PDF"},
		{name: "old Excel", in: "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + strings.Repeat("\x00", 500), code: NotASpreadsheet, holds: ".xls"},
		{name: "gzip", in: "\x1F\x8B\x08\x00abc", code: NotASpreadsheet, holds: "gzip"},
		{name: "zip", in: "PK\x03\x04\x14\x00people.csv", code: NotASpreadsheet, holds: "ZIP"},
		{name: "ods", in: "PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet", code: NotASpreadsheet, holds: ".ods"},
		{name: "docx", in: "PK\x03\x04[Content_Types].xml word/document.xml", code: NotASpreadsheet, holds: "Word"},
		{name: "xlsx as text", in: "PK\x03\x04[Content_Types].xml xl/workbook.xml", code: NotASpreadsheet, holds: "workbook"},
		{name: "PNG", in: "\x89PNG\r\n\x1A\n\x00\x00\x00\rIHDR", code: NotASpreadsheet, holds: "picture"},
		{name: "web page", in: "\n<!DOCTYPE html>\n<html><body>Sign in</body></html>", code: NotASpreadsheet, holds: "web page"},
		{name: "table of a web page", in: "<table><tr><td>a</td></tr></table>", code: NotASpreadsheet, holds: "web page"},
		{name: "XML", in: `<?xml version="1.0"?><a/>`, code: NotASpreadsheet, holds: "XML"},
		{name: "JSON array", in: `[{"a":1},{"a":2}]`, code: NotASpreadsheet, holds: "one object per line"},
		{name: "JSON array over lines", in: "[\n  {\"a\":1},\n  {\"a\":2}\n]\n", code: NotASpreadsheet, holds: "one object per line"},
		{name: "JSON object over lines", in: "{\n  \"people\": [\n    {}\n  ]\n}\n", code: NotASpreadsheet, holds: "one object per line"},
		{name: "binary with NULs", in: strings.Repeat("ab\x00\x00\x01\x02\x00c", 100), code: NotASpreadsheet, holds: "binary"},
		{name: "binary without NULs", in: strings.Repeat("\x01\x02\x03ab\n", 100), code: NotASpreadsheet, holds: "binary"},
		{name: "endless line", in: strings.Repeat("a,b,", block/4), code: LineTooLong, holds: "1 MB", cut: true},
		{name: "too many columns", in: strings.Repeat("a,", 1500) + "b\n1,2\n", code: TooManyColumns, holds: "1000"},
		{name: "contact cards", in: "BEGIN:VCARD\nVERSION:3.0\n", code: NotASpreadsheet, holds: "vCard"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Sniff([]byte(c.in), !c.cut, "upload.csv")
			requireRefusal(t, err, c.code, c.holds)
		})
	}
}

func TestOnlyAHeaderIsTakenAndRefusedUntilItIsSaidToBeAPerson(t *testing.T) {
	for in, holds := range map[string]string{"First Name,Last Name,Email\n": `"First Name", "Last Name", "Email"`, "email": "header"} {
		s, err := Sniff([]byte(in), true, "upload.csv")
		require.NoError(t, err)
		require.Empty(t, s.Rows)
		require.Zero(t, s.EstimateRows(int64(len(in))))
		for _, process := range []string{processFind, processVerify, processNone} {
			requireRefusal(t, s.Mapping.CheckFile(process, s.Dialect, s.Columns), NoRows, holds)
		}
		chosen := s.Dialect
		chosen.Header = false
		s, err = SniffAs([]byte(in), true, chosen)
		require.NoError(t, err)
		require.Len(t, s.Rows, 1)
		require.NoError(t, s.Mapping.CheckFile(processNone, s.Dialect, s.Columns))
	}
}

func TestSniffFindsHeaderAndTitle(t *testing.T) {
	people := "Ann,Example,Acme GmbH,acme.test\nBob,Sample,Beta Ltd,beta.test\nCleo,Muster,Gamma Inc,gamma.test\n"
	cases := []struct {
		name, in string
		header   bool
		skip     int
		columns  []string
	}{
		{"known names", "First Name,Last Name,Company,Website\n" + people, true, 0, []string{"First Name", "Last Name", "Company", "Website"}},
		{"no header", people, false, 0, []string{"Column 1", "Column 2", "Column 3", "Column 4"}},
		{"unknown names above typed columns", "foo,bar,baz,qux\n" + people, true, 0, []string{"foo", "bar", "baz", "qux"}},
		{"dotted names", "contact.first_name,contact.last_name,company.name,company.domain\n" + people, true, 0, []string{"contact.first_name", "contact.last_name", "company.name", "company.domain"}},
		{"a title above", "Attendees 2026\n\nFirst Name,Last Name,Company,Website\n" + people, true, 1, []string{"First Name", "Last Name", "Company", "Website"}},
		{"a title with delimiters", "Attendees 2026,,,\n,,,\nVorname,Nachname,Firma,Webseite\n" + people, true, 2, []string{"Vorname", "Nachname", "Firma", "Webseite"}},
		{"blank lines above", "\n\r\n\nFirst Name,Last Name,Company,Website\n" + people, true, 0, []string{"First Name", "Last Name", "Company", "Website"}},
		{"a short first row is no title", "Ann\nBob,Sample\nCleo,Muster\n", false, 0, []string{"Column 1", "Column 2"}},
		{"e-mails alone", "ann@acme.test\nbob@beta.test\n", false, 0, []string{"Column 1"}},
		{"e-mails under a name", "Contact e-mail\nann@acme.test\nbob@beta.test\n", true, 0, []string{"Contact e-mail"}},
		{"domains alone", "acme.test\nbeta.test\n", false, 0, []string{"Column 1"}},
		{"one row", "Ann,Example,acme.test", false, 0, []string{"Column 1", "Column 2", "Column 3"}},
		{"full names alone", "Anna Example,Acme GmbH\nMartin Sample,Beta AG\nPeter Muster,Gamma SE\n", false, 0, []string{"Column 1", "Column 2"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, err := Sniff([]byte(c.in), true, "")
			require.NoError(t, err)
			require.Equal(t, c.header, s.Header, "confidence %v", s.Confidence.Header)
			require.Equal(t, c.skip, s.Skip)
			require.Equal(t, c.columns, s.Columns)
			rd, err := NewReader(strings.NewReader(c.in), s.Dialect, Limits{})
			require.NoError(t, err)
			require.Equal(t, c.columns, rd.Columns())
			require.Equal(t, s.Rows, cellsOf(readAll(t, rd)))
			require.Equal(t, len(s.Rows), s.RoughRows)
		})
	}
}

func TestSniffAsFollowsThePerson(t *testing.T) {
	in := []byte("First Name;Last, or second;acme.test\nAnn;Example;acme.test\n")
	s, err := SniffAs(in, true, Dialect{Header: false})
	require.NoError(t, err)
	require.Equal(t, ";", s.Comma)
	require.False(t, s.Header)
	require.Len(t, s.Rows, 2)
	s, err = SniffAs(in, true, Dialect{Comma: ",", Header: true})
	require.NoError(t, err)
	require.Equal(t, []string{"First Name;Last", " or second;acme.test"}, s.Columns)
	s, err = SniffAs([]byte("name\nM\xFCller\n"), true, Dialect{Encoding: Windows1251, Header: true})
	require.NoError(t, err)
	require.Equal(t, "Mьller", s.Rows[0][0])
	_, err = SniffAs(in, true, Dialect{Encoding: "utf-7"})
	require.Error(t, err)
	s, err = SniffAs([]byte("Ann,Example\n"), true, Dialect{Header: true})
	require.NoError(t, err)
	require.True(t, s.NoRows)
}

func TestSniffHonoursSeparatorLine(t *testing.T) {
	in := "sep=|\r\nFirst name|Last name|Company\r\nAnn|Example, the|a;b;c\r\n"
	s, err := Sniff([]byte(in), true, "")
	require.NoError(t, err)
	require.Equal(t, "|", s.Comma)
	require.Equal(t, []string{"First name", "Last name", "Company"}, s.Columns)
}

func TestSniffJSONLines(t *testing.T) {
	in := `{"first_name":"Ann","last_name":"Example","company":{"domain":"acme.test"}}
{"first_name":"Bob","website":"beta.test"}
`
	s, err := Sniff([]byte(in), true, "people.jsonl")
	require.NoError(t, err)
	require.Equal(t, JSONL, s.Format)
	require.Equal(t, []string{"first_name", "last_name", "company", "website"}, s.Columns)
	require.Equal(t, s.Columns, s.Dialect.Columns)
	require.Equal(t, []string{"Ann", "Example", `{"domain":"acme.test"}`, ""}, s.Rows[0])
	require.Equal(t, Mapping{FirstName: 0, LastName: 1, Company: 2, Domain: 3}, s.Mapping)
}

func TestSniffCutsTheLastLine(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("Name;Firma\n")
	for b.Len() < SniffBytes+500 {
		b.WriteString("Jörg Müller;Größe & Söhne\n")
	}
	for cut := SniffBytes - 6; cut < SniffBytes; cut++ {
		s, err := Sniff(b.Bytes()[:cut], false, "")
		require.NoError(t, err)
		require.Equal(t, UTF8, s.Encoding)
		require.Len(t, s.Rows, SampleRows)
		require.InEpsilon(t, 10*SniffBytes/len("Jörg Müller;Größe & Söhne\n"), s.EstimateRows(10*SniffBytes), 0.01)
	}
}

func TestSniffToleratesDamagedUTF8(t *testing.T) {
	s, err := Sniff([]byte("Name;Firma\n"+strings.Repeat("Jörg Müller;Größe\n", 20)+"Bo\xFF;x\n"), true, "")
	require.NoError(t, err)
	require.Equal(t, UTF8, s.Encoding)
}

// lang is invented people and companies of a language, in its alphabet.
type lang struct {
	name      string
	header    []string
	first     []string
	last      []string
	company   []string
	encodings []string
}

var langs = []lang{
	{"German", []string{"Vorname", "Nachname", "Firma", "Größe"}, []string{"Jörg", "Jürgen", "Anna", "Käthe", "Günter", "Martin"}, []string{"Müller", "Schröder", "Groß", "Weiß", "Meier", "Özil"}, []string{"Bäckerei Süß GmbH", "Möbel Höhn KG", "Straßenbau AG", "Test GmbH"}, []string{Windows1252, Macintosh}},
	{"French", []string{"Prénom", "Nom", "Société", "Téléphone"}, []string{"François", "Hélène", "André", "Zoé", "Jérôme", "Marie"}, []string{"Lefèvre", "Gagné", "Bérubé", "Forêt", "Martin", "Noël"}, []string{"Crème Brûlée SARL", "Hôtel du Pré", "Café Français SAS", "Test SA"}, []string{Windows1252, Macintosh}},
	{"Spanish", []string{"Nombre", "Apellidos", "Empresa", "Teléfono"}, []string{"José", "Begoña", "Raúl", "Inés", "Ángel", "Marta"}, []string{"Muñoz", "Núñez", "Pérez", "García", "Ibáñez", "Vega"}, []string{"Construcción S.L.", "Peñón SA", "Señal Única", "Prueba"}, []string{Windows1252, Macintosh}},
	{"Portuguese", []string{"Nome", "Sobrenome", "Empresa", "Telefone"}, []string{"João", "Conceição", "Luís", "Antônio", "Ana", "Mário"}, []string{"Guimarães", "Simões", "Gonçalves", "Araújo", "Silva", "Brandão"}, []string{"Comunicação Ltda", "São Tomé SA", "Açúcar e Pão", "Teste"}, []string{Windows1252}},
	{"Italian", []string{"Nome", "Cognome", "Azienda", "Città"}, []string{"Niccolò", "Andrea", "Noè", "Giosuè", "Anna", "Marco"}, []string{"D'Alò", "Nardò", "Cantù", "Rossi", "Carrà", "Bianchi"}, []string{"Caffè Srl", "Città Più SpA", "Prova Srl", "Qualità"}, []string{Windows1252}},
	{"Swedish", []string{"Förnamn", "Efternamn", "Företag", "Ort"}, []string{"Åsa", "Björn", "Göran", "Märta", "Anna", "Håkan"}, []string{"Sjöström", "Åkesson", "Lindström", "Öberg", "Berg", "Hägg"}, []string{"Småland Trä AB", "Bröderna Åberg", "Prov AB", "Höga Kusten"}, []string{Windows1252, Macintosh}},
	{"Danish", []string{"Fornavn", "Efternavn", "Virksomhed", "By"}, []string{"Søren", "Jørgen", "Åse", "Kjær", "Anna", "Bjørn"}, []string{"Sørensen", "Nørgaard", "Kjær", "Ærø", "Holm", "Ågård"}, []string{"Smørrebrød ApS", "Blå Æble A/S", "Prøve ApS", "Test"}, []string{Windows1252}},
	{"Polish", []string{"Imię", "Nazwisko", "Firma", "Miasto"}, []string{"Łukasz", "Małgorzata", "Paweł", "Józef", "Zdzisław", "Anna"}, []string{"Wiśniewski", "Kamiński", "Dąbrowska", "Zięba", "Żak", "Nowak"}, []string{"Spółka Źródło", "Żółw sp. z o.o.", "Gęś i Kość", "Test"}, []string{Windows1250, ISO88592}},
	{"Czech", []string{"Jméno", "Příjmení", "Společnost", "Město"}, []string{"Jiří", "Lukáš", "Věra", "Ondřej", "Šárka", "Jan"}, []string{"Dvořák", "Černý", "Růžička", "Procházka", "Němec", "Žižka"}, []string{"Pekařství Šťastný", "Účetní služby", "Zkouška", "Kovář"}, []string{Windows1250, ISO88592}},
	{"Hungarian", []string{"Keresztnév", "Vezetéknév", "Cégnév", "Város"}, []string{"László", "Győző", "Ödön", "Katalin", "Jenő", "Ákos"}, []string{"Szűcs", "Kővári", "Nagy", "Tóth", "Dezső", "Fehér"}, []string{"Gyűjtő Kft", "Erdő Bt", "Próba Zrt", "Fűszer"}, []string{Windows1250, ISO88592}},
	{"Russian", []string{"Имя", "Фамилия", "Компания", "Город"}, []string{"Иван", "Ольга", "Сергей", "Юлия", "Пётр", "Анна"}, []string{"Иванов", "Кузнецова", "Щукин", "Соловьёв", "Жуков", "Быкова"}, []string{"ООО Ромашка", "Завод", "Проба", "ЗАО Пример"}, []string{Windows1251}},
	{"Turkish", []string{"Ad", "Soyad", "Şirket", "Şehir"}, []string{"Işıl", "Çağla", "Gökçe", "Şükrü", "Ayşe", "Uğur"}, []string{"Yıldız", "Öztürk", "Çelik", "Şahin", "Dağ", "Güneş"}, []string{"Işık Ticaret AŞ", "Çınar Ltd Şti", "Deneme", "Güneş AŞ"}, []string{Windows1254}},
	{"Japanese", []string{"名", "姓", "会社名", "電話番号"}, []string{"太郎", "花子", "ゆき", "健一", "さくら", "翔"}, []string{"山田", "鈴木", "佐藤", "田中", "高橋", "小林"}, []string{"株式会社テスト", "サンプル工業", "東京商事株式会社", "例"}, []string{ShiftJIS}},
	{"Chinese", []string{"名", "姓", "公司", "电话"}, []string{"伟", "芳", "建国", "小明", "秀英", "强"}, []string{"王", "李", "张", "刘", "陈", "赵"}, []string{"北京测试有限公司", "上海样品科技", "广州例子集团", "深圳公司"}, []string{GB18030}},
}

// table is some rows of a language, for a seed.
func (l lang) table(rng *rand.Rand) [][]string {
	rows := [][]string{append(append([]string{}, l.header...), "E-Mail", "Website")}
	for i := range 12 + rng.IntN(60) {
		pick := func(list []string) string { return list[rng.IntN(len(list))] }
		host := fmt.Sprintf("firm%d.test", rng.IntN(40))
		notes := []string{"", "12,5", "a, b; c", "called \"twice\"", "+49 30 1234"}
		rows = append(rows, []string{pick(l.first), pick(l.last), pick(l.company), pick(notes), fmt.Sprintf("p%d@%s", i, host), "https://www." + host})
	}
	return rows
}

// render writes a table in a dialect: every cell quoted, or only those that need it.
func render(t testing.TB, rows [][]string, d Dialect, quoteAll, bom, crlf bool) []byte {
	t.Helper()
	var text bytes.Buffer
	w, err := NewWriter(&text, CSV, WriteOptions{Comma: d.Comma, Raw: true, CRLF: crlf})
	require.NoError(t, err)
	for _, row := range rows {
		if quoteAll {
			for i, cell := range row {
				if i > 0 {
					text.WriteString(d.Comma)
				}
				text.WriteString(`"` + strings.ReplaceAll(cell, `"`, `""`) + `"`)
			}
			text.WriteString("\n")
			continue
		}
		require.NoError(t, w.Write(row))
	}
	require.NoError(t, w.Close())
	return encodeAs(t, text.Bytes(), d.Encoding, bom)
}

func encodeAs(t testing.TB, text []byte, name string, bom bool) []byte {
	t.Helper()
	if bom {
		text = append(bytes.Clone(byteOrderMark), text...)
	}
	enc, err := encodingOf(name)
	require.NoError(t, err)
	if enc == nil {
		return text
	}
	out, err := enc.NewEncoder().Bytes(text)
	require.NoError(t, err)
	return out
}

// readsAs says whether a file read with a dialect gives these rows. Encodings that
// agree on all letters of a file are equally right.
func readsAs(t testing.TB, in []byte, d Dialect, rows [][]string) bool {
	d.Header = false
	rd, err := NewReader(bytes.NewReader(in), d, Limits{})
	require.NoError(t, err)
	return reflect.DeepEqual(rows, cellsOf(readAll(t, rd)))
}

func TestSniffDetectsGeneratedFiles(t *testing.T) {
	files, wrong := 0, []string{}
	for n, l := range langs {
		for e, encoding := range append([]string{UTF8, UTF16LE, UTF16BE}, l.encodings...) {
			for c, comma := range Commas() {
				for variant := range 2 {
					rng := rand.New(rand.NewPCG(uint64(n), uint64(e*100+c*10+variant)))
					header := variant == 0
					rows := l.table(rng)
					if !header {
						rows = rows[1:]
					}
					unicode := strings.HasPrefix(encoding, "utf")
					in := render(t, rows, Dialect{Comma: comma, Encoding: encoding}, rng.IntN(2) == 0, unicode && rng.IntN(2) == 0, rng.IntN(2) == 0)
					s, err := Sniff(in, true, "")
					require.NoError(t, err)
					files++
					if s.Comma != comma || s.Header != header || !readsAs(t, in, s.Dialect, rows) {
						wrong = append(wrong, fmt.Sprintf("%s %s %q header=%v: got %s %q header=%v", l.name, encoding, comma, header, s.Encoding, s.Comma, s.Header))
					}
				}
			}
		}
	}
	t.Logf("%d files, %d wrong: %s", files, len(wrong), strings.Join(wrong, "\n"))
	require.GreaterOrEqual(t, files, 300)
	require.LessOrEqual(t, len(wrong)*100, files, strings.Join(wrong, "\n"))
}
