package finder

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// nameCases are cells as they are met, and the likeliest address forms of given and family name; "-"
// is none. Cells are first|last|full.
var nameCases = []struct{ cells, first, last string }{
	// plain, titles, suffixes
	{"John|Smith|", "john", "smith"}, {"||John Smith", "john", "smith"}, {"||Dr. John Smith", "john", "smith"}, {"||Prof. Dr. med. Anna Schmidt", "anna", "schmidt"},
	{"||Mr John Smith Jr.", "john", "smith"}, {"||John Smith III", "john", "smith"}, {"||John Smith, PhD", "john", "smith"}, {"||John Smith, PhD, MBA", "john", "smith"},
	{"||John Smith MD", "john", "smith"}, {"||Smith, John", "john", "smith"}, {"||Smith, John, Jr.", "john", "smith"}, {"||SMITH, JOHN", "john", "smith"}, {"||John Smith, CEO", "john", "smith"},
	{"Dr|John Smith|", "john", "smith"}, {"Dr. John|Smith, MBA|", "john", "smith"}, {"John|Smith 2nd|", "john", "smith"}, {"||Jack Ma", "jack", "ma"}, {"Jack|Ma|", "jack", "ma"},
	{"Don|Johnson|", "don", "johnson"}, {"Dean|Martin|", "dean", "martin"}, {"||Ing. Petr Novák, CSc.", "petr", "novak"}, {"||Mgr. Jana Dvořáková", "jana", "dvorakova"},
	{"||Dipl.-Ing. Karl Huber", "karl", "huber"}, {"||Dr.-Ing. Anna-Lena Weiß", "anna-lena", "weiss"}, {"||M. Jean-Pierre Lefèvre", "jean-pierre", "lefevre"}, {"||M. CHARPENTIER Guillaume", "guillaume", "charpentier"}, {"||Herr Thomas Weber", "thomas", "weber"}, {"||Mme Claire Fontaine", "claire", "fontaine"}, {"||Sr. Pablo Romero", "pablo", "romero"},
	{"||Dott.ssa Giulia Conti", "giulia", "conti"}, {"||Rev. Thomas Hill", "thomas", "hill"}, {"||Sir Peter Hall OBE", "peter", "hall"}, {"||Dhr. Kees Bakker", "kees", "bakker"},
	// case, space, punctuation, asides
	{"JOHN|SMITH|", "john", "smith"}, {"john|smith|", "john", "smith"}, {"||\u00a0John\u00a0 Smith\u200b", "john", "smith"}, {"||John Smith *", "john", "smith"}, {"||John_Smith", "john", "smith"},
	{"||John.Smith", "john", "smith"}, {"||𝐉𝐨𝐡𝐧 Smith 🚀", "john", "smith"}, {"||John Smith (he/him)", "john", "smith"}, {"||Robert (Bob) Smith", "robert", "smith"}, {"||Robert \"Bob\" Smith", "robert", "smith"},
	{"||Robert 'Bob' Smith", "robert", "smith"}, {"||John Smith - Head of Sales", "john", "smith"}, {"||John Smith | Acme", "john", "smith"}, {"||Ann Smith - Jones", "ann", "smith-jones"},
	{"John Smith|Smith|", "john", "smith"}, {"John|John Smith|", "john", "smith"}, {"||ｊｏｈｎ ｓｍｉｔｈ", "john", "smith"}, {"||Аnna Smith", "anna", "smith"}, {"Thomas|MÃ¼ller|", "thomas", "mueller"},
	{"Anna|Smith [external]|", "anna", "smith"}, {"||Anna Smith (née Jones)", "anna", "smith"}, {"||DUPONT Jean", "jean", "dupont"}, {"||Jean DUPONT", "jean", "dupont"},
	// middle names and initials
	{"||John Michael Smith", "john", "smith"}, {"||John M. Smith", "john", "smith"}, {"John M|Smith|", "john", "smith"}, {"John|M. Smith|", "john", "smith"}, {"J.|Smith|", "-", "smith"},
	{"J.R.R.|Tolkien|", "-", "tolkien"}, {"||M. Night Shyam", "night", "shyam"}, {"Ashwath|S|", "ashwath", "-"}, {"||K Ramesh", "-", "ramesh"}, {"||Cher", "cher", "-"}, {"|Smith|", "-", "smith"},
	{"||J. Edgar Hoover", "edgar", "hoover"},
	// hyphens, apostrophes, double given names
	{"Jean-Pierre|Dupont|", "jean-pierre", "dupont"}, {"||Jean Pierre Dupont", "jean", "dupont"}, {"Mary Ann|Smith|", "mary", "smith"}, {"Seán|O'Brien|", "sean", "obrien"}, {"Seán|O’Brien|", "sean", "obrien"},
	{"||John O Brien", "john", "obrien"}, {"Chiara|D'Angelo|", "chiara", "dangelo"}, {"Anna|Smith-Jones|", "anna", "smith-jones"}, {"Anne–Marie|Leroy|", "anne-marie", "leroy"}, {"Ian|Mc Donald|", "ian", "mcdonald"},
	{"Ian|McDonald|", "ian", "mcdonald"}, {"||Hans-Peter Müller-Lüdenscheid", "hans-peter", "mueller-luedenscheid"},
	// particles
	{"Jan|van der Berg|", "jan", "vanderberg"}, {"||Jan van der Berg", "jan", "vanderberg"}, {"Jan van|der Berg|", "jan", "vanderberg"}, {"||van der Berg, Jan", "jan", "vanderberg"}, {"||Ludwig von Hagen", "ludwig", "vonhagen"},
	{"||Charles de Gaulle", "charles", "degaulle"}, {"||Maria de la Cruz", "maria", "delacruz"}, {"||Leonardo di Stefano", "leonardo", "distefano"}, {"||Omar bin Salman", "omar", "binsalman"},
	{"||Ahmed Al Sayed", "ahmed", "alsayed"}, {"||Ahmed al-Hashimi", "ahmed", "al-hashimi"}, {"||Jan Willem van Dijk", "jan", "vandijk"}, {"||Sarah Le Roux", "sarah", "leroux"}, {"||John St James", "john", "stjames"},
	{"||Al Gore", "al", "gore"}, {"||Van Morrison", "van", "morrison"}, {"||José Ortega y Gasset", "jose", "ortega"},
	// Spanish and Portuguese
	{"||Gabriel García Márquez", "gabriel", "garcia"}, {"Juan Carlos|Pérez Gómez|", "juan", "perez"}, {"||Juan Carlos Pérez Gómez", "juan", "perez"}, {"João|da Silva Santos|", "joao", "santos"},
	{"||João Silva Oliveira", "joao", "oliveira"}, {"||Maria João Costa Ferreira", "maria", "ferreira"}, {"||Ana García de la Torre", "ana", "garcia"}, {"Íñigo|Muñoz|", "inigo", "munoz"},
	// German, Nordic, Baltic, Slavic, Turkish, Romanian, Hungarian
	{"Jürgen|Schröder|", "juergen", "schroeder"}, {"Groß|Weiß|", "gross", "weiss"}, {"Søren|Ågård|", "soren", "agard"}, {"Åsa|Öberg|", "asa", "oberg"}, {"Þórður|Guðmundsson|", "thordur", "gudmundsson"},
	{"Łukasz|Wiśniewski|", "lukasz", "wisniewski"}, {"Işık|Güneş|", "isik", "gunes"}, {"İbrahim|Yıldız|", "ibrahim", "yildiz"}, {"Ștefan|Țepeș|", "stefan", "tepes"}, {"Jiří|Dvořák|", "jiri", "dvorak"},
	{"||Nagy István", "istvan", "nagy"}, {"István|Nagy|", "istvan", "nagy"}, {"Đorđe|Đukić|", "djordje", "djukic"}, {"Gunārs|Bērziņš|", "gunars", "berzins"}, {"Renée|Lefèvre|", "renee", "lefevre"}, {"Mária|Kováčová|", "maria", "kovacova"},
	// Asian names
	{"||Nguyễn Văn An", "an", "nguyen"}, {"||Tran Minh Duc", "duc", "tran"}, {"||Wang Xiaoming", "xiaoming", "wang"}, {"Xiaoming|Wang|", "xiaoming", "wang"}, {"Xiao Ming|Wang|", "xiaoming", "wang"},
	{"||Kim Min-su", "min-su", "kim"}, {"||Min-su Kim", "min-su", "kim"}, {"||Yamada Taro", "taro", "yamada"}, {"Taro|Yamada|", "taro", "yamada"}, {"||김민수", "minsoo", "kim"}, {"민수|김|", "minsoo", "kim"}, {"||王小明 (Wang Xiaoming)", "xiaoming", "wang"},
	{"||David Chen 陈大卫", "david", "chen"}, {"Abdul Rahman|Khan|", "abdul", "khan"},
	// Cyrillic and Greek
	{"Дмитрий|Иванов|", "dmitry", "ivanov"}, {"||Иванов Дмитрий Сергеевич", "dmitry", "ivanov"}, {"Юлия|Жукова|", "julia", "zhukova"}, {"Сергей|Хрущёв|", "sergey", "khrushchev"}, {"Олексій|Шевченко|", "oleksii", "shevchenko"},
	{"Ђорђе|Јовановић|", "djordje", "jovanovic"}, {"Георги|Димитров|", "georgi", "dimitrov"}, {"||Ivanov Sergey Petrovich", "sergey", "ivanov"}, {"Γιώργος|Παπαδόπουλος|", "giorgos", "papadopoulos"}, {"Ελένη|Μπακογιάννη|", "eleni", "bakogianni"},
	// one bad cell beside a good full name
	{"n/a||John Smith", "john", "smith"},
}

