package finder

import "strings"

// titles come before a name, as wordKey spells them. Those in softTitles are names as well.
var titles = set("dr dring drmed drphil drjur drhc drsc drs dra prof profdr professor professora doctor mr mister mrs ms miss mx sir dame lord lady rev reverend hon honourable capt captain col colonel gen general " +
	"lt lieutenant maj major sgt sergeant cmdr commander adm admiral herr frau hr fr frl fraulein diplom dipl diploming dipling diplkfm diplinf diplphys mag magister ing " +
	"mme mlle mmes monsieur madame mademoiselle maitre me sr sra srta senor senora senorita don dona " +
	"dott dottssa dottore avv sig sigra signor signora geom arch eng enga arq lic licda mgr mga bc bca mudr rndr phdr judr mvdr paeddr thdr ingarch " +
	"inz lek hab bay bayan sayin dhr mevr mw mevrouw meneer ir shri sri smt kum kumari er adv pan pani pani g gn gnza gza gospodin gospozha kyrios kyria kos " +
	"imam sheikh shaikh haji hajji rabbi father sister brother pastor bishop prince princess engr atty dean chancellor")

// softTitles are stripped only before a dot or when at least two words remain.
var softTitles = set("don dean lord lady sir major prince princess general me ms mx ing er fr sri g hr mw ir pan adv mag arch kum lic bay sister brother father captain " +
	"bishop pastor chancellor imam kos eng ms hon hab lek sig ra geom gen col sheikh shaikh sr lt adm don dame miss mga bc")

// suffixes follow a name: generations, degrees, credentials, honours.
var suffixes = func() map[string]bool {
	m := set("jr junior snr senior ii iii iv phd dphil edd dba md do dds dmd dvm jd llm llb llp mba emba bba msc bsc meng beng mphil mres mpa mph mfa bfa med " +
		"ma ba ms bs bsn msn rn np pa lpn cpa cfa cma cia cfp chfc cisa cism cissp ccna ccie pmp pmi csm cspo acp itil fca aca acca fcca aca cima cgma fcma ca " +
		"esq esquire pe peng ceng cphr chrp phr sphr shrm shrmcp shrmscp cipd mcipd fcipd frcs mrcp frcp facs faan aia riba leed obe mbe cbe kbe qc kc " +
		"psyd pharmd dsc drsc csc scd dipl mcp mcse aws prof ret retd usn usmc usaf usa cpim cscp cpp crm cebs clu chartered " +
		"jnr sr v vi 2nd 3rd 4th 1st filho neto sobrinho fils pere hijo ceo cto cfo coo cmo cio vp svp evp")
	return m
}()

// softSuffixes are names or name parts as well; they are stripped only after a comma, or in capitals
// when two other words remain.
var softSuffixes = set("do ma ba ms bs pa np med ca pe prof crm usa sr v vi dipl aia leed clu aws cia np md pere filho neto fils hijo sobrinho " +
	"vp ceo cto cfo coo cmo cio jd dba acp cpp ret kc qc csc")

// asideWords stand in brackets beside names without being one.
var asideWords = set("she her hers he him his they them theirs ze hir nee born geb geborene maiden ret retired deceased ex former formerly external extern contractor " +
	"consultant intern temp mr mrs ms left inactive he/him private home work mobile jr sr verified owner ceo cto cfo founder remote manager director me")

// jobWords follow a name after a comma or dash.
var jobWords = set("ceo cto cfo coo cmo cio cpo founder cofounder owner president vice vp svp evp chief head director manager managing lead leader senior junior " +
	"engineer developer designer consultant partner principal associate analyst advisor adviser specialist officer executive marketing sales operations " +
	"product project program account business recruiter recruiting hr it finance legal attorney lawyer accountant architect scientist researcher professor " +
	"geschaftsfuhrer leiter leiterin directeur directrice gerente gestor inhaber vorstand procurist prokurist chef responsable")

