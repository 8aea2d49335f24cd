package finder

import (
	"slices"
	"strings"
	"sync"
)

// nicknameGroups are formal names, each with the familiar forms it is shortened to, the commonest
// first. A familiar form may belong to several formal names. Spelled as addresses spell them.
const nicknameGroups = `
abigail abby abbie gail|abraham abe bram|adam ad|adelaide addie|adrian ade|agatha aggie|agnes aggie nessie|alan al|albert al bert bertie|alexander alex al sandy xander lex sasha alec|alexandra alex sandra lexi sasha alexa
alexis alex lexi|alfred fred alf alfie freddie|alice ali allie|alison ali allie|allison ali allie|alistair al ali|amanda mandy|amelia amy millie mia|anastasia stacy ana nastya|andrea andi|andrew andy drew|angela angie ange|angelina angie lina
ann annie nan|anna annie anya|annabel bella|anne annie|anthony tony ant|antoinette toni nettie|antonia toni|archibald archie|arnold arnie|arthur art artie|ashley ash|augustus gus|barbara barb babs|barnaby barney|bartholomew bart
beatrice bea trixie|belinda bel linda|benedict ben|benjamin ben benny benji|bernadette bernie|bernard bernie|bertram bert|bethany beth|beverly bev|bradley brad|brandon bran|brenda bren|brendan bren|brian bri|bridget bridie|brittany britt
bronwyn bron|caleb cal|calvin cal|cameron cam|camilla cam millie|candace candy|carl charlie|carol carrie|caroline caro carrie carol lina|carolyn carol lyn|cassandra cass cassie sandra|catherine cathy kate cat katie cath|cecilia cece celia|cedric ced
charles charlie chuck chas|charlotte charlie lottie lotte|chelsea chels|chester chet|christian chris|christina chris tina chrissy christy|christine chris tina chrissy|christopher chris kit topher|clarence clare|claudia claude|clayton clay|clement clem|clifford cliff
clinton clint|colleen coll|constance connie|cordelia delia|cornelius neil|courtney court|craig crai|crystal cris|curtis curt|cynthia cindy|cyril cy|dale dal|daniel dan danny|danielle dani|darren daz|david dave davey davie|dawn dee|deborah deb debbie
deirdre dee|delores lola|denis den|dennis den denny|derek del|desmond des|diana di|diane di|dominic dom nick|donald don donny|dorothy dot dottie dolly|douglas doug|duncan dunc|dustin dusty|dwight ike|edgar ed eddie|edith edie|edmund ed eddie ted|eduard edi
edward ed eddie ted ned teddy|edwin ed eddie|eileen ei|elaine lainie|eleanor ellie nell nora|elijah eli|elinor ellie|eliza liz|elizabeth liz beth lizzie betty eliza betsy lisa libby ellie|ellen nell ellie|emanuel manny|emily em emmy|emma em|enrique rick|eric rick
ernest ernie|esther essie|eugene gene|evan ev|evelyn eve evie|ezekiel zeke|ezra ez|faith fay|felicity fliss flick|ferdinand ferdy|florence flo flossie|frances fran franny|francis frank fran|franklin frank|frederick fred freddie freddy|gabriel gabe|gabrielle gabby gaby
garrett gary|gareth gaz gary|gavin gav|geoffrey geoff jeff|george georgie|georgina georgie gina|gerald gerry jerry|gerard gerry|geraldine gerry|gertrude trudy gert|gilbert gil bert|giselle gigi|glenn glen|gloria glo|gordon gord|graham gra|gregory greg|gretchen greta
guinevere gwen|gwendolyn gwen|hannah han|harold harry hal|harriet hattie|harrison harry|harvey harv|heather heath|helen nell|helena lena|henrietta etta hettie|henry harry hank hal|herbert herb bert|herman herm|hilary hil|horace horry|howard howie|hubert bert hugh
hugo hugh|humphrey hum|ian iain|ignatius iggy|imogen immy|ingrid inga|irene renie|isaac ike zac|isabel izzy bella|isabella bella izzy isa|isabelle izzy belle|ivan van|jackson jack|jacob jake jakey|jacqueline jackie|jaime jim|james jim jimmy jamie|jamie jay|jane janie
janet jan|janice jan|jared jed|jason jay jase|jasmine jas|jasper jay|jean jeannie|jeffrey jeff|jeffery jeff|jemima jem|jennifer jen jenny jenn|jeremiah jerry|jeremy jem jez|jermaine jay|jerome jerry|jessica jess jessie|jill jilly|jillian jill|joan joanie|joanna jo|joanne jo
jocelyn joss|joel joe|johanna jo hanna|john johnny jack jon|jonathan jon jonny nathan|jordan jordy|joseph joe joey|josephine jo josie|joshua josh|joyce joy|judith judy jude|julia jules julie|julian jules|juliana jules|juliet jules|justin jus|katherine kate kathy katie kat kath kit
kathleen kathy kath|kathryn kate kathy katie kat|katrina kat trina|kayla kay|keith kei|kelly kel|kelvin kel|kendra ken|kenneth ken kenny|kevin kev|kimberly kim kimmy|kimberley kim|kirsten kirsty|kristen kris|kristin kris|kristina kris tina|kristopher kris|lancelot lance|laura laurie
lauren laurie|laurence larry laurie|lawrence larry lawrie|leah lee|leonard len lenny leo|leonardo leo|leopold leo|leroy roy|leslie les|lester les|letitia tish|lewis lew|liam lee|lillian lil lily|linda lin lindy|lindsay linds|lionel leo|lisa lis|lloyd loy|lois lo|lorraine lori|louis lou
louisa lou|louise lou lulu|lucas luke|lucille lucy|lucinda lucy cindy|luther lu|lydia lyd|lynette lyn|mackenzie mac|madeleine maddie|madeline maddie|magdalena lena magda|malcolm mal|marcella marcy|marcus marc|margaret maggie meg peggy marge margie greta|margarita rita|maria mia
marian mary|marilyn mary|marjorie marge|marshall marsh|martha marty|martin marty|martina tina|mary molly polly mamie|mathew matt|matilda tilly mattie|matthew matt matty|maureen mo|maurice mo|maximilian max|maxine max|maxwell max|melanie mel|melinda mel mindy|melissa mel missy lissa
melvin mel|mercedes mercy|meredith merry|michael mike mick mickey mikey|michaela mika|michelle shelly mich|mildred millie|millicent millie|miranda randy mandy|miriam mim|mitchell mitch|mohammad mo|mohammed mo|muhammad mo|mohamed mo|monica mon|montgomery monty|mordecai mort|morris mo|moses mo
nadine dee|nancy nan|naomi nomi|natalie nat nattie|natasha tasha nat|nathan nate nat|nathaniel nate nat nathan|neil neal|nicholas nick nicky nico|nicola nicky nic|nicole nicky nikki nic|nigel nige|norah nora|norman norm|octavia tavy|oliver ollie|olivia liv livvy|oscar ozzy|oswald oz
owen o|pamela pam|patricia pat patty trish tricia|patrick pat paddy|paul pauly|paula polly|pauline paula|penelope penny|percival percy|perry per|peter pete|philip phil pip|phillip phil|philippa pippa pip|phoebe bee|phyllis phyl|priscilla cilla|prudence prue|quentin quin|quincy quin
rachel rach|rachael rach|ralph ralphie|randall randy|randolph randy|raphael rafe raf|raymond ray|rebecca becky bec becca|reginald reg reggie|reuben rube|rex reg|rhiannon rhi|richard rick dick rich richie ricky|rita reta|robert rob bob bobby robbie bert|roberta bobbie|robin rob|roderick rod
rodney rod|roger rog|roland rolly|ronald ron ronnie|rosalind roz ros|rosamund ros|rose rosie|rosemary rosie rose|roxanne roxy|rudolph rudy|rupert ru|russell russ rusty|ruth ruthie|ryan ry|sabrina brina|salvatore sal|samantha sam sammy|samson sam|samuel sam sammy|sandra sandy|sarah sally sadie
saul solly|scott scotty|sean shaun|sebastian seb bas|selina lina|seymour sy|shannon shan|sharon shaz shari|sheila shay|shelley shell|sheldon shel|shirley shirl|sidney sid|sydney syd|siegfried sigi|simon si|solomon sol|sophia sophie|sophie soph|spencer spence|stanley stan|stella ella|stephanie steph steffi
stephen steve stevie|steven steve stevie|stewart stew stu|stuart stu|susan sue susie suzy|susanna sue susie|susannah sue|suzanne sue suzy|sylvester sly|sylvia syl|tabitha tabby|tamara tammy|tanya tan|taylor tay|terence terry|terrence terry|teresa terry tess|theodora thea dora|theodore ted theo teddy
theresa terry tess tessa|thomas tom tommy|tiffany tiff|timothy tim timmy|tobias toby|tracey trace|travis trav|trevor trev|tristan tris|tyler ty|ursula uschi|valentina val tina|valentine val|valerie val|vanessa ness nessa|vernon vern|veronica ronnie vera|victor vic|victoria vicky tori vic vicki|vincent vince vinny vin
viola vi|violet vi|virginia ginny|vivian viv|vivienne viv|walter walt wally|wanda wan|warren ren|wayne way|wendy wen|wesley wes|wilfred wilf|wilhelmina mina|willard will|william bill will billy willy liam|wilson will|winifred win freddie|winston win|woodrow woody|xavier xavi|yvonne von|zachary zach zack zac|zachariah zach|zoe zo
albrecht al|andreas andi andy|angelika geli|annegret gretel|annette nettie|antje anni|bernhard bernd|birgit biggi|brigitte gitte|christiane chris|christoph chris|cornelia conny|dietmar didi|dietrich dieter|dorothea dorle thea|eberhard ebbo|eduard edi|elisabeth lisa elli sissi|elise lise|felix fe|ferdinand ferdi|franziska franzi
friedrich fritz fred|gabriele gabi|georg schorsch|gerhard gerd|gertrud trude|gisela gisi|gottfried friedel|gregor greg|gudrun gudi|gunther gunni|hannelore hanne lore|hans hansi|hartmut hardy|heinrich heinz heiner|helmut helmi|hermann manni|hildegard hilde|ingeborg inge|irmgard irmi|jakob jack|joachim jochen achim|johann hans
johannes hannes jo hans|josef sepp jupp|jurgen jorg|karl kalle|karoline karo|katharina kathi kati kat|kathrin kati|klaus kalle|konrad conny|konstantin kosta|ludwig lutz|magdalena lena leni|manfred manni|margarete grete gretel|margit gitte|mathias matze|mathilde tilda|matthias matze matti|maximilian maxi|michael michi|nikolaus klaus niko
patrizia patty|philipp phil|rainer reini|reinhard reini|renate nati|roland rolli|rudolf rudi|sabine bine|siegfried siggi|sigrid siggi|silke silli|simone moni|stefan stef steff|stefanie steffi|susanne susi sanne|sybille billa|thomas tom|ulrich uli|ulrike uli rike|valentin vale|veronika vroni|walburga burgi|waltraud traudl|werner wern|wilhelm willi|wolfgang wolf wolfi
alexandre alex|antoine toine|benoit ben|bertrand bert|catherine cathy|christelle chris|christophe chris|clementine clem|corinne coco|dominique dom|emmanuel manu|emmanuelle manu|florent flo|francois franck|frederic fred|frederique fred|gabriel gabi|genevieve gene|guillaume guigui|isabelle isa|jacques jacky|joelle jo|laurent lolo|ludovic ludo
madeleine mado|marguerite margot|mathieu mat|maximilien max|melanie mel|nathalie nath|nicolas nico|patrice pat|philippe phil|pierre pierrot|sebastien seb|stephane steph|sylvain sylv|therese tess|valentin val|veronique vero|vincent vince|virginie ginie|xavier xav
alberto beto|alejandra ale|alejandro alex ale|alfonso poncho|ana anita|antonio tono toni|beatriz bea|carlos carlitos|carmen mamen|carolina caro|concepcion concha conchi|consuelo chelo|cristina cris|dolores lola|eduardo edu lalo|enrique quique kike|ernesto neto|esperanza espe|esteban teban|fabiola fabi|federico fede|felipe pipe|fernando fer nando
francisca paca|francisco paco pancho fran|gabriela gaby gabi|gerardo gera|gonzalo gonza|graciela chela|gregorio goyo|guadalupe lupe|guillermo memo guille|gustavo gus|hector tito|ignacio nacho|inmaculada inma|isabel isa chabela|javier javi|jesus chuy|joaquin ximo quim|jorge coque|jose pepe|josefa pepa|juan juanito|juana juani|leonardo leo
leticia leti|lorenzo loren|lourdes lulu|luis lucho|manuel manolo manu|manuela manoli|margarita marga rita|maria mari|marcelo chelo|mariano nano|mercedes merche|miguel mike|monica moni|montserrat montse|natalia nati|nicolas nico|patricia patri|patricio pato|pilar pili|rafael rafa|ramon moncho|ricardo ricky|roberto beto|rocio chio|rodrigo rodri
rosario charo|salvador salva|santiago santi|sebastian seba|sergio checo|soledad sole|teresa tere|tomas tommy|veronica vero|vicente chente|victoria vicky|yolanda yoli|alessandra ale sandra|alessandro ale sandro|andrea andre|antonella anto|antonio toni nino|bartolomeo meo|beatrice bea|carlo carletto|caterina cate rina|cristiano cri|domenico mimmo
eleonora nora|elisabetta betta|emanuele lele|enrico rico|federica fede|federico fede|filippo pippo|francesca fra franci|francesco franco checco|gabriele lele|gaetano tano|gianluca luca|giacomo mino|giovanni gianni nanni|giulia giuli|giuseppe beppe peppe pino|giuseppina pina|leonardo leo|lorenzo renzo|luigi gigi|maddalena lena|margherita rita|massimiliano max
massimo max|michele miki|nicola nico|pasquale lino|raffaele lello|roberta roby|roberto roby|salvatore toto turi|sebastiano seba|stefania stefi|stefano ste|tommaso tommy|umberto berto|valentina vale|vincenzo enzo|vittorio vito|joao joca|jose ze|manuel manel|fernanda nanda|guilherme gui|leonardo leo|luciana lu|mariana mari|rafaela rafa|thiago titi
adriana adri|adrianus ad|albertus bert|anneke an|antonius toon ton|arnoldus nol|bartholomeus bart|bernardus ben|catharina toos trien|christiaan chris|cornelis cor kees|elisabeth els lies|franciscus frans|frederik freek rik|gerardus gerard|geertruida truus|gijsbert gijs|hendrik henk rik|hendrika rika|hubertus huub|jacobus jaap koos|jacoba coby|johanna hanneke joke
johannes jan hans johan|josephus jos|lambertus bert|leonardus leo|marinus rinus|martinus tinus|matthijs thijs|nicolaas klaas nico|petronella nel|petrus piet peter|pieter piet|theodorus theo dorus|wilhelmina mien willemijn|wilhelmus wim willem|willem wim pim|anders ante|bengt benke|birgitta gittan|christer chris|elisabet lisa|fredrik fred|gunnar gurra|gustav gurra
henrik henke|ingemar inge|johan jonna|jonas jonte|karolina karro|kristian krille|kristina stina|lars lasse|magnus mange|margareta greta|mats matte|mikael micke|niklas nicke|nils nisse|olof olle|oskar oscar|per pelle|peter peppe|rickard ricke|stefan steffe|sven svenne|thomas tompa|tomas tompa|ulf uffe|viktor vicke
aleksander olek|aleksandra ola|andrzej jedrek|anna ania|barbara basia|bartlomiej bartek|bartosz bartek|dorota dorotka|elzbieta ela|ewa ewka|franciszek franek|grzegorz grzesiek|jakub kuba|jan janek|jerzy jurek|joanna asia|jozef jozek|kamil kamilek|katarzyna kasia|krzysztof krzysiek|lukasz luki|maciej maciek|magdalena magda|malgorzata gosia|marcin marcinek|maria marysia
mateusz mati|michal misiek|mikolaj miki|monika monia|pawel pawelek|piotr piotrek|przemyslaw przemek|rafal rafi|slawomir slawek|stanislaw staszek|tadeusz tadek|tomasz tomek|waldemar waldek|wojciech wojtek|zbigniew zbyszek|zofia zosia|frantisek franta|jaroslav jarda|jiri jirka|josef pepa|karel kaja|katerina katka|ladislav lada|lubomir lubos|martina marta|milan milda
miroslav mirek|ondrej ondra|pavel pavlik|petra petruska|stanislav standa|tomas tom|vaclav vasek|vladimir vlada|zdenek zdena|alzbeta betka|jan honza|erzsebet erzsi bozsi|ferenc feri|gabor gabi|gyorgy gyuri|istvan pista isti|jozsef jozsi|katalin kati|laszlo laci|lajos lali|mihaly misi|sandor sanyi|tamas tomi|zoltan zoli|zsuzsanna zsuzsa|gheorghe gigi|constantin costi
alexandru alex|cristian cristi|ecaterina catalina|elena lena|ion ionel|mihai misu|nicolae nicu|stefan fane|vasile vasilica|aleksandr sasha alex|aleksei alex|aleksey alex lesha|alexey alex alexei|anastasia nastya|anatoly tolya|anna anya|boris borya|daria dasha|dmitri dima mitya|dmitry dima mitya|ekaterina katya kate|elena lena|elizaveta liza|evgeny zhenya eugene|galina galya
georgy gosha|grigory grisha|ilya ilyusha|irina ira|ivan vanya|konstantin kostya|ksenia ksyusha|larisa lara|leonid lyonya|ludmila luda mila|lyudmila luda mila|maksim max|maria masha|maxim max|mikhail misha mike|nadezhda nadya|natalia natasha nata|natalya natasha|nikita nik|nikolai kolya nick|nikolay kolya nick|oksana ksana|oleksandr sasha alex|olga olya|pavel pasha
roman roma|sergei serge|sergey serge seryozha|sofia sonya|svetlana sveta lana|tatiana tanya|tatyana tanya|vadim vadik|valentin valya|vasily vasya|viktor vitya victor|viktoria vika|vladimir vova vlad|vladislav vlad|volodymyr vova|vyacheslav slava|yaroslav yarik|yevgeny zhenya|yulia julia|yuri yura|konstantinos kostas costas|dimitrios dimitris jimmy|georgios giorgos george|ioannis yannis john
nikolaos nikos nick|panagiotis panos takis|athanasios thanasis|vasileios vasilis bill|christos chris|theodoros thodoris|evangelos vangelis|eleni lena|aikaterini katerina|alexandros alex alekos|mehmet memo|mustafa musti|ibrahim ibo|huseyin huso|fatma fatos|ayse ayshe|abdullah abdul|abdulrahman abdul|yousef joe|ismail izzy|krishnan krish|krishna krish|lakshmi laxmi|rajesh raj|rajendra raj|rajiv raj
ramesh ram|ramachandran ram|subramanian subbu mani|venkatesh venky venkat|venkatesan venkat|srinivasan srini vasan|srinivas srini|sriram sri ram|suresh suri|vijay vij|sandeep sandy|siddharth sid|siddhartha sid|vikram vik|vivek viv|aditya adi|abhishek abhi|abhinav abhi|aniruddha ani|harish hari|karthik karthi|karthikeyan karthik|mahesh mahi|manish mani|pradeep deep|pratik prat|rohit ro
saurabh sau|shashank shash|swaminathan swami|anuradha anu|aparna aparna|priyanka priya|deepika deepa|kavitha kavi|jayanthi jaya|sudhakar sudha|raghavendra raghu|raghunath raghu|parthasarathy partha|natarajan nat raj|balasubramanian bala|balakrishnan bala|gopalakrishnan gopal|radhakrishnan radha|chandrasekhar chandra|chandrashekar chandra`

// familiar are the names that are familiar forms of others.
var familiar = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for group := range strings.FieldsFuncSeq(nicknameGroups, func(r rune) bool { return r == '|' || r == '\n' }) {
		for _, nick := range strings.Fields(group)[1:] {
			m[nick] = true
		}
	}
	return m
})

// nicknames returns, for a given name, the other names its bearers use: familiar forms of a formal
// name, formal names of a familiar one, the commonest first.
var nicknames = sync.OnceValue(func() map[string][]string {
	m := map[string][]string{}
	link := func(a, b string) {
		if a != b && !slices.Contains(m[a], b) {
			m[a] = append(m[a], b)
		}
	}
	for group := range strings.FieldsFuncSeq(nicknameGroups, func(r rune) bool { return r == '|' || r == '\n' }) {
		words := strings.Fields(group)
		for _, nick := range words[1:] {
			link(words[0], nick)
			link(nick, words[0])
		}
	}
	return m
})
