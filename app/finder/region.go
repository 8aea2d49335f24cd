package finder

import "strings"

// regionOf is the row of the priors that a domain's ending belongs to (the study's grouping).
func regionOf(domain string) string {
	labels := strings.Split(domain, ".")
	tld := labels[len(labels)-1]
	if r, ok := regionByTLD[tld]; ok {
		return r
	}
	return "other"
}

var regionByTLD = func() map[string]string {
	m := map[string]string{}
	for region, tlds := range map[string]string{
		"com": "com biz tech dev app cloud xyz", "org": "org", "net": "net info", "de": "de", "at/ch/li": "at ch li", "io/ai/co/tech/dev": "io ai co so sh gg vc",
		"uk": "uk ie scot wales", "nordic": "se no dk fi is", "nl": "nl", "fr": "fr lu mc", "be": "be", "au/nz": "au nz", "ca": "ca", "it": "it sm", "eu": "eu", "br": "br pt",
		"es": "es mx ar cl pe uy ve cat ec bo py cr gt pa do", "pl": "pl", "ru/ua/by": "ru ua by kz su", "jp": "jp", "cn/hk": "cn hk tw sg",
		"cz/sk/hu/ro/other CEE": "cz sk hu ro bg hr si rs ba mk me lt lv ee al md gr", "gov/mil": "gov mil",
	} {
		for t := range strings.FieldsSeq(tlds) {
			m[t] = region
		}
	}
	return m
}()
