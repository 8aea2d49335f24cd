package web

import (
	"net/http"
	"strconv"

	"beagle/app"
)

// cataloguePage is the data of catalogue/index.html.
type cataloguePage struct {
	Items    []app.CatalogueItem
	Counted  bool // this installation counts credits
	Operator bool
	Own      []app.List // an operator's lists that can be published
	Form     app.PublishParams
	List     string // chosen in the form
	Error    string
}

func (s *Server) catalogueIndex(q *call) error {
	return s.showCatalogue(q, http.StatusOK, cataloguePage{List: q.query("list")})
}

func (s *Server) showCatalogue(q *call, status int, page cataloguePage) (err error) {
	page.Counted, page.Operator = s.app.Config.Credits, q.actor.Operator
	if page.Items, err = s.app.Catalogue(q.ctx(), q.actor.Account); err != nil {
		return err
	}
	if page.Operator {
		lists, _, _, err := s.app.Lists(q.ctx(), q.actor.Account, "", 0)
		if err != nil {
			return err
		}
		for _, l := range lists {
			if l.State == app.ListFinished && l.Imported <= app.MaxCatalogueRows {
				page.Own = append(page.Own, l)
			}
		}
	}
	s.sendPage(q, status, "catalogue/index", page)
	return nil
}

// itemPage is the data of catalogue/show.html.
type itemPage struct {
	app.CatalogueItem
	Counted  bool
	Credits  int64 // that the account has
	Operator bool
	Error    string
}

func (s *Server) catalogueShow(q *call) error { return s.showItem(q, http.StatusOK, "") }

func (s *Server) showItem(q *call, status int, problem string) error {
	item, err := s.app.CatalogueItem(q.ctx(), q.actor.Account, q.param("item"))
	if err != nil {
		return err
	}
	account, err := s.app.Account(q.ctx(), q.actor.Account)
	if err != nil {
		return err
	}
	s.sendPage(q, status, "catalogue/show", itemPage{CatalogueItem: item, Counted: s.app.Config.Credits, Credits: account.Credits, Operator: q.actor.Operator, Error: problem})
	return nil
}

// copiesCreate gets a list from the catalogue.
func (s *Server) copiesCreate(q *call) error {
	l, _, err := s.app.GetFromCatalogue(q.ctx(), q.actor, q.param("item"))
	if err == nil {
		return q.redirect("/lists/" + l.Ref)
	}
	refusal, status := refusalOf(err)
	if status != http.StatusPaymentRequired {
		return err
	}
	return s.showItem(q, status, refusal.Message)
}

func (s *Server) cataloguePublish(q *call) error {
	price, err := strconv.ParseInt(q.form("price"), 10, 64)
	if err != nil {
		price = -1
	}
	page := cataloguePage{List: q.form("list"), Form: app.PublishParams{Title: q.form("title"), Description: q.form("description"), Price: price}}
	item, err := s.app.Publish(q.ctx(), q.actor, page.List, page.Form)
	if err == nil {
		return q.redirect("/catalogue/" + item.Ref)
	}
	refusal, status := refusalOf(err)
	if status >= 500 || status == http.StatusNotFound {
		return err
	}
	page.Error = refusal.Message
	return s.showCatalogue(q, status, page)
}

func (s *Server) catalogueWithdraw(q *call) error {
	if err := s.app.Withdraw(q.ctx(), q.actor, q.param("item")); err != nil {
		return err
	}
	return q.redirect("/catalogue")
}