func TestNamesAreReadTheWayTheirPeopleWriteThem(t *testing.T) {
	require.GreaterOrEqual(t, len(nameCases), 120)
	top := func(p Part) string {
		if len(p.Forms) == 0 {
			return "-"
		}
		return p.Forms[0].Text
	}
	for _, c := range nameCases {
		cell := strings.Split(c.cells, "|")
		full := strings.Join(cell[2:], "|")
		n, err := parseName(cell[0], cell[1], full, "")
		if err != nil {
			t.Errorf("%q refused: %v", c.cells, err)
			continue
		}
		if top(n.First) != c.first || top(n.Last) != c.last {
			t.Errorf("%q: %s / %s, want %s / %s (%v)", c.cells, top(n.First), top(n.Last), c.first, c.last, n.Notes)
		}
	}
}

func TestJunkIsRefusedByName(t *testing.T) {
	for cells, want := range map[string]string{
		"||john@foo.example": "e-mail", "||https://foo.example/x": "web address", "||www.foo.example": "web address", "||foo.com": "web address", "||+44 20 7946 0123": "telephone",
		"||n/a": "placeholder", "N/A|Smith|": "placeholder", "||unknown": "placeholder", "||#REF!": "spreadsheet", "||#N/A": "spreadsheet", "||=A1": "spreadsheet", "||Acme GmbH": "company", "||Foo Bar Ltd.": "company",
		"||Acme Industries Inc": "company", "||Sales Team": "role", "||info": "role", "John|Smith4|": "digits", "||John & Mary Smith": "two people", "||John and Mary Smith": "two people", "||王小明": "Chinese",
		"||山田 たろう": "Japanese", "||たろう": "kana", "||محمد علي": "Arabic", "||דוד כהן": "Hebrew", "||สมชาย": "Thai", "||राजेश": "Devanagari", "||": "no name", "||12345": "digits", "||...": "no name", "||John Sm\ufffdth": "damaged",
		"||" + strings.Repeat("a ", 60): "more words", "||" + strings.Repeat("a", 3000): "longer than any name", "||Test Test": "placeholder", "null|null|": "placeholder", "||Dr.": "no name", "||🙂🙂": "no name",
	} {
		cell := strings.SplitN(cells, "|", 3)
		_, err := ParseName(cell[0], cell[1], cell[2])
		var r *Refusal
		require.True(t, errors.As(err, &r), "%q was taken: %v", cells, err)
		require.Equal(t, ReasonBadInput, r.Reason)
		require.Contains(t, r.Sentence, want, "%q", cells)
	}
}

