package finder

import (
	"context"
	"errors"
	"testing"

	"beagle/app/probe"

	"github.com/stretchr/testify/require"
)

// owner is a server whose memory knows companies as well.
type owner struct {
	server
	companies map[string][]CompanyDomain
	likely    []string
	err       error
}

func (o *owner) CompanyDomains(_ context.Context, company string, likely []string) ([]CompanyDomain, error) {
	o.likely = likely
	return o.companies[company], o.err
}

func (o *owner) ask(company string) Result {
	o.answers["john.smith"] = yes
	return New(o, o, Options{}).Find(context.Background(), Person{First: "John", Last: "Smith", Company: company, Alone: true})
}

func newOwner(companies map[string][]CompanyDomain) *owner {
	o := &owner{companies: companies}
	o.answers = map[string]probe.Answer{}
	return o
}

func TestCompaniesAreComparedWithoutCaseAccentsSignsAndLegalForm(t *testing.T) {
	for _, same := range [][]string{
		{"Acme Widgets GmbH", "ACME WIDGETS", "acme-widgets, Inc.", "Acmé Widgets S.A.", "Acme Widgets Holding Ltd.", "  Acme   Widgets  "},
		{"Smith & Sons", "Smith and Sons LLP", "SMITH & SONS PLC"},
		{"Яндекс LLC", "ЯНДЕКС"},
	} {
		for _, company := range same {
			require.Equal(t, CompanyKey(same[0]), CompanyKey(company), company)
		}
		require.NotEmpty(t, CompanyKey(same[0]))
	}
	require.NotEqual(t, CompanyKey("Acme Widgets"), CompanyKey("Acme"))
	require.NotEqual(t, CompanyKey("Яндекс LLC"), CompanyKey("Рамблер LLC"))
	require.Equal(t, "inc", CompanyKey("Inc."), "a name is not taken for a legal form")
	for _, nothing := range []string{"", "...", string(make([]byte, maxCellBytes+1))} {
		require.Empty(t, CompanyKey(nothing))
	}
}

func TestADomainFromTheAskersOwnRowsIsTakenBeforeAnyGuess(t *testing.T) {
	o := newOwner(map[string][]CompanyDomain{"acmewidgets": {{Domain: "widgets.example", Rows: 3}, {Domain: "old.example", Rows: 1}}})
	r := o.ask("Acme Widgets GmbH")
	require.Equal(t, []string{StatusValid, "john.smith@widgets.example", sourceLists}, []string{r.Status, r.Email, r.Evidence.DomainSource})
	last := r.Evidence.Score[len(r.Evidence.Score)-1]
	require.InDelta(t, trustOwnRows*3/4, last.Factor, 0.001, "two domains divide the trust")
	require.Contains(t, last.Why, "3 of 4 rows")
	require.Equal(t, 1, o.lookups, "nothing was guessed")
	require.Less(t, r.Score, 75)

	alone := newOwner(map[string][]CompanyDomain{"acmewidgets": {{Domain: "widgets.example", Rows: 1}}}).ask("Acme Widgets")
	require.InDelta(t, trustOwnRow, alone.Evidence.Score[len(alone.Evidence.Score)-1].Factor, 0.001)
	require.Greater(t, alone.Score, r.Score)
}

func TestADomainWhereTheAskerKnowsPeopleIsTakenBeforeAnyGuess(t *testing.T) {
	o := newOwner(map[string][]CompanyDomain{"acmewidgets": {{Domain: "acme-widgets.co.uk", Addresses: 2}}})
	r := o.ask("Acme Widgets GmbH")
	require.Equal(t, []string{StatusValid, "john.smith@acme-widgets.co.uk", sourceAddresses}, []string{r.Status, r.Email, r.Evidence.DomainSource})
	require.InDelta(t, trustOwnAddresses, r.Evidence.Score[len(r.Evidence.Score)-1].Factor, 0.001)
	require.Equal(t, "acmewidgets.de", o.likely[0])
	require.Contains(t, o.likely, "acme-widgets.co.uk")
	require.LessOrEqual(t, len(o.likely), 2*(len(usualEndings)+4))
}

func TestACompanyThatTheAskerDoesNotKnowIsGuessed(t *testing.T) {
	r := newOwner(nil).ask("Acme Widgets")
	require.Equal(t, []string{StatusValid, "john.smith@acmewidgets.com", sourceCompany}, []string{r.Status, r.Email, r.Evidence.DomainSource})
	broken := newOwner(map[string][]CompanyDomain{"acmewidgets": {{Domain: "widgets.example", Rows: 3}}})
	broken.err = errors.New("away")
	require.Equal(t, sourceCompany, broken.ask("Acme Widgets").Evidence.DomainSource)
}
