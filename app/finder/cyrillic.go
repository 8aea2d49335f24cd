package finder

import "strings"

// cyrillicBase is what the romanisations agree on; letters where they differ stand in cyrillicSchemes.
var cyrillicBase = map[rune]string{
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'е': "e", 'ё': "e", 'ж': "zh", 'з': "z", 'и': "i", 'й': "y", 'к': "k", 'л': "l", 'м': "m", 'н': "n",
	'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ф': "f", 'х': "kh", 'ц': "ts", 'ч': "ch", 'ш': "sh", 'щ': "shch", 'ъ': "", 'ы': "y", 'ь': "",
	'э': "e", 'ю': "yu", 'я': "ya", 'і': "i", 'ї': "i", 'є': "ie", 'ґ': "g", 'ў': "u", 'ђ': "dj", 'ћ': "c", 'џ': "dz", 'љ': "lj", 'њ': "nj", 'ј': "j", 'ѓ': "gj", 'ќ': "kj", 'ѕ': "dz", '\'': "",
}

// cyrillicScheme is one way of romanising: changes to cyrillicBase, then rewritten endings.
type cyrillicScheme struct {
	weight  float64
	letters map[rune]string
	endings [][2]string
}

// russianSchemes: what people write, the same with h for х, the passport (ICAO 9303), and the older
// European way with j.
var russianSchemes = []cyrillicScheme{
	{0.46, nil, [][2]string{{"iy", "y"}, {"yy", "y"}}},
	{0.20, map[rune]string{'х': "h"}, nil},
	{0.22, map[rune]string{'й': "i", 'ю': "iu", 'я': "ia", 'ъ': "ie"}, nil},
	{0.12, map[rune]string{'й': "j", 'ю': "ju", 'я': "ja", 'х': "h", 'ц': "c"}, [][2]string{{"ij", "y"}}},
}

// ukrainianSchemes: the state's table of 2010, with its word beginnings left to ukrainianStart, and
// the ways people still write from before.
var ukrainianSchemes = []cyrillicScheme{
	{0.55, map[rune]string{'г': "h", 'и': "y", 'й': "i", 'ю': "iu", 'я': "ia"}, nil},
	{0.30, map[rune]string{'г': "h", 'и': "y", 'є': "ye"}, [][2]string{{"yy", "y"}}},
	{0.15, map[rune]string{'х': "h", 'є': "e"}, [][2]string{{"iy", "y"}}},
}

var bulgarianSchemes = []cyrillicScheme{
	{0.7, map[rune]string{'х': "h", 'щ': "sht", 'ъ': "a"}, [][2]string{{"iya", "ia"}}},
	{0.3, map[rune]string{'х': "h", 'щ': "sht", 'ъ': "u", 'й': "i"}, nil},
}

// serbianSchemes write the Latin letters of Serbian without their marks; Macedonian shares them.
var serbianSchemes = []cyrillicScheme{
	{0.75, map[rune]string{'ж': "z", 'х': "h", 'ц': "c", 'ч': "c", 'ш': "s", 'ђ': "dj"}, nil},
	{0.25, map[rune]string{'ж': "zh", 'х': "h", 'ц': "c", 'ч': "ch", 'ш': "sh", 'ђ': "d", 'ћ': "c"}, nil},
}

