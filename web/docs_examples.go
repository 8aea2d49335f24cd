package web

import (
	"net/http"
	"strconv"
	"strings"
)

// Examples are whole programs that need nothing but the language, so that what is copied runs. The key comes from the environment
// ($KEY). A test runs each as the page shows it.
const (
	pythonExample = `import os, urllib.request

req = urllib.request.Request(ADDRESS, method=METHOD,
    headers={"Authorization": "Bearer " + os.environ["KEY"]BODY)
with urllib.request.urlopen(req) as res:
    print(res.status, res.read().decode())`

	scriptExample = `const res = await fetch(ADDRESS, {
  method: METHOD,
  headers: { Authorization: "Bearer " + process.env.KEYBODY,
});
console.log(res.status, await res.text());`

	goExample = `package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"IMPORT
)

func main() {
	req, err := http.NewRequest(METHOD, ADDRESS, BODY)
	if err != nil {
		log.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+os.Getenv("KEY"))KIND
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Status, string(answer))
}`

	rubyExample = `require "net/http"

uri = URI(ADDRESS)
req = Net::HTTP::VERB.new(uri, "Authorization" => "Bearer #{ENV.fetch("KEY")}")BODY
res = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == "https") { |http| http.request(req) }
puts res.code, res.body`
)

// examples are a call in five languages, ready to be copied.
func examples(method, address, body string) []docsExample {
	quoted := []string{"METHOD", strconv.Quote(method), "ADDRESS", strconv.Quote(address)}
	fill := func(text string, more ...string) string {
		return strings.NewReplacer(append(more, quoted...)...).Replace(text)
	}
	curl := `curl -H "Authorization: Bearer $KEY"`
	if method != http.MethodGet {
		curl += " -X " + method
	}
	python, script, golang, imports, kind, ruby := "}", " }", "nil", "", "", ""
	if body != "" {
		curl += " \\\n  -H \"Content-Type: application/json\" -d '" + body + "'"
		python = ",\n             \"Content-Type\": \"application/json\"},\n    data='" + body + "'.encode()"
		script = ", \"Content-Type\": \"application/json\" },\n  body: '" + body + "'"
		golang, imports = "strings.NewReader(`"+body+"`)", "\n\t\"strings\""
		kind = "\n\treq.Header.Set(\"Content-Type\", \"application/json\")"
		ruby = "\nreq.content_type = \"application/json\"\nreq.body = '" + body + "'"
	}
	return []docsExample{
		{"curl", curl + " \\\n  \"" + address + "\""},
		{"Python", fill(pythonExample, "BODY", python)},
		{"JavaScript", fill(scriptExample, "BODY", script)},
		{"Go", fill(goExample, "BODY", golang, "IMPORT", imports, "KIND", kind)},
		{"Ruby", fill(rubyExample, "BODY", ruby, "VERB", method[:1]+strings.ToLower(method[1:]))},
	}
}
