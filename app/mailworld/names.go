package mailworld

import "strings"

// culture is a stock of common given and family names from which people are put together. Romanised as their bearers
// write them in Western companies.
type culture struct {
	id       string
	given    []string
	family   []string
	cities   []string
	twoNames int // per cent that bear two family names, joined by joint
	joint    string
	middle   int  // per cent with a middle initial
	gendered bool // given and family names stand in pairs, his and hers
}

// cultures is read only.
var cultures = []culture{
	{
		id: "english", twoNames: 5, joint: "-", middle: 12,
		given:  names("James|Oliver|Emma|Charlotte|William|Hugo|Amelia|Lucy|Thomas|Henry|Grace|Sophie|Daniel|Edward|Alice|Hannah|Matthew|Samuel|Rebecca|Laura|Benjamin|Joseph|Megan|Rachel|Andrew|Peter|Claire|Helen|Christopher|Nathan|Abigail|Victoria|Simon|Philip|Joanna|Natalie|Timothy|Graham|Imogen|Zoe"),
		family: names("Harper|Whitfield|Clarke|Hughes|Bennett|Fletcher|Marsh|Turner|Ellis|Barker|Hollis|Thornton|Pearce|Sutton|Lowe|Ashworth|Bradley|Dawson|Fenwick|Gibson|Hartley|Ingram|Jennings|Kirby|Lambert|Mercer|Norris|Osborne|Palmer|Radcliffe|Saunders|Tate|Underwood|Vickers|Walsh|Yates|Holloway|Cartwright|Brooks|Chambers"),
		cities: names("Leeds|Bristol|Manchester|Boston|Denver|Toronto"),
	},
	{
		id: "irish", middle: 5,
		given:  names("Aoife|Ciarán|Niamh|Seán|Siobhán|Conor|Róisín|Declan|Orla|Eoin|Maeve|Fionn|Gráinne|Brendan|Sinéad|Cormac|Aisling|Padraig|Deirdre|Killian|Eimear|Ronan|Shane|Bríd"),
		family: names("O'Brien|O'Connor|O'Sullivan|O'Neill|McCarthy|O'Doherty|Gallagher|Kavanagh|O'Leary|McGrath|O'Keeffe|Fitzgerald|Brennan|O'Shea|Nolan|McKenna|O'Rourke|Quinn|O'Dwyer|Byrne|O'Donnell|Hennessy|O'Malley|Lynch"),
		cities: names("Dublin|Cork|Galway|Limerick"),
	},
	{
		id: "german", twoNames: 5, joint: "-", middle: 3,
		given:  names("Jürgen|Sabine|Thomas|Andrea|Stefan|Petra|Michael|Claudia|Björn|Katrin|Matthias|Ulrike|Jörg|Heike|Günter|Silke|Florian|Anja|Sebastian|Nicole|Rüdiger|Birgit|Markus|Susanne|Hans-Peter|Anna-Lena|Karl-Heinz|Eva-Maria|Torsten|Käthe|Dirk|Monika|Lukas|Johanna|Niklas|Franziska|Götz|Annegret"),
		family: names("Müller|Schäfer|Weber|Köhler|Hofmann|Krüger|Schröder|Neumann|Zimmermann|Böhm|Lehmann|Kühn|Jäger|Groß|Vogel|Weiß|Fuchs|Lang|Scholz|Möller|Hahn|Schubert|Vogt|Friedrich|Günther|Frank|Berger|Winkler|Roth|Lorenz|Baumann|Franke|Albrecht|Schuster|Strauß|Böttcher|von Hagen|Krämer|Ziegler|Wölfel"),
		cities: names("Stuttgart|Köln|München|Hamburg|Leipzig|Zürich"),
	},
	{
		id: "french", twoNames: 5, joint: "-", middle: 1,
		given:  names("Jean-Pierre|Céline|François|Hélène|Antoine|Aurélie|Nicolas|Élodie|Guillaume|Chloé|Benoît|Amélie|Jérôme|Sylvie|Mathieu|Camille|Anne-Marie|Rémi|Noémie|Stéphane|Valérie|Olivier|Isabelle|Thierry|Delphine|Jean-Luc|Marie-Claire|Gaël|Maëlle|Étienne|Véronique|Laurent|Sébastien|Juliette|Pascal|Margaux"),
		family: names("Lefèvre|Dubois|Moreau|Girard|Mercier|Fournier|Chevalier|Gauthier|Perrin|Rousselet|Lemaître|Béranger|Noël|Guérin|Boucher|Le Goff|Marchand|Renaud|Barbier|Arnoux|Vasseur|Charpentier|de Villiers|Delacroix|Poirier|Benoît|Lacroix|Besson|Hamelin|Le Roux|Tessier|Pichon|Maréchal|Brunet|Collin|Carpentier"),
		cities: names("Lyon|Nantes|Lille|Toulouse|Genève|Bruxelles"),
	},
	{
		id: "spanish", twoNames: 75, joint: " ",
		given:  names("María|José|Carmen|Antonio|Lucía|Javier|Elena|Miguel|Paula|Andrés|Sofía|Álvaro|Marta|Íñigo|Beatriz|Raúl|Cristina|Sergio|Rocío|Joaquín|María José|José Luis|Inés|Tomás|Belén|Gonzalo|Noelia|Adrián|Verónica|Óscar|Silvia|Rubén|Alicia|Víctor"),
		family: names("García|López|Martínez|Gómez|Hernández|Jiménez|Muñoz|Ibáñez|Navarro|Domínguez|Vázquez|Serrano|Blanco|Suárez|Castro|Ortega|Rubio|Marín|Sanz|Núñez|Iglesias|Medina|Garrido|Cortés|Castillo|Santana|Lozano|Guerrero|Cano|Prieto|Méndez|Cruz|Gallego|Vidal|León|Peña"),
		cities: names("Valencia|Sevilla|Bilbao|Zaragoza|Bogotá|Monterrey"),
	},
	{
		id:     "italian",
		given:  names("Giulia|Marco|Francesca|Alessandro|Chiara|Lorenzo|Martina|Matteo|Federica|Davide|Elisa|Riccardo|Valentina|Simone|Niccolò|Ilaria|Giovanni|Paola|Stefano|Beatrice|Filippo|Silvia|Emanuele|Giorgia|Tommaso|Caterina|Pietro|Roberta|Edoardo|Serena"),
		family: names("Rossetti|Bianchi|Ferrari|Esposito|Colombo|Ricci|Marino|Greco|Bruno|Gallo|De Luca|Costantini|Giordano|Mancini|Rizzo|Lombardi|Moretti|Barbieri|Fontana|Santoro|Mariani|Rinaldi|Caruso|Ferrara|Galli|Martinelli|Della Rocca|D'Angelo|Leonardi|Di Stefano|Cattaneo|Pellegrini"),
		cities: names("Bologna|Torino|Verona|Bari|Lugano"),
	},
	{
		id: "portuguese", twoNames: 55, joint: " ",
		given:  names("João|Ana|Tiago|Beatriz|Rui|Inês|Gonçalo|Catarina|Luís|Mariana|Duarte|Sofia|Nuno|Joana|Vítor|Helena|Thiago|Larissa|Rodrigo|Camila|André|Letícia|Felipe|Patrícia|Márcio|Renata|Fábio|Débora|Simão|Conceição"),
		family: names("Silva|Santos|Ferreira|Pereira|Oliveira|Costa|Rodrigues|Carvalho|Almeida|Gonçalves|Teixeira|Moreira|Lopes|Araújo|Barbosa|Ribeiro|Cardoso|Nogueira|Magalhães|Brandão|Simões|Guimarães|Pinheiro|Vieira|Monteiro|Fonseca|Tavares|Queirós|Leitão|Braga"),
		cities: names("Porto|Braga|Lisboa|Curitiba|Recife"),
	},
	{
		id: "dutch", middle: 2,
		given:  names("Daan|Sanne|Bram|Lotte|Jeroen|Femke|Pieter|Anouk|Willem|Marieke|Joost|Esther|Ruben|Ilse|Maarten|Saskia|Thijs|Fleur|Gijs|Roos|Koen|Nienke|Sjoerd|Mirjam|Wouter|Hanneke|Jasper|Annelies|Bas|Tessa"),
		family: names("van den Berg|de Vries|van Dijk|Bakker|Jansen|Visser|de Boer|Mulder|van der Meer|Bos|Vos|Peters|Hendriks|van Leeuwen|Dekker|Brouwer|de Wit|Dijkstra|Smits|van der Linden|Kuipers|van Vliet|Verhoeven|de Graaf|ter Horst|Schouten|Willems|van Beek|Hoekstra|Postma|Koster|Prins"),
		cities: names("Utrecht|Eindhoven|Rotterdam|Groningen|Antwerpen"),
	},
	{
		id: "nordic", middle: 2,
		given:  names("Søren|Åsa|Lars|Ingrid|Mikael|Freja|Jørgen|Linnéa|Anders|Kirsten|Håkon|Sigrid|Björn|Annika|Magnus|Solveig|Øystein|Karin|Henrik|Malin|Kåre|Gunnhild|Jens|Maja|Erik|Astrid|Rasmus|Märta|Pål|Elin|Mette|Tuomas|Aino|Juhani"),
		family: names("Sørensen|Åström|Lindqvist|Jørgensen|Bergström|Nygaard|Öberg|Sjöberg|Hansen|Dahl|Ødegård|Holm|Lund|Nilsson|Kjær|Bråten|Eklund|Grønlund|Håkansson|Solberg|Virtanen|Mäkelä|Korhonen|Lindgren|Strand|Vestergaard|Wikström|Haugen|Bjørnstad|Fält|Kristiansen|Nyström"),
		cities: names("Oslo|Göteborg|Aarhus|Helsinki|Malmö"),
	},
	{
		id: "polish", gendered: true,
		given:  names("Łukasz|Agnieszka|Paweł|Małgorzata|Krzysztof|Katarzyna|Michał|Joanna|Rafał|Ewa|Grzegorz|Zofia|Wojciech|Barbara|Jakub|Izabela|Bartosz|Elżbieta|Stanisław|Dorota|Szymon|Beata|Mariusz|Kinga|Radosław|Renata"),
		family: names("Kowalczyk|Kowalczyk|Wiśniewski|Wiśniewska|Wójcik|Wójcik|Zieliński|Zielińska|Szymański|Szymańska|Dąbrowski|Dąbrowska|Kozłowski|Kozłowska|Mazur|Mazur|Krawczyk|Krawczyk|Piotrowski|Piotrowska|Grabowski|Grabowska|Pawłowski|Pawłowska|Król|Król|Jabłoński|Jabłońska|Wróbel|Wróbel|Olszewski|Olszewska|Stępień|Stępień|Sikora|Sikora"),
		cities: names("Kraków|Wrocław|Poznań|Gdańsk"),
	},
	{
		id: "czech", gendered: true,
		given:  names("Jiří|Lenka|Tomáš|Kateřina|Petr|Jana|Ondřej|Věra|Zdeněk|Markéta|Vojtěch|Alžběta|Václav|Zuzana|Matěj|Tereza|Lukáš|Michaela|Stanislav|Hana|Radek|Eliška|Marek|Ľubica"),
		family: names("Novák|Nováková|Svoboda|Svobodová|Dvořák|Dvořáková|Černý|Černá|Procházka|Procházková|Kučera|Kučerová|Veselý|Veselá|Horák|Horáková|Pokorný|Pokorná|Pospíšil|Pospíšilová|Jelínek|Jelínková|Růžička|Růžičková|Sedláček|Sedláčková|Doležal|Doležalová|Kolář|Kolářová|Vaněk|Vaňková"),
		cities: names("Brno|Praha|Bratislava|Ostrava"),
	},
	{
		id:     "turkish",
		given:  names("Mehmet|Ayşe|Mustafa|Fatma|Emre|Zeynep|Çağlar|Elif|Oğuz|Gülşen|Burak|Özlem|Işık|Selin|Kerem|Şebnem|Tolga|Derya|Barış|Ebru|Yiğit|Tuğba|Cem|İpek|Ömer|Sevgi"),
		family: names("Yılmaz|Kaya|Demir|Şahin|Çelik|Yıldız|Öztürk|Aydın|Özdemir|Arslan|Doğan|Kılıç|Aslan|Çetin|Koç|Kurt|Özkan|Şimşek|Polat|Korkmaz|Çakır|Erdoğdu|Aksoy|Güneş|Bulut|Taş"),
		cities: names("İstanbul|İzmir|Bursa|Ankara"),
	},
	{
		id: "greek", gendered: true,
		given:  names("Giorgos|Eleni|Dimitris|Katerina|Nikos|Vasiliki|Kostas|Despina|Panagiotis|Ioanna|Yannis|Sofia|Christos|Anastasia|Stavros|Georgia|Thanasis|Maria|Spyros|Evangelia|Alexandros|Chrysa"),
		family: names("Papadakis|Papadaki|Nikolaidis|Nikolaidou|Georgiou|Georgiou|Vlachos|Vlachou|Karagiannis|Karagianni|Oikonomou|Oikonomou|Makris|Makri|Antoniou|Antoniou|Panagopoulos|Panagopoulou|Ioannidis|Ioannidou|Kyriakou|Kyriakou|Stathopoulos|Stathopoulou|Lazaridis|Lazaridou|Angelopoulos|Angelopoulou|Kontos|Kontou|Zervas|Zerva"),
		cities: names("Athens|Thessaloniki|Patras|Nicosia"),
	},
	{
		id: "slavic", gendered: true,
		given:  names("Dmitri|Olga|Sergei|Natalia|Alexei|Ekaterina|Mikhail|Tatiana|Ivan|Svetlana|Nikolai|Irina|Pavel|Oksana|Andrei|Ludmila|Oleksandr|Yulia|Bohdan|Daria|Viktor|Galina|Taras|Elena|Maxim|Ksenia"),
		family: names("Zhukov|Zhukova|Morozov|Morozova|Sokolov|Sokolova|Lebedev|Lebedeva|Kozlov|Kozlova|Kovalenko|Kovalenko|Shevchuk|Shevchuk|Bondarenko|Bondarenko|Volkov|Volkova|Orlov|Orlova|Belov|Belova|Melnyk|Melnyk|Savchenko|Savchenko|Egorov|Egorova|Nikitin|Nikitina|Fedorov|Fedorova|Zaitsev|Zaitseva|Gusev|Guseva"),
		cities: names("Riga|Kyiv|Tallinn|Sofia"),
	},
	{
		id:     "chinese",
		given:  names("Xiaoming|Wei|Jing|Yifan|Haoran|Meiling|Zihan|Lihua|Jianguo|Yuting|Chenxi|Minghao|Xinyi|Guoqiang|Ruoxi|Zhihao|Yan|Qiang|Huifang|Bowen|Shuying|Tianyu|Lei|Peng|Ying|Junjie"),
		family: names("Wang|Li|Zhang|Liu|Chen|Yang|Huang|Zhao|Wu|Zhou|Xu|Sun|Ma|Zhu|Hu|Guo|Lin|He|Gao|Luo|Zheng|Liang|Xie|Tang|Deng|Feng|Cao|Peng|Zeng|Xiao|Tian|Dong|Pan|Yuan"),
		cities: names("Shanghai|Shenzhen|Singapore|Hong Kong"),
	},
	{
		id:     "japanese",
		given:  names("Haruto|Yui|Takashi|Sakura|Kenji|Naoko|Hiroshi|Aiko|Daisuke|Misaki|Shinji|Emiko|Kazuya|Ayumi|Ryota|Mariko|Satoshi|Tomoko|Yuki|Kaori|Makoto|Rina|Koji|Asuka"),
		family: names("Tanaka|Suzuki|Watanabe|Yamamoto|Nakamura|Kobayashi|Kato|Yoshida|Yamada|Sasaki|Matsumoto|Inoue|Kimura|Hayashi|Shimizu|Yamazaki|Mori|Ikeda|Hashimoto|Ogawa|Ishikawa|Maeda|Fujita|Okada|Goto|Hasegawa"),
		cities: names("Osaka|Tokyo|Nagoya|Fukuoka"),
	},
	{
		id:     "korean",
		given:  names("Minjun|Seoyeon|Jiho|Hyejin|Sungmin|Eunji|Donghyun|Jiwoo|Taeyang|Soojin|Hyunwoo|Yuna|Jaehyun|Minseo|Kyungsoo|Haeun|Sangwoo|Bora|Youngho|Nari|Junseok|Dahye"),
		family: names("Kim|Lee|Park|Choi|Jung|Kang|Cho|Yoon|Jang|Lim|Han|Oh|Seo|Shin|Kwon|Hwang|Ahn|Song|Ryu|Hong|Jeon|Moon"),
		cities: names("Seoul|Busan|Incheon"),
	},
	{
		id: "indian", middle: 2,
		given:  names("Aarav|Priya|Rohan|Ananya|Vikram|Deepika|Arjun|Kavita|Sanjay|Meera|Rahul|Nisha|Karthik|Lakshmi|Amit|Pooja|Suresh|Divya|Nikhil|Shreya|Rajesh|Sunita|Aditya|Neha|Harish|Radhika|Manish|Swati"),
		family: names("Sharma|Patel|Iyer|Reddy|Gupta|Nair|Mehta|Verma|Rao|Joshi|Desai|Kulkarni|Menon|Chatterjee|Banerjee|Agarwal|Pillai|Bhat|Malhotra|Chauhan|Saxena|Srinivasan|Ghosh|Mishra|Kapoor|Naidu|Trivedi|Bose"),
		cities: names("Pune|Bengaluru|Chennai|Hyderabad"),
	},
	{
		id:     "arabic",
		given:  names("Omar|Layla|Yusuf|Fatima|Khalid|Noor|Hassan|Amira|Tariq|Salma|Karim|Rania|Ahmad|Huda|Samir|Yasmin|Bilal|Mona|Rashid|Dalia|Ziad|Lina|Faisal|Nadia"),
		family: names("Haddad|al-Masri|Khoury|Mansour|El Amrani|Nasser|al-Farsi|Saleh|Hamdan|Aziz|Rahman|Darwish|Bakri|El Idrissi|Qasim|Sabbagh|Najjar|Shaheen|al-Hashimi|Fares|Zidan|Tahan|Barakat|Hariri"),
		cities: names("Dubai|Amman|Casablanca|Cairo"),
	},
}

func names(list string) []string { return strings.Split(list, "|") }

// titles are the job titles of the sample files. Read only.
var titles = names("Chief Executive Officer|Managing Director|Head of Sales|Sales Manager|Account Executive|Marketing Manager|" +
	"Head of Marketing|Software Engineer|Senior Engineer|Product Manager|Operations Manager|Finance Director|Controller|" +
	"HR Business Partner|Recruiter|Purchasing Manager|Key Account Manager|IT Manager|Data Analyst|Designer|Founder|" +
	"Project Manager|Customer Success Manager|Legal Counsel|Office Manager|Quality Manager|Logistics Coordinator|Consultant")

func cultureOf(id string) *culture {
	for i := range cultures {
		if cultures[i].id == id {
			return &cultures[i]
		}
	}
	return &cultures[0]
}