// cyrillicNames are names with established spellings, likeliest first.
var cyrillicNames = table(`александр alexander aleksandr alexandr|алексей alexey aleksey alexei aleksei|сергей sergey sergei|дмитрий dmitry dmitriy dmitri dmitrii|евгений evgeny evgeniy yevgeny eugene
	михаил mikhail michael|екатерина ekaterina katerina catherine|елена elena helena|наталья natalia natalya nataliya|наталия natalia nataliya|татьяна tatiana tatyana|мария maria mariya|анастасия anastasia anastasiya|ксения ksenia xenia kseniya
	андрей andrey andrei|николай nikolay nikolai|петр petr peter|пётр petr peter|юрий yury yuri yuriy|юлия julia yulia yuliya iuliia|виктория victoria viktoria viktoriya|софия sofia sofiya|софья sofya sofia|анна anna|иван ivan|павел pavel paul
	владимир vladimir|алексий alexy|григорий grigory grigoriy grigori|василий vasily vasiliy vasili|анатолий anatoly anatoliy|валерий valery valeriy|виталий vitaly vitaliy vitalii|аркадий arkady arkadiy|геннадий gennady gennadiy|георгий georgy georgiy george
	максим maxim maksim|ирина irina|ольга olga|оксана oksana oxana|денис denis|игорь igor|олег oleg|артем artem artyom|артём artem artyom|фёдор fedor fyodor|федор fedor fyodor|илья ilya ilia|роман roman|полина polina|дарья daria darya|любовь lyubov|светлана svetlana
	яна yana jana|яков yakov jacob|лилия lilia liliya|алина alina|валентина valentina|вячеслав vyacheslav viacheslav|ярослав yaroslav iaroslav
	олександр oleksandr alexander olexandr|олексій oleksii oleksiy alexey|дмитро dmytro dmitro|сергій serhii sergii serhiy sergiy|андрій andrii andriy|юлія yuliia julia yulia|юрій yurii yuriy|михайло mykhailo mykhaylo|володимир volodymyr|микола mykola|катерина kateryna
	наталія nataliia natalia|євген yevhen yevgen evgen|ганна hanna anna|олена olena|ірина iryna irina|тетяна tetiana tetyana|марія mariia maria|анастасія anastasiia anastasia|вікторія viktoriia victoria|ігор ihor igor|павло pavlo|ілля illia ilya|софія sofiia sofia|богдан bohdan bogdan
	георги georgi|христо hristo|цветан tsvetan|юлиан julian yulian|никола nikola|стојан stojan|ђорђе djordje dorde`)

// romaniseCyrillic writes a word in the ways its language is romanised.
func romaniseCyrillic(w string, schemes []cyrillicScheme) []Form {
	low := strings.ToLower(w)
	var forms []Form
	share := 1.0
	if known := cyrillicNames[low]; len(known) > 0 {
		share = 0.3 // established spellings take the rest
		for i, k := range known {
			forms = append(forms, form(k, 0.7*rankShare(i, len(known)), KindRomanised))
		}
	}
	for _, s := range schemes {
		forms = append(forms, form(s.apply(low), s.weight*share, KindRomanised))
	}
	return topSpellings(forms)
}

func (s cyrillicScheme) apply(low string) string {
	var out strings.Builder
	for i, r := range []rune(low) {
		to, ok := s.letters[r]
		if !ok {
			to = cyrillicBase[r]
		}
		if i == 0 && to != "" {
			to = wordStart(r, to, s)
		}
		if to == "" && r < 128 {
			to = string(r)
		}
		out.WriteString(to)
	}
	word := out.String()
	for _, e := range s.endings {
		if stem, ok := strings.CutSuffix(word, e[0]); ok && stem != "" {
			return stem + e[1]
		}
	}
	return word
}

// wordStart is the Ukrainian table's rule that є, ї, й, ю and я begin a word with y.
func wordStart(r rune, to string, s cyrillicScheme) string {
	if s.letters['г'] != "h" {
		return to
	}
	switch r {
	case 'є':
		return "ye"
	case 'ї':
		return "yi"
	case 'й':
		return "y"
	case 'ю':
		return "yu"
	case 'я':
		return "ya"
	}
	return to
}

// cyrillicLanguage picks the schemes by the letters that only some languages have.
func cyrillicLanguage(name, region string) []cyrillicScheme {
	low := strings.ToLower(name)
	switch {
	case strings.ContainsAny(low, "іїєґ"):
		return ukrainianSchemes
	case strings.ContainsAny(low, "ђћџљњјѓќѕ"):
		return serbianSchemes
	case strings.ContainsAny(low, "ыэё"), region == "ru/ua/by":
		return russianSchemes
	case strings.HasSuffix(low, "ов") || strings.HasSuffix(low, "ова"):
		return russianSchemes
	case strings.ContainsRune(low, 'ъ'):
		return bulgarianSchemes
	}
	return russianSchemes
}

// table reads "key form form" entries divided by bars or lines.
func table(s string) map[string][]string {
	m := map[string][]string{}
	for entry := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '|' || r == '\n' }) {
		if f := strings.Fields(entry); len(f) > 1 {
			m[f[0]] = f[1:]
		}
	}
	return m
}

// rankShare is the weight of the i-th of n alternatives, each half as likely as the one before.
func rankShare(i, n int) float64 {
	w, sum := 1.0, 0.0
	var at float64
	for k := range n {
		if k == i {
			at = w
		}
		sum += w
		w /= 2
	}
	return at / sum
}

// topSpellings settles the spellings of one word and keeps the best few.
func topSpellings(forms []Form) []Form {
	forms = settle(forms)
	if len(forms) > maxSpellings {
		forms = settle(forms[:maxSpellings])
	}
	return forms
}
