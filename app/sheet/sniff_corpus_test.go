package sheet

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// What Sniff must reach over generated files: the share that comes out cell by cell as it was written.
const (
	sniffGoal  = 0.99
	sniffFiles = 300
)

// tongue is a way in which people of a language save their spreadsheets.
type tongue struct {
	name          string
	encodings     []encoding.Encoding
	header        []string
	first, last   []string
	company, city []string
}

var (
	utf8Plain = unicode.UTF8
	utf8Mark  = unicode.UTF8BOM
	utf16Mark = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	utf16Big  = unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
)

func piped(s string) []string { return strings.Split(s, "|") }

var tongues = []tongue{
	{"English", []encoding.Encoding{utf8Plain, utf8Mark, utf16Mark, utf16Big, charmap.Windows1252}, piped("First Name|Last Name|Company|Website|City|Revenue"),
		piped("Ada|Ben|Cleo|Dora|Zoë|Seán"), piped("Ash|O'Birch|Cedar-Smith|Dale|Brontë"), piped("Alder Ltd|Birch, Elm & Co|Café Cedar|Dale “North”"), piped("Leeds|York, North|Bath")},
	{"German", []encoding.Encoding{utf8Plain, utf8Mark, utf16Mark, charmap.Windows1252, charmap.Macintosh}, piped("Vorname|Nachname|Firma|Webseite|Straße|Umsatz"),
		piped("Jörg|Käthe|Günther|Anna|Änne"), piped("Müller|Groß|Böhm|Weiß|Schröder"), piped("Bäckerei Süß GmbH|Möbel; Holz & Söhne|Öko AG|Nord KG"), piped("Köln|Düsseldorf|Fürth|Gießen")},
	{"French", []encoding.Encoding{utf8Plain, utf8Mark, utf16Big, charmap.Windows1252, charmap.Macintosh}, piped("Prénom|Nom|Société|Site web|Ville|Chiffre d'affaires"),
		piped("Hélène|François|Zoé|Noël|Anaïs"), piped("Lefèvre|Gérard|Châtel|D'Août|Benoît"), piped("Boulangerie du Chêne|Société Générique|Fenêtres & Cie|Crémerie"), piped("Orléans|Besançon|Nîmes|Saint-Étienne")},
	{"Spanish", []encoding.Encoding{utf8Plain, utf16Mark, charmap.Windows1252}, piped("Nombre|Apellidos|Empresa|Página web|Ciudad|Facturación"),
		piped("José|María|Íñigo|Begoña|Ángel"), piped("Muñoz|Peña|Núñez|García|Ibáñez"), piped("Panadería Sol, S.L.|Compañía Ñ|Óptica|Café Ibérico"), piped("Cádiz|León|Málaga|La Coruña")},
	{"Portuguese", []encoding.Encoding{utf8Plain, utf8Mark, charmap.Windows1252}, piped("Nome|Sobrenome|Empresa|Site|Cidade|Receita"),
		piped("João|Inês|Conceição|Antônio|Luís"), piped("Gonçalves|Simões|Araújo|Magalhães|Assunção"), piped("Padaria São Jorge|Construções Ltda|Café & Pão|Água Azul"), piped("São Paulo|Brasília|Évora|Guimarães")},
	{"Polish", []encoding.Encoding{utf8Plain, utf8Mark, utf16Mark, charmap.Windows1250, charmap.ISO8859_2}, piped("Imię|Nazwisko|Firma|Strona www|Miasto|Przychód"),
		piped("Łukasz|Małgorzata|Zażółć|Agnieszka|Święta"), piped("Wójcik|Dąbrowski|Kołodziejczyk|Żak|Gęśla"), piped("Piekarnia Złoty Kłos|Spółka Północ|Żagiel|Łódź i Syn"), piped("Łódź|Kraków|Gdańsk|Częstochowa")},
	{"Czech", []encoding.Encoding{utf8Plain, charmap.Windows1250, charmap.ISO8859_2}, piped("Jméno|Příjmení|Společnost|Webové stránky|Město|Obrat"),
		piped("Jiří|Růžena|Ondřej|Žofie|Štěpán"), piped("Dvořák|Novotný|Řezníček|Kučera|Šťastný"), piped("Pekařství Růže|Dřevo Šumava|Květiny|Český Dub"), piped("Plzeň|Děčín|Třebíč|Žďár")},
	{"Russian", []encoding.Encoding{utf8Plain, utf8Mark, utf16Mark, charmap.Windows1251}, piped("Имя|Фамилия|Компания|Сайт|Город|Выручка"),
		piped("Анна|Борис|Юлия|Пётр|Евгений"), piped("Березина|Дубов|Кленова|Щукин|Соснин"), piped("ООО Берёза|Северный ветер|Дом; Сад|Заря"), piped("Тверь|Псков|Ярославль|Уфа")},
	{"Turkish", []encoding.Encoding{utf8Plain, utf8Mark, charmap.Windows1254}, piped("Ad|Soyad|Şirket|Web sitesi|Şehir|Ciro"),
		piped("Ayşe|Çağlar|İrem|Gülşah|Oğuz"), piped("Yıldız|Şahin|Öztürk|Çelik|Güneş"), piped("Işık Fırını|Doğa Ltd. Şti.|Gökyüzü|Çınar"), piped("İzmir|Muğla|Eskişehir|Kırşehir")},
	{"Japanese", []encoding.Encoding{utf8Plain, utf8Mark, utf16Mark, japanese.ShiftJIS}, piped("姓|名|会社名|ウェブサイト|住所|売上"),
		piped("山田|佐藤|鈴木|高橋|田中"), piped("花子|太郎|一郎|美咲|健太"), piped("株式会社青空|緑商店|北の森工業|さくら製作所"), piped("東京都|大阪府|札幌市|福岡県")},
	{"Chinese", []encoding.Encoding{utf8Plain, utf8Mark, utf16Mark, simplifiedchinese.GB18030}, piped("姓|名|公司名称|网站|城市|营业额"),
		piped("王|李|张|刘|陈"), piped("小明|建国|秀英|丽华|志强"), piped("蓝天有限公司|北方贸易|绿叶食品|长河科技"), piped("北京|上海|广州|成都")},
}