func TestNullIsASurnameBesideAGivenName(t *testing.T) {
	n, err := ParseName("Jennifer", "Null", "")
	require.NoError(t, err)
	require.Equal(t, "null", n.Last.Forms[0].Text)
}

func TestUmlautsFollowTheRegion(t *testing.T) {
	for region, want := range map[string]string{"de": "mueller", "nordic": "muller", "at/ch/li": "mueller"} {
		n, err := parseName("Jürgen", "Müller", "", region)
		require.NoError(t, err)
		require.Equal(t, want, n.Last.Forms[0].Text, region)
	}
}

func TestNicknamesGoBothWays(t *testing.T) {
	has := func(p Part, text string) bool {
		for _, f := range p.Forms {
			if f.Text == text {
				return true
			}
		}
		return false
	}
	for typed, other := range map[string]string{"Robert": "bob", "Bob": "robert", "Katarzyna": "kasia", "Pepe": "jose", "Willem": "wim", "Alexander": "sasha"} {
		n, err := ParseName(typed, "Smith", "")
		require.NoError(t, err)
		require.True(t, has(n.First, other), "%s has no %s", typed, other)
	}
	n, err := ParseName("", "", "Robert (Bob) Smith")
	require.NoError(t, err)
	require.Equal(t, KindQuoted, n.First.Forms[1].Kind)
	pairs := 0
	for _, others := range nicknames() {
		pairs += len(others)
	}
	require.Greater(t, pairs, 1000)
}

