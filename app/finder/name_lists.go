package finder

import (
	_ "embed"
	"strings"
)

// Given and family names that five people or more carry among 61,858 authors of public commits, nine in ten of
// them as that part of the name; Latin letters folded.
//
//go:embed given_names.txt
var givenNamesText string

//go:embed family_names.txt
var familyNamesText string

var commonGiven, commonFamily = set(givenNamesText), set(familyNamesText)

// The lists below only hint at which word is the family name where a full name may be written in
// either order; a name that is in none of them is read in the order it was typed.

var vietnameseFamily = set("nguyen tran le pham hoang huynh phan vu vo dang bui do ho ngo duong ly dinh trinh truong luong mai cao ha doan lam dao")

// sureVietnamese are family names nobody carries as a given name.
var sureVietnamese = set("nguyen tran pham huynh hoang dang bui truong trinh ngo")

var chineseFamily = set("wang li zhang liu chen yang zhao huang zhou wu xu sun hu zhu gao lin he guo ma luo liang song zheng xie han tang feng yu dong xiao cheng cao yuan deng " +
	"xu fu shen zeng peng lu su jiang cai jia ding wei xue ye yan yu pan du dai xia zhong wang tian ren jiang fan fang shi yao tan liao zou xiong jin lu hao kong bai cui kang mao qiu qin gu hou shao meng " +
	"long wan duan lei qian tang yin li yi chang wu qiao he lai gong wen pang chan wong cheung lau leung ng kwok chow")

var koreanFamily = set("kim park choi jung jeong kang yoon yun jang lim han shin seo kwon hwang ahn song ryu yoo hong jeon moon bae baek heo nam shim noh yang")

// sureKorean are family names that stand first even before a given name that is not hyphenated.
var sureKorean = set("kim park choi jung jeong kang yoon jang kwon hwang shin")

var hungarianFamily = set("nagy kovacs toth szabo horvath varga kiss molnar nemeth farkas balogh papp takacs juhasz lakatos meszaros olah simon racz fekete szilagyi torok feher gal kis szucs kocsis orsos " +
	"pinter fodor szalai sipos magyar lukacs gulyas biro kiraly katona jakab bogdan balog boros fazekas kelemen antal somogyi fulop vincze hegedus orosz deak veres budai bodnar pal halasz szoke lengyel")

var hungarianGiven = set("istvan laszlo jozsef janos zoltan sandor gabor ferenc attila peter tamas zsolt tibor andras csaba imre lajos gyorgy balazs gyula mihaly karoly robert bela daniel david adam krisztian " +
	"miklos norbert mate bence levente maria erzsebet katalin eva ilona anna zsuzsanna margit judit agnes julianna andrea ildiko erika krisztina monika edit gabriella szilvia anita aniko reka nora zsofia eszter dora orsolya")

var japaneseFamily = set("sato suzuki takahashi tanaka watanabe ito yamamoto nakamura kobayashi kato yoshida yamada sasaki yamaguchi matsumoto inoue kimura hayashi saito shimizu yamazaki mori abe ikeda hashimoto " +
	"yamashita ishikawa nakajima maeda fujita ogawa goto okada hasegawa murakami kondo ishii sakamoto endo aoki fujii nishimura fukuda ota miura fujiwara okamoto matsuda nakagawa nakano harada ono tamura takeuchi kaneko wada nakayama ishida ueda morita hara shibata sakai kudo yokoyama miyazaki miyamoto uchida takagi ando")

// iberianFamily are surnames that stand in pairs in Spanish and Portuguese names.
var iberianFamily = set("garcia rodriguez gonzalez fernandez lopez martinez sanchez perez gomez martin jimenez ruiz hernandez diaz moreno munoz alvarez romero alonso gutierrez navarro torres dominguez vazquez ramos " +
	"gil ramirez serrano blanco molina morales suarez ortega delgado castro ortiz rubio marin sanz nunez iglesias medina garrido cortes castillo santos lozano guerrero cano prieto mendez cruz calvo gallego vidal leon " +
	"marquez herrera pena flores cabrera campos vega fuentes carrasco diez caballero reyes nieto aguilar pascual santana herrero lorenzo hidalgo montero ibanez gimenez ferrer duran santiago vicente benitez mora arias vargas carmona crespo " +
	"roman pastor soto saez velasco moya soler parra esteban bravo gallardo rojas silva oliveira souza sousa rodrigues ferreira alves pereira lima gomes costa ribeiro martins carvalho almeida lopes soares fernandes vieira barbosa rocha dias nascimento " +
	"andrade moreira nunes marques machado mendes freitas cardoso teixeira araujo pinto correia azevedo cavalcanti monteiro moura borges melo barros figueiredo cunha batista coelho antunes mejia chavez mendoza guzman salazar rios espinoza contreras valencia acosta figueroa pacheco miranda quintero restrepo")

