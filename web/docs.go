package web

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// openAPI is the contract of the API, written by hand and held against the handlers by tests.
//
//go:embed openapi.yaml
var openAPI []byte

func (s *Server) openAPIShow(q *call) error {
	q.w.Header().Set("Cache-Control", "public, max-age=300")
	q.send(http.StatusOK, "application/yaml; charset=utf-8", openAPI)
	return nil
}

// docsPage is the data of docs.html: openapi.yaml as people read it.
type docsPage struct {
	Intro  string
	AsUser string // whose calls the forms make when no key is given; "" for strangers
	Groups []docsGroup
}

type docsGroup struct {
	Name  string
	Calls []docsCall
}

// docsCall is one call of the API.
type docsCall struct {
	ID, Method, Path     string
	Summary, Description string
	Params               []docsParam
	Body                 string // an example, JSON
	Answers              []docsAnswer
	Examples             []docsExample
}

type docsParam struct {
	Name, In, Description, Example string
	Kind                           string // of the value, in words
	Required                       bool
}

type docsAnswer struct{ Status, Meaning string }

type docsExample struct{ Language, Code string }

// spec is the part of an OpenAPI document that the page shows.
type spec struct {
	Info       struct{ Description string }
	Tags       []struct{ Name string }
	Paths      map[string]map[string]yaml.Node
	Components struct{ Parameters map[string]specParam }
}

type specParam struct {
	Ref                   string `yaml:"$ref"`
	Name, In, Description string
	Required              bool
	Example               any
	Schema                struct {
		Type    any
		Enum    []string
		Default any
	}
}

type specCall struct {
	OperationID          string `yaml:"operationId"`
	Tags                 []string
	Summary, Description string
	Parameters           []specParam
	RequestBody          struct {
		Content map[string]struct{ Example any }
	} `yaml:"requestBody"`
	Responses map[string]struct{ Description string }
}

// docsMethods are in the order in which the page shows them.
var docsMethods = []string{"get", "post", "patch", "delete"}

// readDocs makes the page's data from the contract. Examples are for base, the address of this installation.
func readDocs(source []byte, base string) (docsPage, error) {
	var doc spec
	if err := yaml.Unmarshal(source, &doc); err != nil {
		return docsPage{}, fmt.Errorf("reading openapi.yaml: %w", err)
	}
	page := docsPage{Intro: doc.Info.Description}
	for _, tag := range doc.Tags {
		page.Groups = append(page.Groups, docsGroup{Name: tag.Name})
	}
	paths := make([]string, 0, len(doc.Paths))
	for path := range doc.Paths {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		var shared []specParam
		if node, ok := doc.Paths[path]["parameters"]; ok {
			if err := node.Decode(&shared); err != nil {
				return docsPage{}, fmt.Errorf("reading the parameters of %s: %w", path, err)
			}
		}
		for _, method := range docsMethods {
			node, ok := doc.Paths[path][method]
			if !ok {
				continue
			}
			var c specCall
			if err := node.Decode(&c); err != nil {
				return docsPage{}, fmt.Errorf("reading %s %s: %w", method, path, err)
			}
			c.Parameters = append(shared, c.Parameters...)
			i := slices.IndexFunc(page.Groups, func(g docsGroup) bool { return len(c.Tags) > 0 && g.Name == c.Tags[0] })
			if i < 0 {
				return docsPage{}, fmt.Errorf("%s %s has no known tag", method, path)
			}
			shown, err := doc.shown(c, strings.ToUpper(method), path, base)
			if err != nil {
				return docsPage{}, err
			}
			page.Groups[i].Calls = append(page.Groups[i].Calls, shown)
		}
	}
	return page, nil
}

func (doc spec) shown(c specCall, method, path, base string) (docsCall, error) {
	out := docsCall{ID: c.OperationID, Method: method, Path: path, Summary: c.Summary, Description: c.Description}
	query := url.Values{}
	for _, p := range c.Parameters {
		if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
			p = doc.Components.Parameters[name]
		}
		shown := docsParam{Name: p.Name, In: p.In, Description: p.Description, Required: p.Required, Kind: strings.Join(p.Schema.Enum, " | ")}
		if shown.Kind == "" {
			shown.Kind = fmt.Sprint(p.Schema.Type)
		}
		if p.Schema.Default != nil {
			shown.Kind += fmt.Sprintf(", %v by default", p.Schema.Default)
		}
		if p.Example != nil {
			shown.Example = fmt.Sprint(p.Example)
			query.Set(p.Name, shown.Example)
		}
		out.Params = append(out.Params, shown)
	}
	if example := c.RequestBody.Content["application/json"].Example; example != nil {
		body, err := json.Marshal(example)
		if err != nil {
			return docsCall{}, fmt.Errorf("the example of %s: %w", c.OperationID, err)
		}
		out.Body = string(body)
	}
	for status, answer := range c.Responses {
		if answer.Description == "" {
			answer.Description = "An error, with its id and a sentence"
		}
		out.Answers = append(out.Answers, docsAnswer{status, answer.Description})
	}
	slices.SortFunc(out.Answers, func(x, y docsAnswer) int { return strings.Compare(x.Status, y.Status) })
	address := base + strings.NewReplacer("{list}", "LIST", "{record}", "RECORD", "{webhook}", "WEBHOOK", "{action}", "ACTION", "{item}", "ITEM").Replace(path)
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	out.Examples = examples(method, address, out.Body)
	return out, nil
}

func (s *Server) docsShow(q *call) error {
	page, err := readDocs(openAPI, s.baseURL(q.r))
	if err != nil {
		return err
	}
	page.AsUser = q.user.Email
	s.sendPage(q, http.StatusOK, "docs", page)
	return nil
}