// checkName holds what must be true of any name that was read.
func checkName(t require.TestingT, n Name) {
	for _, p := range []Part{n.First, n.Middle, n.Last} {
		require.LessOrEqual(t, len(p.Forms), maxForms)
		for _, list := range [][]Form{p.Forms, p.Initials} {
			sum := 0.0
			for _, f := range list {
				sum += f.Weight
				require.Regexp(t, `^[a-z]+(['._-]?[a-z]+)*$`, f.Text)
			}
			if len(list) > 0 {
				require.InDelta(t, 1, sum, 1e-9)
			}
		}
	}
	total := 0.0
	for i, c := range rank(n, newPosterior("com", nil, n)) {
		require.NotEmpty(t, c.local)
		require.Regexp(t, `^[a-z0-9]+(['._-]?[a-z0-9]+)*$`, c.local)
		require.LessOrEqual(t, len(c.local), maxLocal)
		require.Less(t, i, maxRanked)
		total += c.p
	}
	require.LessOrEqual(t, total, 1+1e-9)
}

func TestAnyCellsAreReadOrRefusedAlike(t *testing.T) {
	cell := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"John", "van der", "Müller", "김민수", "Иван", "Dr.", "O'", "-", "(", "\"", "A-B-C-D", "y", "Γιώργος", ",", "PhD"}),
		rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOfN(rapid.Byte(), 0, 80).Draw(t, "bytes")) }),
		rapid.StringOfN(rapid.RuneFrom([]rune("aBé ßøЖя-'.,(\")김李ñ̈\u0301 ")), 0, 40, -1))
	rapid.Check(t, func(t *rapid.T) {
		first, last, full := cell.Draw(t, "first"), cell.Draw(t, "last"), cell.Draw(t, "full")
		n, err := ParseName(first, last, full)
		again, err2 := ParseName(first, last, full)
		require.Equal(t, n, again)
		require.Equal(t, err, err2)
		if err != nil {
			var r *Refusal
			require.ErrorAs(t, err, &r)
			return
		}
		checkName(t, n)
	})
}

func FuzzParseName(f *testing.F) {
	for _, c := range nameCases {
		cell := strings.SplitN(c.cells, "|", 3)
		f.Add(cell[0], cell[1], cell[2])
	}
	f.Fuzz(func(t *testing.T, first, last, full string) {
		if n, err := ParseName(first, last, full); err == nil {
			checkName(t, n)
		}
	})
}
