package web

import (
	"net/http"

	"beagle/app"
)

// catalogueItemJSON is a published list. Its sample is masked.
type catalogueItemJSON struct {
	ID          string     `json:"id"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Price       int64      `json:"price"` // credits; 0: free
	Rows        int64      `json:"rows"`
	Columns     []string   `json:"columns"`
	Sample      [][]string `json:"sample"`
	ListID      *string    `json:"list_id"` // the account's own copy
	PublishedAt *string    `json:"published_at"`
}

// catalogueGotJSON says whether a copy was made just now, and so paid for.
type catalogueGotJSON struct {
	Created bool `json:"created"`
}

func (s *Server) apiCatalogue(q *call) error {
	items, err := s.app.Catalogue(q.ctx(), q.actor.Account)
	if err != nil {
		return err
	}
	out := make([]catalogueItemJSON, len(items))
	for i, item := range items {
		out[i] = s.catalogueItemJSON(item)
	}
	total := int64(len(out))
	return s.sendJSON(q, http.StatusOK, out, pageMeta{Total: &total})
}

func (s *Server) catalogueItemJSON(item app.CatalogueItem) catalogueItemJSON {
	price := item.Price
	if !s.app.Config.Credits {
		price = 0
	}
	return catalogueItemJSON{ID: item.Ref, Title: item.Title, Description: item.Description, Price: price, Rows: item.Rows, Columns: item.Columns, Sample: item.Sample,
		ListID: orNull(item.Copied), PublishedAt: stamp(&item.PublishedAt)}
}

// apiCatalogueGet copies a published list: 201 when the copy is new, 200 when the account has it.
func (s *Server) apiCatalogueGet(q *call) error {
	l, made, err := s.app.GetFromCatalogue(q.ctx(), q.actor, q.param("item"))
	if err != nil {
		return err
	}
	status := http.StatusOK
	if made {
		status = http.StatusCreated
	}
	return s.sendList(q, status, l, catalogueGotJSON{made})
}