// sheetOf makes the rows of a file: some cells hold the delimiter, quotes, line breaks or numbers with a decimal comma.
func sheetOf(tg tongue, rnd *rand.Rand) [][]string {
	pick := func(from []string) string { return from[rnd.IntN(len(from))] }
	rows := [][]string{tg.header}
	for n := range 3 + rnd.IntN(40) {
		company := pick(tg.company)
		switch rnd.IntN(12) {
		case 0:
			company += `, "` + pick(tg.city) + `"`
		case 1:
			company += "\n" + pick(tg.city)
		}
		site := fmt.Sprintf("https://www.firm%d.example/%s", n, []string{"", "about", "a?b=1;c=2", "x,y"}[rnd.IntN(4)])
		rows = append(rows, []string{pick(tg.first), pick(tg.last), company, site, pick(tg.city), fmt.Sprintf("%d,%02d", rnd.IntN(9000), rnd.IntN(100))})
	}
	return rows
}

func encoded(t *testing.T, rows [][]string, comma string, e encoding.Encoding) []byte {
	t.Helper()
	var text bytes.Buffer
	w, err := NewWriter(&text, CSV, WriteOptions{Comma: comma, Columns: rows[0], Raw: true})
	require.NoError(t, err)
	for _, row := range rows[1:] {
		require.NoError(t, w.Write(row))
	}
	require.NoError(t, w.Close())
	body, err := encoding.ReplaceUnsupported(e.NewEncoder()).Bytes(text.Bytes())
	require.NoError(t, err)
	return body
}

// asRead is what of a cell survives an encoding that lacks some of its letters.
func asRead(cell string, e encoding.Encoding) string {
	body, err := encoding.ReplaceUnsupported(e.NewEncoder()).String(cell)
	if err != nil {
		return cell
	}
	text, err := e.NewDecoder().String(body)
	if err != nil {
		return cell
	}
	return strings.TrimPrefix(text, "\ufeff")
}

func TestDelimiterAndEncodingAreToldFromGeneratedFiles(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 11))
	files, right := 0, 0
	for round := range 2 {
		for _, tg := range tongues {
			for _, e := range tg.encodings {
				for _, comma := range Commas() {
					rows := sheetOf(tg, rnd)
					body := encoded(t, rows, comma, e)
					files++
					s, err := Sniff(body, true, "export.csv")
					if err != nil {
						t.Logf("%s, %v, %q: %v", tg.name, e, comma, err)
						continue
					}
					if problem := misread(s, rows, comma, e); problem != "" {
						require.Less(t, min(s.Confidence.Comma, s.Confidence.Encoding), askBelow, "what is wrong is asked about")
						t.Logf("%s, %v, %q, round %d: %s (read as %q, %s, sure %.2f and %.2f)", tg.name, e, comma, round, problem, s.Comma, s.Encoding, s.Confidence.Comma, s.Confidence.Encoding)
						continue
					}
					right++
				}
			}
		}
	}
	t.Logf("%d of %d files right (%.1f %%)", right, files, 100*float64(right)/float64(files))
	require.GreaterOrEqual(t, files, sniffFiles)
	require.GreaterOrEqual(t, float64(right)/float64(files), sniffGoal)
}

// misread says what of a file came out otherwise than it was written; "" when nothing did.
func misread(s Sniffed, rows [][]string, comma string, e encoding.Encoding) string {
	if s.Comma != comma {
		return "the delimiter"
	}
	want := append([][]string{}, rows...)
	got := append([][]string{s.Columns}, s.Rows...)
	for i, row := range got {
		for j, cell := range row {
			if j >= len(want[i]) || cell != asRead(want[i][j], e) {
				return fmt.Sprintf("cell %d of row %d is %q", j, i, cell)
			}
		}
	}
	return ""
}