// particles begin a surname of several words: van der Berg, de la Cruz, bin Salman.
var particles = set("van von vom vander vanden vande der den de del della dello delle degli dei di da das do dos du des la las le les lo los " +
	"ter ten te tot zu zur zum zum af av el al bin binti binte bint ibn ben bar abu abou ould mac mc saint st sainte ste san santa d l o y e i und of y ap fitz im aus op het t s vd")

// conjunctions join two surnames: Ortega y Gasset, Silva e Souza.
var conjunctions = set("y e i")

// softParticles stay where they are at the end of a first-name cell, being given names as well.
var softParticles = set("ben bar st saint san santa o d l e i y t s te ten le la do da di lo al el mac abu im of den das los las les op mc und ou")

// lowerParticles count only when typed in lower case: Soo Im Lee, Kim Do Yeon, John E Smith.
var lowerParticles = set("im op te ten i e y o l d of ap bar tot t s und do ou of aus")

// compoundGiven maps the first half of double given names to their second halves; "*" is any word.
var compoundGiven = func() map[string]map[string]bool {
	iberian := set("carlos luis jose maria manuel antonio pablo isabel teresa angel angeles carmen jesus fernando miguel eduardo francisco alberto alejandro andres david " +
		"enrique felipe ignacio javier jorge ramon roberto sofia victoria cristina elena fernanda gabriela guadalupe jimena lucia laura mercedes paula pilar rosa rosario " +
		"paulo pedro henrique gabriel rafael augusto beatriz clara luiza luisa eduarda vitor guilherme raul")
	m := map[string]map[string]bool{
		"jean": set("pierre paul luc marc michel claude francois jacques philippe yves christophe baptiste louis charles marie noel sebastien bernard daniel denis rene robert " +
			"andre hugues guy loup pascal maurice gabriel philippe emmanuel eric francis georges henri jose julien victor"),
		"marie":  set("claire christine therese france laure helene louise anne pierre jose paule ange line eve odile noelle sophie dominique josephe charlotte"),
		"anne":   set("marie sophie laure claire lise france mette grethe catherine christine cecile gaelle charlotte"),
		"anna":   set("maria lena sofia karin lisa greta luisa marie sophie katharina carin"),
		"pierre": set("yves alain louis henri emmanuel jean marie antoine andre luc olivier"),
		"mary":   set("ann anne jo beth kate lou ellen jane lynn sue pat rose frances margaret"),
		"jan":    set("willem peter kees pieter hendrik erik ole olof henrik paul jaap dirk"),
		"hans":   set("peter jurgen joachim georg christian werner dieter ulrich martin petter henrik jorg jakob heinrich gunther"),
		"karl":   set("heinz ludwig friedrich heinrich johan erik otto josef martin gustav"),
		"klaus":  set("peter dieter jurgen"), "ernst": set("august otto ludwig"), "per": set("erik olof arne anders olav johan"),
		"lars": set("erik olof peter gunnar göran henrik"), "gian": set("luca carlo paolo franco marco piero luigi maria battista"), "pier": set("luigi paolo giorgio francesco carlo giuseppe"),
		"abdul": nil, "abd": nil, "abdel": nil, "abdal": nil, "abdur": nil, "nur": set("aini syahirah hidayah fatin"),
		"jo": set("ann anne"), "lee": set("ann anne"), "sarah": set("jane"), "emma": set("jane louise"),
	}
	for _, f := range strings.Fields("jose juan maria ana luis carlos miguel francisco pedro antonio joao rosa victor jesus manuel angel marco rafael") {
		m[f] = iberian
	}
	return m
}()

// isCompoundGiven reports whether two words make a double given name.
func isCompoundGiven(a, b string) bool {
	second, ok := compoundGiven[wordKey(a)]
	return ok && (second == nil || second[wordKey(b)])
}

// irishO are surnames that are typed with a space for the apostrophe: O Brien.
var irishO = set("brien neill connor connell reilly sullivan hara donnell keefe leary malley toole dowd shea grady hagan halloran flaherty rourke farrell byrne callaghan donoghue dwyer gorman hanlon mahony meara regan riordan")
