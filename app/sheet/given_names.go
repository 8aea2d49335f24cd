package sheet

import (
	"strings"
	"sync"
)

// commonGivenNames are very common given names of many countries, without
// accents. They are evidence only where a file has no header: a few hits in a
// column of twenty cells are enough, so the list need not be long.
const commonGivenNames = `
james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony mark donald steven paul andrew joshua kenneth kevin brian george edward ronald timothy jason jeffrey ryan jacob gary nicholas eric jonathan stephen larry justin scott brandon benjamin samuel gregory alexander patrick frank raymond jack dennis jerry tyler aaron adam nathan henry peter kyle noah ethan jeremy christian walter keith austin roger terry sean gerald carl dylan harold jordan jesse bryan lawrence arthur gabriel bruce logan billy joe alan juan elijah willie albert wayne randy mason vincent liam roy bobby caleb bradley russell lucas oliver harry charlie oscar leo max ben tom tim jim bob bill mike dave steve chris matt nick alex sam dan ian simon stuart graham colin neil craig gordon duncan
mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty sandra margaret ashley kimberly emily donna michelle carol amanda melissa deborah stephanie rebecca laura sharon cynthia dorothy amy kathleen angela shirley emma brenda pamela nicole anna samantha katherine christine debra rachel carolyn janet maria olivia heather helen catherine diane julie victoria joyce lauren kelly christina joan judith alice andrea hannah jane ann anne claire charlotte grace sophie sophia lucy chloe ella amelia mia isabella ruby kate jo fiona louise alison gemma zoe holly
hans klaus wolfgang jurgen juergen dieter uwe bernd manfred gunter guenter gunther werner heinz helmut gerhard horst rainer stefan andreas markus matthias sebastian florian tobias philipp lukas jonas felix niklas jan lars sven torsten thorsten ralf rolf dirk jens olaf karl kurt fritz otto friedrich wilhelm johannes christoph martin maximilian moritz julian fabian dominik marcel rene jochen axel detlef ulrich volker holger
ursula monika petra sabine renate helga karin brigitte ingrid erika gisela claudia susanne gabriele heike birgit anja katrin kathrin martina silke tanja nadine sandra katharina lena leonie lea johanna franziska miriam heidi greta frieda ute anke
jean pierre michel philippe alain bernard jacques andre nicolas laurent olivier frederic sebastien julien antoine guillaume francois thierry pascal eric christophe gilles yves marc didier bruno stephane luc mathieu matthieu maxime hugo louis theo romain benoit fabrice cedric damien emmanuel xavier
marie nathalie isabelle sylvie catherine francoise martine christelle valerie sandrine celine aurelie camille manon emilie helene juliette elodie chantal brigitte monique jacqueline veronique delphine laetitia audrey mathilde pauline agathe margaux
jose antonio manuel francisco luis carlos javier jesus miguel angel alejandro rafael pedro pablo sergio fernando jorge alberto diego ramon enrique andres ignacio adrian raul alvaro mario victor ivan roberto santiago gonzalo
carmen ana isabel dolores pilar teresa rosa cristina lucia marta paula elena raquel beatriz silvia patricia rocio sofia alba ines mercedes montserrat
giuseppe giovanni luigi marco andrea francesco mario luca angelo vincenzo pietro salvatore franco paolo stefano matteo alessandro davide simone lorenzo riccardo federico claudio massimo fabio giorgio
giulia francesca chiara federica giovanna lucia rosa angela paola alessandra valentina elisa ilaria martina roberta serena
joao jose paulo rui nuno tiago ricardo bruno hugo andre luiz felipe gustavo marcelo eduardo rodrigo thiago leonardo guilherme vitor fabio caio
ana maria beatriz mariana catarina joana rita sara juliana fernanda camila larissa leticia gabriela renata patricia adriana
johan willem kees henk piet bram daan sem thijs ruben maarten jeroen bas wouter pieter joost sander koen dirk gerrit arjan
anneke marieke sanne lotte femke fleur esther ingeborg saskia wilma mieke els hanneke
piotr krzysztof andrzej tomasz pawel jan michal marcin stanislaw jerzy adam grzegorz lukasz zbigniew ryszard jozef marek rafal jakub kamil mateusz wojciech maciej bartosz
anna katarzyna malgorzata agnieszka barbara ewa krystyna elzbieta magdalena joanna monika zofia aleksandra karolina natalia dorota beata iwona
lars erik karl anders johan per nils mikael hans jan peter fredrik magnus bjorn henrik mats oskar gustav axel emil viktor linus
anna eva maria karin kristina lena sara ingrid linnea birgitta annika elin astrid freja ida maja
jens soren niels morten rasmus mads kasper jesper anders kristian mette hanne kirsten lene pia camilla ole knut olav sigrid ingvild
matti juhani mikko jukka antti timo kari jari pekka ville sanna tiina paivi hanna kaisa
jiri petr jan tomas josef pavel martin jaroslav milan zdenek vaclav jana eva hana lenka katerina lucie veronika
laszlo istvan jozsef zoltan gabor sandor ferenc attila peter tamas katalin eva ilona zsuzsanna
mehmet mustafa ahmet ali huseyin hasan ibrahim ismail osman murat emre can burak fatma ayse emine hatice zeynep elif merve selin ozlem
ivan dmitri dmitry sergei sergey andrei andrey alexei alexey vladimir nikolai mikhail igor oleg pavel yuri natalia olga elena irina tatiana svetlana anastasia ekaterina
иван дмитрии сергеи андреи алексеи владимир николаи михаил игорь олег павел юрии александр евгении наталья ольга елена ирина татьяна светлана анастасия екатерина мария анна
hiroshi kenji takashi yuki haruto sota taro kenta yuko keiko akiko naoko sakura mohammed muhammad mohamed ahmed omar hassan fatima aisha raj rahul amit sanjay vijay priya anita sunita wei li ming jing fang
`

// givenNames is the set of commonGivenNames.
var givenNames = sync.OnceValue(func() map[string]bool { return wordSet(strings.ToLower(commonGivenNames)) })
