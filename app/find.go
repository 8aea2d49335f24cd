package app

import (
	"context"
	"fmt"
	"strings"

	"beagle/app/finder"

	"gorm.io/gorm"
)

// maxField bounds what one field of a question may hold.
const maxField = 500

// FindParams is one person to be found.
type FindParams struct {
	First, Last, Full string
	Domain, Company   string
}

// FindOne finds one person at once. A valid answer costs one credit when credits are counted.
func (a *App) FindOne(ctx context.Context, as Actor, p FindParams) (finder.Result, error) {
	person := finder.Person{First: p.First, Last: p.Last, Full: p.Full, Domain: p.Domain, Company: p.Company}
	if strings.TrimSpace(p.Domain) == "" && strings.TrimSpace(p.Company) == "" {
		return finder.Result{}, Refuse(CodeBadInput, "wrong_params", "Say where the person works: a domain such as example.com, or a company.")
	}
	if strings.TrimSpace(p.First+p.Last+p.Full) == "" {
		return finder.Result{}, Refuse(CodeBadInput, "wrong_params", "Say who: a first and a last name, or a full name.")
	}
	return a.one(ctx, as, ProcessFind, person)
}

// VerifyOne checks one address at once.
func (a *App) VerifyOne(ctx context.Context, as Actor, address string) (finder.Result, error) {
	if strings.TrimSpace(address) == "" {
		return finder.Result{}, Refuse(CodeBadInput, "wrong_params", "Say which address to verify.")
	}
	return a.one(ctx, as, ProcessVerify, finder.Person{Email: strings.TrimSpace(address)})
}

func (a *App) one(ctx context.Context, as Actor, process string, p finder.Person) (finder.Result, error) {
	for _, field := range []string{p.First, p.Last, p.Full, p.Domain, p.Company, p.Email} {
		if len(field) > maxField {
			return finder.Result{}, Refuse(CodeBadInput, "wrong_params", "A field may have at most %d characters.", maxField)
		}
	}
	if err := a.mayStart(ctx, as.Account); err != nil {
		return finder.Result{}, err
	}
	result, err := a.ask(ctx, process, p)
	if err != nil {
		return finder.Result{}, err
	}
	if result.Reason == "suppressed" {
		return finder.Result{}, Refuse(CodeSuppressed, "claimed_email", "%s", result.Sentence)
	}
	return result, a.keepOne(ctx, as, process, p, result)
}

// keepOne stores what a single question taught and charges for it: once per question within REUSE_ANSWERS_DAYS.
func (a *App) keepOne(ctx context.Context, as Actor, process string, p finder.Person, r finder.Result) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	p.Domain = tidyDomain(p.Domain)
	err := a.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := learn(tx, []*outcome{{learned: r.Learned, checked: a.Now()}}); err != nil {
			return err
		}
		if !a.Config.Credits || process != ProcessFind || r.Status != finder.StatusValid {
			return nil
		}
		return a.writeCharges(tx, []charge{{Account: as.Account, Key: personKey(process, p), Run: 1}})
	})
	if err != nil {
		return fmt.Errorf("keeping an answer: %w", err)
	}
	return nil
}
