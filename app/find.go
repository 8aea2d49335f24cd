package app

import (
	"context"
	"strings"
	"time"

	"beagle/app/finder"
)

// maxField bounds what one field of a question may hold.
const maxField = 500

// FindParams is one person to be found.
type FindParams struct {
	First, Last, Full string
	Domain, Company   string
}

// FindOne finds one person at once. A valid answer costs one credit when credits are counted; the same question within
// REUSE_ANSWERS_DAYS gets the same answer, free.
func (a *App) FindOne(ctx context.Context, as Actor, p FindParams) (finder.Result, error) {
	person, err := p.person()
	if err != nil {
		return finder.Result{}, err
	}
	return a.one(ctx, as, ProcessFind, person)
}

// FindWithin finds one person, and waits no longer than wait for the answer: pending tells that it goes on as a job, and that
// asking again will bring the answer. When ctx ends, the work ends.
func (a *App) FindWithin(ctx context.Context, as Actor, p FindParams, wait time.Duration) (r finder.Result, pending bool, err error) {
	person, err := p.person()
	if err != nil {
		return finder.Result{}, false, err
	}
	return a.within(ctx, as, ProcessFind, person, wait)
}

func (p FindParams) person() (finder.Person, error) {
	person := finder.Person{First: p.First, Last: p.Last, Full: p.Full, Domain: p.Domain, Company: p.Company, Alone: true}
	if strings.TrimSpace(p.Domain) == "" && strings.TrimSpace(p.Company) == "" {
		return person, Refuse(CodeBadInput, "wrong_params", "Say where the person works: a domain such as company.example, or a company.")
	}
	if strings.TrimSpace(p.First+p.Last+p.Full) == "" {
		return person, Refuse(CodeBadInput, "wrong_params", "Say who: a first and a last name, or a full name.")
	}
	return person, nil
}

// VerifyOne checks one address at once.
func (a *App) VerifyOne(ctx context.Context, as Actor, address string) (finder.Result, error) {
	if strings.TrimSpace(address) == "" {
		return finder.Result{}, Refuse(CodeBadInput, "wrong_params", "Say which address to verify.")
	}
	return a.one(ctx, as, ProcessVerify, finder.Person{Email: strings.TrimSpace(address)})
}

// VerifyWithin checks one address, and waits no longer than wait for the answer, as FindWithin does.
func (a *App) VerifyWithin(ctx context.Context, as Actor, address string, wait time.Duration) (r finder.Result, pending bool, err error) {
	return a.within(ctx, as, ProcessVerify, finder.Person{Email: strings.TrimSpace(address)}, wait)
}