// portugueseFamily are those by which a pair is read the Portuguese way (the last one counts).
var portugueseFamily = set("silva santos oliveira souza sousa rodrigues ferreira alves pereira lima gomes costa ribeiro martins carvalho almeida lopes soares fernandes vieira barbosa rocha dias nascimento andrade moreira nunes marques machado " +
	"mendes freitas cardoso teixeira araujo pinto correia azevedo cavalcanti monteiro moura borges melo barros figueiredo cunha batista coelho antunes")

// englishFamily are surnames hardly anybody has as a given name; they tell swapped columns.
var englishFamily = set("smith johnson williams brown jones miller davis wilson anderson taylor moore jackson white harris thompson robinson lewis walker young king wright hill green adams baker hall nelson carter mitchell roberts turner phillips campbell parker evans edwards " +
	"collins stewart morris rogers reed cook bell murphy bailey cooper richardson cox howard ward peterson gray watson brooks kelly sanders price bennett wood barnes ross henderson coleman jenkins perry powell long patterson hughes butler simmons foster bryant russell griffin hayes " +
	"muller schmidt schneider fischer weber meyer wagner becker schulz hoffmann schafer koch bauer richter klein wolf schroder neumann schwarz zimmermann braun kruger hofmann hartmann lange schmitt werner krause meier lehmann dubois durand leroy moreau lefebvre roux fournier girard bonnet lambert " +
	"rossi russo ferrari esposito bianchi romano colombo ricci marino greco conti costa de vries jansen bakker visser smit meijer mulder andersson johansson karlsson nilsson eriksson larsson olsson persson svensson hansen olsen larsen nielsen jensen pedersen kowalski nowak wisniewski novak ivanov petrov singh patel sharma gupta kumar khan")

// knownFamily reports whether a word is on any list of family names.
func knownFamily(w string) bool {
	k := wordKey(w)
	return englishFamily[k] || iberianFamily[k] || chineseFamily[k] || vietnameseFamily[k] || koreanFamily[k] || hungarianFamily[k] || japaneseFamily[k]
}

// knownGiven reports whether a word is a well-known given name.
func knownGiven(w string) bool {
	k := wordKey(w)
	return len(nicknames()[k]) > 0 || hungarianGiven[k] || compoundGiven[k] != nil
}

// pinyinSyllables are the syllables of Mandarin, finals by initial.
var pinyinSyllables = func() map[string]bool {
	m := set("a ai an ang ao e ei en er o ou yi ya yo ye yao you yan yin yang ying yong yu yue yuan yun wu wa wo wai wei wan wen wang weng")
	for line := range strings.SplitSeq("b:a ai an ang ao ei en eng i ian iao ie in ing o u|p:a ai an ang ao ei en eng i ian iao ie in ing o ou u|m:a ai an ang ao e ei en eng i ian iao ie in ing iu o ou u|"+
		"f:a an ang ei en eng o ou u|d:a ai an ang ao e ei eng i ian iao ie ing iu ong ou u uan ui un uo|t:a ai an ang ao e eng i ian iao ie ing ong ou u uan ui un uo|n:a ai an ang ao e ei en eng i ian iang iao ie in ing iu ong u uan ue uo v|"+
		"l:a ai an ang ao e ei eng i ian iang iao ie in ing iu ong ou u uan ue un uo v|g:a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo|k:a ai an ang ao e en eng ong ou u ua uai uan uang ui un uo|"+
		"h:a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo|j:i ia ian iang iao ie in ing iong iu u uan ue un|q:i ia ian iang iao ie in ing iong iu u uan ue un|x:i ia ian iang iao ie in ing iong iu u uan ue un|"+
		"zh:a ai an ang ao e en eng i ong ou u ua uai uan uang ui un uo|ch:a ai an ang ao e en eng i ong ou u uai uan uang ui un uo|sh:a ai an ang ao e ei en eng i ou u ua uai uan uang ui un uo|r:an ang ao e en eng i ong ou u uan ui un uo|"+
		"z:a ai an ang ao e ei en eng i ong ou u uan ui un uo|c:a ai an ang ao e en eng i ong ou u uan ui un uo|s:a ai an ang ao e en eng i ong ou u uan ui un uo", "|") {
		initial, finals, _ := strings.Cut(line, ":")
		for f := range strings.FieldsSeq(finals) {
			m[initial+f] = true
		}
	}
	return m
}()

// isPinyin reports whether a word is one or two Mandarin syllables.
func isPinyin(w string) bool {
	k := wordKey(w)
	if pinyinSyllables[k] {
		return true
	}
	return pinyinCut(k) > 0
}

// pinyinCut returns where a word of two Mandarin syllables divides, or 0.
func pinyinCut(k string) int {
	for i := len(k) - 1; i > 0; i-- {
		if pinyinSyllables[k[:i]] && pinyinSyllables[k[i:]] {
			return i
		}
	}
	return 0
}
