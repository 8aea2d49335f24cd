package finder

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// greekLetters is ELOT 743, the passport's table, letter by letter.
var greekLetters = map[rune]string{
	'α': "a", 'β': "v", 'γ': "g", 'δ': "d", 'ε': "e", 'ζ': "z", 'η': "i", 'θ': "th", 'ι': "i", 'κ': "k", 'λ': "l", 'μ': "m", 'ν': "n", 'ξ': "x", 'ο': "o",
	'π': "p", 'ρ': "r", 'σ': "s", 'ς': "s", 'τ': "t", 'υ': "y", 'φ': "f", 'χ': "ch", 'ψ': "ps", 'ω': "o",
}

// greekPairs are read before single letters, the longest first.
var greekPairs = strings.NewReplacer("ου", "ou", "γγ", "ng", "γξ", "nx", "γχ", "nch", "ευθ", "efth", "ευκ", "efk", "ευσ", "efs", "ευτ", "eft", "ευ", "ev",
	"αυθ", "afth", "αυκ", "afk", "αυσ", "afs", "αυτ", "aft", "αυ", "av", "μπ", "mp", "γκ", "gk")

// greekStarts are read at the beginning of a word.
var greekStarts = [][2]string{{"μπ", "b"}, {"ντ", "d"}, {"γκ", "g"}}

// greekSecond is what people write instead of ELOT's choices.
var greekSecond = strings.NewReplacer("ch", "h", "f", "ph", "y", "i", "mp", "b")

// greekNames are names with established spellings, likeliest first.
var greekNames = table(`γιωργος giorgos george yorgos|γεωργιος georgios george|γιαννης giannis yannis yiannis|ιωαννης ioannis john giannis|νικος nikos nick|νικολαος nikolaos nikos|κωστας kostas costas|κωνσταντινος konstantinos constantinos kostas
	δημητρης dimitris|δημητριος dimitrios dimitris|χρηστος christos chris|παναγιωτης panagiotis panos|βασιλης vasilis|βασιλειος vasileios vasilis bill|ελενη eleni helen|μαρια maria|κατερινα katerina|αικατερινη aikaterini katerina|σοφια sofia sophia
	στελιος stelios|αθανασιος athanasios thanasis|αλεξανδρος alexandros alexander|αντωνης antonis|αντωνιος antonios antonis|ευαγγελος evangelos vangelis|γεωργια georgia|χριστινα christina|μιχαλης michalis michael|μιχαηλ michail michael|θεοδωρος theodoros
	σπυρος spyros spiros|ανδρεας andreas|πετρος petros peter|παυλος pavlos paul|ευη evi|ιωαννα ioanna joanna|ειρηνη eirini irini irene|ηλιας ilias elias|στεφανος stefanos`)

// romaniseGreek writes a word by ELOT 743, by the commoner alternatives, and as established.
func romaniseGreek(w string) []Form {
	plain := strings.Map(func(r rune) rune {
		if greekLetters[r] != "" || r < 128 || r == 'ϊ' || r == 'ϋ' {
			return r
		}
		return -1
	}, norm.NFD.String(strings.ToLower(w)))
	var forms []Form
	share := 1.0
	if known := greekNames[plain]; known != nil {
		share = 0.3 // established spellings take the rest
		for i, k := range known {
			forms = append(forms, form(k, 0.7*rankShare(i, len(known)), KindRomanised))
		}
	}
	text := plain
	for _, s := range greekStarts {
		if rest, ok := strings.CutPrefix(text, s[0]); ok {
			text = s[1] + rest
		}
	}
	var elot strings.Builder
	for _, r := range greekPairs.Replace(text) {
		if to, ok := greekLetters[r]; ok {
			elot.WriteString(to)
		} else if r < 128 {
			elot.WriteRune(r)
		}
	}
	e := elot.String()
	return topSpellings(append(forms, form(e, 0.65*share, KindRomanised), form(greekSecond.Replace(e), 0.35*share, KindRomanised)))
}
