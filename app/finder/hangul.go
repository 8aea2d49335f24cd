package finder

import "strings"

// Hangul syllables are an initial, a vowel and a final in one code point (Unicode 3.12).
const (
	hangulFirst  = '\uAC00'
	hangulLast   = '\uD7A3'
	hangulVowels = 21
	hangulFinals = 28
)

// Revised Romanisation by jamo, in code point order.
var (
	jamoInitials = strings.Split("g kk n d tt r m b pp s ss - j jj ch k t p h", " ")
	jamoVowels   = strings.Split("a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i", " ")
	jamoFinals   = strings.Split("- k k k n n n t l k m l l l p l m p p t t ng t t k t p t", " ")
)

// koreanSurnames are spelled by custom, not by the table: likeliest first.
var koreanSurnames = table(`김 kim gim|이 lee yi rhee|박 park pak bak|최 choi choe|정 jung jeong chung|강 kang gang|조 cho jo|윤 yoon yun|장 jang chang|임 lim im|한 han|오 oh o|서 seo suh|신 shin sin|권 kwon gwon|황 hwang|안 ahn an
	송 song|전 jeon jun chun|홍 hong|유 yoo yu ryu|고 ko go koh|문 moon mun|양 yang|손 son sohn|배 bae|백 baek paik|허 heo hur huh|노 noh roh no|남 nam|심 shim sim|하 ha|곽 kwak|성 sung seong|차 cha|주 joo ju|우 woo|구 koo gu ku|나 na ra|류 ryu
	민 min|진 jin|지 ji|엄 eom um|채 chae|원 won|천 cheon chun|방 bang|공 kong gong|현 hyun|함 ham|변 byun byeon|염 yeom|여 yeo|추 choo chu|도 do|소 so|석 seok suk|선 sun|설 seol|마 ma|길 gil|연 yeon|위 wi|표 pyo|명 myung|기 ki|반 ban
	남궁 namkung namgung|황보 hwangbo|제갈 jegal|선우 sunwoo|독고 dokgo`)

// koreanSyllables are spelled otherwise than by the table when people write their given names.
var koreanSyllables = table(`현 hyun|영 young|정 jung|성 sung|우 woo|수 soo|경 kyung|선 sun|주 joo|훈 hoon|철 chul|승 seung|숙 sook|준 jun|동 dong|용 yong|형 hyung|연 yeon|은 eun|상 sang|석 seok|진 jin|호 ho|규 kyu|근 keun|기 ki|병 byung|명 myung|종 jong|중 joong|국 kook|구 koo|두 doo|문 moon|순 soon|현 hyun|욱 wook|유 yu|윤 yoon|건 kun|걸 gul|길 kil|광 kwang|권 kwon|봉 bong|범 beom|별 byul|빈 bin|서 seo|섭 sup|식 sik|신 shin|심 shim|언 un|엽 yup|예 ye|옥 ok|원 won|율 yul|일 il|재 jae|지 ji|찬 chan|창 chang|태 tae|택 taek|필 pil|하 ha|학 hak|한 han|해 hae|혁 hyuk|혜 hye|홍 hong|화 hwa|환 hwan|희 hee`)

// romaniseSyllable is the Revised Romanisation of one syllable.
func romaniseSyllable(r rune) string {
	if r < hangulFirst || r > hangulLast {
		return ""
	}
	n := int(r - hangulFirst)
	s := jamoInitials[n/(hangulVowels*hangulFinals)] + jamoVowels[n/hangulFinals%hangulVowels] + jamoFinals[n%hangulFinals]
	return strings.ReplaceAll(s, "-", "")
}

// romaniseKoreanGiven writes a given name the ways people do: as pronounced in English, by the table,
// and with a hyphen. The initials of its syllables are a form of their own kind of abbreviation.
func romaniseKoreanGiven(w string) (forms, initials []Form) {
	var custom, revised, first []string
	for _, r := range w {
		rr := romaniseSyllable(r)
		if rr == "" {
			continue
		}
		revised = append(revised, rr)
		if c := koreanSyllables[string(r)]; c != nil {
			custom = append(custom, c[0])
		} else {
			custom = append(custom, rr)
		}
		first = append(first, custom[len(custom)-1][:1])
	}
	if len(revised) == 0 {
		return nil, nil
	}
	forms = settle([]Form{
		form(strings.Join(custom, ""), 0.5, KindRomanised), form(strings.Join(revised, ""), 0.3, KindRomanised),
		form(strings.Join(custom, "-"), 0.12, KindHyphened), form(strings.Join(custom, "."), 0.08, KindDotted),
	})
	initials = settle([]Form{form(first[0], 0.65, KindPlain), form(strings.Join(first, ""), 0.35, KindJoined)})
	return forms, initials
}

// romaniseKoreanFamily writes a family name as families do.
func romaniseKoreanFamily(w string) []Form {
	if known := koreanSurnames[w]; known != nil {
		var forms []Form
		for i, k := range known {
			forms = append(forms, form(k, rankShare(i, len(known)), KindRomanised))
		}
		return settle(forms)
	}
	forms, _ := romaniseKoreanGiven(w)
	return forms
}

// splitKorean divides an undivided Korean name, family first: 김민수 is 김 and 민수.
func splitKorean(w string) (family, given string, ok bool) {
	r := []rune(w)
	if len(r) < 2 || len(r) > 5 {
		return "", "", false
	}
	if len(r) > 3 || len(r) == 3 && koreanSurnames[string(r[:2])] != nil {
		if koreanSurnames[string(r[:2])] != nil {
			return string(r[:2]), string(r[2:]), true
		}
	}
	return string(r[:1]), string(r[1:]), koreanSurnames[string(r[:1])] != nil
}

var koreanLatinSyllables = func() map[string]bool {
	m := set("hyun young jung sung woo soo kyung sun joo hoon chul sook jun hyung myung joong kook koo doo soon wook yoon kyu keun ki byung hee hyuk yong shin shim lee")
	for _, i := range jamoInitials {
		for _, v := range jamoVowels {
			for _, f := range strings.Fields("- k n t l m p ng") {
				m[strings.ReplaceAll(i+v+f, "-", "")] = true
			}
		}
	}
	return m
}()

// isKoreanSyllable reports whether a Latin word is one syllable of a romanised Korean name.
func isKoreanSyllable(w string) bool { return koreanLatinSyllables[w] }

// isKoreanPair reports whether a Latin word is exactly two such syllables of two letters or more.
func isKoreanPair(w string) bool {
	for i := 2; i <= len(w)-2; i++ {
		if koreanLatinSyllables[w[:i]] && koreanLatinSyllables[w[i:]] {
			return true
		}
	}
	return false
}
