package finder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"beagle/app/probe"
)

func hits(id string, n int) Known { return Known{Patterns: map[string]Count{id: {Hits: n}}} }

func TestFindRules(t *testing.T) {
	type answers = map[string]probe.Answer
	for _, c := range []struct {
		outcome string
		server  *server
		status  string
		reason  string
		email   string
		rule    string
		least   int // score
		most    int
		asked   int // mailboxes; -1 is not checked
	}{
		{"the first strict yes is taken", &server{answers: answers{"john.smith": yes}}, StatusValid, "mailbox_exists", "john.smith@acme.com", RuleFirstYes, 97, 99, 1},
		{"an initial with the family name is taken", &server{answers: answers{"jsmith": yes}}, StatusValid, "mailbox_exists", "jsmith@acme.com", RuleFirstYes, 95, 98, 2},
		{"a loose yes waits for a strict one", &server{answers: answers{"john": yes, "john_smith": yes}}, StatusValid, "mailbox_exists", "john_smith@acme.com", RuleFirstYes, 97, 98, -1},
		{"a loose yes waits for colleagues where nobody is known", &server{answers: answers{"john": yes}}, StatusUnknown, ReasonAmbiguous, "john@acme.com", RuleColleagues, 0, capAmbiguous, -1},
		{"a loose yes stands when all stricter are refused and a colleague has the form", &server{answers: answers{"john": yes}, known: hits("F", 1)}, StatusValid, "mailbox_exists", "john@acme.com", RuleLooseAlone, 70, 85, -1},
		{"a loose yes stands under its learned pattern", &server{answers: answers{"john": yes}, known: hits("F", 2)}, StatusValid, "mailbox_exists", "john@acme.com", RuleFirstYes, 84, 93, 1},
		{"a loose yes against the pattern is ambiguous", &server{answers: answers{"john": yes}, known: hits("F.L", 3)}, StatusUnknown, ReasonAmbiguous, "john@acme.com", RuleAmbiguous, 0, capAmbiguous, -1},
		{"a loose yes after an unclear strict refusal is ambiguous", &server{answers: answers{"john": yes, "john.smith": unclear}, known: hits("F.L", 3)}, StatusUnknown, ReasonAmbiguous, "john@acme.com", RuleAmbiguous, 0, capAmbiguous, -1},
		{"an initial against the pattern stands only after the whole forms", &server{answers: answers{"jsmith": yes}, known: hits("F.L", 2)}, StatusValid, "mailbox_exists", "jsmith@acme.com", RuleLooseAlone, 70, 90, -1},
		{"a confirmed pattern takes one question", &server{answers: answers{"jsmith": yes, "john.smith": yes}, known: hits("fL", 4)}, StatusValid, "mailbox_exists", "jsmith@acme.com", RuleFirstYes, 98, 99, 1},
		{"a confirmed pattern's no takes a few more", &server{known: hits("F.L", 8)}, StatusNotFound, "mailbox_not_found", "", RuleAllRefused, 0, 0, -1},
		{"all refused is not found", &server{known: hits("F.L", 3)}, StatusNotFound, "mailbox_not_found", "", RuleAllRefused, 0, 0, -1},
		{"all refused waits for colleagues where no pattern is known", &server{}, StatusUnknown, "pattern_unknown", "", RuleColleagues, 0, 0, rareFactor * DefaultMaxCandidates},
		{"a full mailbox is valid and scores less", &server{answers: answers{"john.smith": full}}, StatusValid, "mailbox_full", "john.smith@acme.com", RuleFirstYes, 70, 88, 1},
		{"a switched-off mailbox is not found", &server{answers: answers{"john.smith": off}}, StatusNotFound, "mailbox_disabled", "", RuleSwitchedOff, 0, 0, -1},
		{"greylisting stops the asking", &server{rest: grey}, StatusUnknown, "greylisted", "", RuleRefused, 0, 0, 1},
		{"a block stops the asking", &server{rest: blocked}, StatusUnknown, "blocked_by_server", "", RuleRefused, 0, 0, 1},
		{"a block at a learned domain gives the likeliest address", &server{rest: blocked, known: hits("F.L", 6)}, StatusUnknown, "blocked_by_server", "john.smith@acme.com", RuleLikeliest, 50, capUnverified, 1},
		{"an unclear refusal of all is unknown", &server{rest: unclear, all: probe.AcceptAllAnswer{Verdict: probe.No, Reason: probe.RejectedUnclear}}, StatusUnknown, "rejected_unclear", "", RuleUnclear, 0, 0, -1},
		{"an unclear refusal is a no where a mailbox is known", &server{rest: unclear, all: probe.AcceptAllAnswer{Verdict: probe.No, Reason: probe.RejectedUnclear}, known: hits("fL", 3)}, StatusNotFound, "mailbox_not_found", "", RuleAllRefused, 0, 0, -1},
		{"one known address does not make the rest impossible", &server{known: hits("fL", 1)}, StatusUnknown, "pattern_unknown", "", RuleColleagues, 0, 0, -1},
		{"an unclear refusal is no verdict when inventions are refused in other words", &server{rest: unclear, known: hits("fL", 5)}, StatusUnknown, "rejected_unclear", "jsmith@acme.com", RuleUnclear, 50, capUnverified, -1},
		{"a yes among unclear refusals is taken", &server{rest: unclear, answers: answers{"jsmith": yes}, all: probe.AcceptAllAnswer{Verdict: probe.No, Reason: probe.RejectedUnclear}}, StatusValid, "mailbox_exists", "jsmith@acme.com", RuleFirstYes, 90, 98, -1},
		{"accept-all gives the likeliest", &server{all: probe.AcceptAllAnswer{Verdict: probe.Yes, Reason: probe.AcceptsAll}}, StatusAcceptAll, "accepts_all", "john.smith@acme.com", RuleAcceptAll, 25, 50, 0},
		{"accept-all with a known pattern scores it", &server{all: probe.AcceptAllAnswer{Verdict: probe.Yes, Reason: probe.AcceptsAll}, known: hits("fL", 5)}, StatusAcceptAll, "accepts_all", "jsmith@acme.com", RuleAcceptAll, 70, 95, 0},
		{"an unanswered accept-all question is unknown", &server{all: probe.AcceptAllAnswer{Verdict: probe.Unsure, Reason: probe.Greylisted, RetryAfter: time.Minute}}, StatusUnknown, "greylisted", "", RuleRefused, 0, 0, 0},
		{"no mail server is not found", &server{domain: probe.Domain{State: probe.StateNoMX}}, StatusNotFound, "no_mx", "", RuleDomain, 0, 0, 0},
		{"a null MX is not found", &server{domain: probe.Domain{State: probe.StateNullMX}}, StatusNotFound, "null_mx", "", RuleDomain, 0, 0, 0},
		{"no domain is not found", &server{domain: probe.Domain{State: probe.StateDomainNotFound}}, StatusNotFound, "domain_not_found", "", RuleDomain, 0, 0, 0},
		{"a failing DNS is unknown", &server{domain: probe.Domain{State: probe.StateDNSFailed}}, StatusUnknown, "dns_failed", "", RuleRefused, 0, 0, 0},
		{"a webmail domain ties nobody", &server{domain: probe.Domain{Webmail: true}}, StatusUnknown, "not_verifiable_provider", "", RulePublicDomain, 0, 0, 0},
		{"a throw-away domain is said", &server{domain: probe.Domain{Disposable: true}}, StatusDisposable, "not_verifiable_provider", "", RulePublicDomain, 0, 0, 0},
		{"a forgetful memory stops nothing", &server{answers: answers{"john.smith": yes}, recallErr: errors.New("down")}, StatusValid, "mailbox_exists", "john.smith@acme.com", RuleFirstYes, 97, 99, 1},
	} {
		t.Run(c.outcome, func(t *testing.T) {
			r := c.server.find(t)
			require.Equal(t, []any{c.status, c.reason, c.email, c.rule}, []any{r.Status, r.Reason, r.Email, r.Evidence.Rule})
			require.GreaterOrEqual(t, r.Score, c.least)
			require.LessOrEqual(t, r.Score, c.most)
			require.NotEmpty(t, r.Sentence)
			require.NotEmpty(t, r.Evidence.Why)
			if c.asked >= 0 {
				require.Len(t, c.server.asked, c.asked, c.server.asked)
			}
			require.LessOrEqual(t, len(c.server.asked), rareFactor*DefaultMaxCandidates)
			retry := c.reason == "greylisted" || c.reason == "dns_failed" || c.rule == RuleColleagues
			require.Equal(t, retry, r.RetryAfter > 0)
			body, err := json.Marshal(r.Evidence)
			require.NoError(t, err)
			require.Less(t, len(body), 5<<10, "evidence is small")
		})
	}
}

func TestLearnedObservationsNameHitsAndMisses(t *testing.T) {
	s := &server{answers: map[string]probe.Answer{"jsmith": yes}}
	r := s.find(t)
	require.Equal(t, []Observation{
		{Domain: "acme.com", Pattern: "F.L", Address: "john.smith@acme.com"},
		{Domain: "acme.com", Pattern: "fL", Address: "jsmith@acme.com", Hit: true},
	}, r.Learned)
	require.Equal(t, "{f}{last}", r.Pattern)
	require.NotNil(t, s.facts)
	require.Equal(t, probe.No, s.kept.Verdict)
	require.NotEmpty(t, r.Evidence.Transcript)
}

func TestTheSecondRowProfitsBeforeTheDatabaseDoes(t *testing.T) {
	s := &server{answers: map[string]probe.Answer{"jsmith": yes, "abrown": yes, "cgreen": yes}}
	f := s.finder()
	f.Find(context.Background(), john)
	r := f.Find(context.Background(), Person{Full: "Anna Brown", Domain: "acme.com"})
	require.Equal(t, "abrown@acme.com", r.Email)
	require.Equal(t, []string{"john.smith", "jsmith", "abrown"}, s.asked, "one question for the second row")
	require.Equal(t, 1, s.lookups)
	require.Equal(t, 1, s.questions, "accept-all is asked once")
}

func TestWhatMemoryAndOverlayBothKnowCountsOnce(t *testing.T) {
	s := &server{answers: map[string]probe.Answer{"jsmith": yes}}
	f := s.finder()
	f.Find(context.Background(), john)
	s.known = Known{Patterns: map[string]Count{"fL": {Hits: 1}, "F.L": {Misses: 1}}} // the database caught up
	k := f.overlay.merge("acme.com", s.known)
	require.Equal(t, map[string]Count{"fL": {Hits: 1}, "F.L": {Misses: 1}}, k.Patterns)
	f.Find(context.Background(), john)
	require.Len(t, s.asked, 2, "nothing is asked twice within the hour")
}

func TestWhoIsAskedForAloneIsNotFoundWithoutColleagues(t *testing.T) {
	s := &server{}
	alone := john
	alone.Alone = true
	require.Equal(t, []string{StatusNotFound, RuleAllRefused}, []string{s.finder().Find(context.Background(), alone).Status, s.finder().Find(context.Background(), alone).Evidence.Rule})
}

func TestARarePatternIsFoundOnceAColleagueShowsIt(t *testing.T) {
	s := &server{answers: map[string]probe.Answer{"weberbjoern": yes}}
	f := s.finder()
	bjoern := Person{Full: "Björn Weber", Domain: "acme.com"}
	require.Equal(t, []string{StatusUnknown, RuleColleagues}, []string{f.Find(context.Background(), bjoern).Status, f.Find(context.Background(), Person{Full: "Ann Berg", Domain: "acme.com"}).Evidence.Rule})
	s.known = hits("LF", 3)
	bjoern.Alone = true
	r := f.Find(context.Background(), bjoern)
	require.Equal(t, []string{StatusValid, "weberbjoern@acme.com"}, []string{r.Status, r.Email})
}

func TestWhereAsManyWereRefusedAsConfirmedNobodyIsSaidNotToBeThere(t *testing.T) {
	rachel := Person{Full: "Rachel Underwood", Domain: "acme.com"}
	s := &server{answers: map[string]probe.Answer{"underwood": yes}, known: Known{Patterns: map[string]Count{"F.L": {Hits: 3, Misses: 3}}}}
	r := s.finder().Find(context.Background(), rachel)
	require.Equal(t, []string{StatusUnknown, ReasonPatternUnknown}, []string{r.Status, r.Reason})
}

// TestWhereManyMoreWereRefusedThanConfirmedAnotherPatternIsLookedFor: people have {first}-{last}, two strays were confirmed, and 22 refused.
func TestWhereManyMoreWereRefusedThanConfirmedAnotherPatternIsLookedFor(t *testing.T) {
	refused := map[string]Count{"F.L": {Hits: 2, Misses: 22}}
	for _, id := range []string{"fL", "F", "f.L", "L", "FL", "Fl", "fl", "F_L"} {
		refused[id] = Count{Misses: 22}
	}
	ann := Person{Full: "Ann Berg", Domain: "acme.com"}
	ann.Alone = true
	s := &server{known: Known{Patterns: refused}}
	r := s.finder().Find(t.Context(), ann)
	require.Equal(t, []string{StatusUnknown, ReasonPatternUnknown}, []string{r.Status, r.Reason})
	s.answers = map[string]probe.Answer{"ann-berg": yes}
	r = s.finder().Find(t.Context(), ann)
	require.Equal(t, []string{StatusValid, "ann-berg@acme.com"}, []string{r.Status, r.Email})
	require.Contains(t, s.asked, "ann.berg", "strays may be right")
	s = &server{known: Known{Patterns: map[string]Count{"F.L": {Hits: 12, Misses: 4}, "fL": {Hits: 3}}}}
	require.Equal(t, StatusNotFound, s.finder().Find(t.Context(), ann).Status, "some have left, and some write their address otherwise")
}

// TestAColleagueCalledByTheNicknameIsNotTakenForThePerson: lotte@ may be another's than Charlotte's, mdawson@ than Amelia's; but Bob is a Robert.
func TestAColleagueCalledByTheNicknameIsNotTakenForThePerson(t *testing.T) {
	for _, c := range []struct{ name, pattern, box, status string }{
		{"Charlotte Fletcher", "F", "lotte", StatusUnknown},
		{"Robert Dawson", "fL", "bdawson", StatusUnknown},
		{"Robert Dawson", "fL", "rdawson", StatusValid},
		{"Bob Dawson", "fL", "rdawson", StatusValid},
		{"Robert Dawson", "F.L", "bob.dawson", StatusValid},
	} {
		s := &server{answers: map[string]probe.Answer{c.box: yes}, known: hits(c.pattern, 14)}
		r := s.finder().Find(t.Context(), Person{Full: c.name, Domain: "acme.com", Alone: true})
		require.Equal(t, c.status, r.Status, "%s as %s", c.name, c.box)
	}
}

func TestASwitchedOffLooseMailboxDoesNotSettleWhoWasNotAskedFor(t *testing.T) {
	s := &server{answers: map[string]probe.Answer{"john": off}, known: hits("fL", 1)}
	require.Equal(t, StatusUnknown, s.find(t).Status)
}

func TestTwoPeopleCannotHaveOneLooseMailbox(t *testing.T) {
	s := &server{answers: map[string]probe.Answer{"john": yes}, known: hits("F", 3)}
	f := s.finder()
	require.Equal(t, StatusValid, f.Find(context.Background(), john).Status)
	r := f.Find(context.Background(), Person{Full: "John Brown", Domain: "acme.com"})
	require.Equal(t, ReasonAmbiguous, r.Reason)
	require.Equal(t, StatusUnknown, r.Status)
	require.Equal(t, StatusValid, f.Find(context.Background(), john).Status, "its holder keeps it")
}

func TestALooseYesIsSettledByColleaguesOrStandsAlone(t *testing.T) {
	boxes := map[string]probe.Answer{"john": yes, "anna.brown": yes, "carl.green": yes, "dora.white": yes}
	f := (&server{answers: boxes}).finder()
	require.Equal(t, colleaguesWait, f.Find(context.Background(), john).RetryAfter)
	for _, n := range []string{"Anna Brown", "Carl Green", "Dora White"} {
		f.Find(context.Background(), Person{Full: n, Domain: "acme.com"})
	}
	r := f.Find(context.Background(), john)
	require.Equal(t, []any{StatusUnknown, ReasonAmbiguous, time.Duration(0)}, []any{r.Status, r.Reason, r.RetryAfter}, "colleagues write first.last, so john@ is another John's")

	s := &server{answers: map[string]probe.Answer{"john": yes}}
	f = s.finder()
	f.Find(context.Background(), john)
	asked := len(s.asked)
	r = f.Find(context.Background(), john)
	require.Equal(t, []string{StatusValid, "john@acme.com"}, []string{r.Status, r.Email}, "nobody else taught anything")
	require.LessOrEqual(t, len(s.asked), asked+2, "nothing is asked twice")
	alone := john
	alone.Alone = true
	require.Equal(t, StatusValid, (&server{answers: map[string]probe.Answer{"john": yes}}).finder().Find(context.Background(), alone).Status)
}

func TestAFormLikeARoleIsNeitherAskedNorDenied(t *testing.T) {
	s := &server{known: hits("L", 4)}
	r := s.finder().Find(context.Background(), Person{First: "Hyejin", Last: "Seo", Domain: "acme.com", Alone: true})
	require.Equal(t, []string{StatusUnknown, ReasonPatternUnknown, RulePatternOpen}, []string{r.Status, r.Reason, r.Evidence.Rule})
	require.NotContains(t, s.asked, "seo")
}

func TestANumberIsAskedOnlyWhereSomebodyHasThePlainAddress(t *testing.T) {
	s := &server{answers: map[string]probe.Answer{"jsmith": yes, "jsmith2": yes}, known: hits("fL", 4)}
	f := s.finder()
	f.Find(context.Background(), john)
	r := f.Find(context.Background(), Person{Full: "Jane Smith", Domain: "acme.com"})
	require.Equal(t, []string{StatusValid, "jsmith2@acme.com"}, []string{r.Status, r.Email})
	s = &server{known: hits("fL", 4)}
	s.find(t)
	require.NotContains(t, s.asked, "jsmith2")
}

func TestHabitsOfSpellingAreLearned(t *testing.T) {
	s := &server{known: hits("F.L", 4), answers: map[string]probe.Answer{"ana.garcialopez": yes, "luis.mendezcruz": yes, "juergen.mueller": yes, "karl.schroeder": yes}}
	f := s.finder()
	ask := func(n string) int {
		before := len(s.asked)
		require.Equal(t, StatusValid, f.Find(context.Background(), Person{Full: n, Domain: "acme.com"}).Status, n)
		return len(s.asked) - before
	}
	require.Greater(t, ask("Ana García López"), 1)
	require.Equal(t, 1, ask("Luis Méndez Cruz"))
	ask("Jürgen Müller")
	require.Equal(t, 1, ask("Karl Schröder"))
}

// A name of many spellings at a company with a confirmed pattern: who has another usual form is found all the same.
func TestRareSpellingsOfThePatternDoNotHideAUsualForm(t *testing.T) {
	for _, name := range []string{"Lotte van der Meer", "Charlotte de la Fuente y Ortega", "Jürgen Müller-Schröder", "Ksenija Ščerbakova Đorđević"} {
		n, err := ParseName("", "", name)
		require.NoError(t, err)
		post := newPosterior("test", hits("fL", 9).Patterns, n)
		usually := 0
		for _, c := range rank(n, post) {
			if !post.usual(c, spellingSure) {
				continue
			}
			usually++
			s := &server{known: hits("fL", 9), answers: map[string]probe.Answer{c.local: yes}}
			r := s.finder().Find(context.Background(), Person{Full: name, Domain: "acme.test"})
			require.Equal(t, []string{StatusValid, c.local + "@acme.test"}, []string{r.Status, r.Email}, "%s: %s", name, c.local)
		}
		require.GreaterOrEqual(t, usually, 4, name)
	}
}

func TestOneStrayColleagueDoesNotHideAPattern(t *testing.T) {
	s := &server{answers: map[string]probe.Answer{"john": yes, "anna": yes, "peter": yes}, known: Known{Patterns: map[string]Count{"FL": {Hits: 1, Misses: 3}}}}
	f := s.finder()
	require.Equal(t, ReasonAmbiguous, f.Find(context.Background(), john).Reason)
	r := f.Find(context.Background(), Person{Full: "Anna Brown", Domain: "acme.com"})
	require.Equal(t, []string{StatusValid, "anna@acme.com"}, []string{r.Status, r.Email}, "the second of its kind is no accident")
	require.Equal(t, StatusValid, f.Find(context.Background(), john).Status)
}

func TestAnUnlearnedDomainIsAskedByOneAtATime(t *testing.T) {
	s := &server{wait: 2 * time.Millisecond, answers: map[string]probe.Answer{}}
	names := strings.Fields("Adam Bert Carl Dora Emil Frida Gustav Heidi")
	for _, n := range names {
		s.answers[strings.ToLower(n[:1])+"smithson"] = yes
	}
	f := s.finder()
	var wg sync.WaitGroup
	results := make([]Result, len(names))
	for i, n := range names {
		wg.Go(func() {
			results[i] = f.Find(context.Background(), Person{First: n, Last: "Smithson", Domain: "acme.com"})
		})
	}
	wg.Wait()
	for i, r := range results {
		require.Equal(t, StatusValid, r.Status, names[i])
	}
	require.Equal(t, 1, s.questions)
	require.LessOrEqual(t, len(s.asked), len(names)+3, "the first paid for the rest")
	require.Empty(t, f.gates.by, "no gate is left behind")
}

func TestWaitingAtTheGateRespectsTheContext(t *testing.T) {
	s := &server{}
	f := s.finder()
	require.True(t, f.gates.enter(context.Background(), "acme.com"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := f.Find(ctx, john)
	require.Equal(t, StatusUnknown, r.Status)
	require.Equal(t, "timeout", r.Reason)
	require.Positive(t, r.RetryAfter)
	f.gates.leave("acme.com")
	require.Empty(t, f.gates.by)
	require.Empty(t, s.asked)
}

func TestRememberedAnswersAreNotAskedAgain(t *testing.T) {
	hosts := []probe.Host{{Name: "mx.acme.com"}}
	facts := probe.Domain{Name: "acme.com", State: probe.StateOK, Hosts: hosts, CheckedAt: clock.Add(-30 * time.Minute), TTL: time.Hour}
	old := facts
	old.CheckedAt = clock.Add(-time.Hour)
	for _, c := range []struct {
		outcome            string
		known              Known
		lookups, questions int
		status             string
	}{
		{"fresh facts and answer", Known{Facts: &facts, AcceptAll: &probe.AcceptAllAnswer{Verdict: probe.Yes, At: clock.Add(-24 * time.Hour)}}, 0, 0, StatusAcceptAll},
		{"facts of an hour ago for an hour", Known{Facts: &old, AcceptAll: &probe.AcceptAllAnswer{Verdict: probe.Yes, At: clock.Add(-2 * time.Hour), Servers: []string{"mx.acme.com"}}}, 1, 0, StatusAcceptAll},
		{"an answer of other servers", Known{Facts: &old, AcceptAll: &probe.AcceptAllAnswer{Verdict: probe.Yes, At: clock.Add(-2 * time.Hour), Servers: []string{"mx.before.com"}}}, 1, 1, StatusUnknown},
		{"an answer of a server that is gone", Known{Facts: &facts, AcceptAll: &probe.AcceptAllAnswer{Verdict: probe.Yes, At: clock.Add(-2 * time.Hour), Probes: []probe.Answer{{Host: "mx.before.com"}}}}, 0, 1, StatusUnknown},
		{"an answer of last week", Known{Facts: &facts, AcceptAll: &probe.AcceptAllAnswer{Verdict: probe.Yes, At: clock.Add(-8 * 24 * time.Hour)}}, 0, 1, StatusUnknown},
		{"stale facts", Known{Facts: &probe.Domain{Name: "acme.com", State: probe.StateNoMX, CheckedAt: clock.Add(-2 * time.Hour)}}, 1, 1, StatusUnknown},
		{"a failed DNS is nothing", Known{Facts: &probe.Domain{Name: "acme.com", State: probe.StateDNSFailed, CheckedAt: clock, TTL: time.Hour}}, 1, 1, StatusUnknown},
		{"greylisting until its time", Known{Facts: &facts, AcceptAll: &probe.AcceptAllAnswer{Verdict: probe.Unsure, Reason: probe.Greylisted, At: clock.Add(-time.Minute), RetryAfter: 5 * time.Minute}}, 0, 0, StatusUnknown},
		{"greylisting after its time", Known{Facts: &facts, AcceptAll: &probe.AcceptAllAnswer{Verdict: probe.Unsure, Reason: probe.Greylisted, At: clock.Add(-time.Hour), RetryAfter: 5 * time.Minute}}, 0, 1, StatusUnknown},
	} {
		t.Run(c.outcome, func(t *testing.T) {
			s := &server{known: c.known}
			r := s.find(t)
			require.Equal(t, c.status, r.Status)
			require.Equal(t, []int{c.lookups, c.questions}, []int{s.lookups, s.questions})
		})
	}
	s := &server{known: Known{Facts: &facts, AcceptAll: &probe.AcceptAllAnswer{Verdict: probe.Unsure, Reason: probe.Greylisted, At: clock.Add(-time.Minute), RetryAfter: 5 * time.Minute}}}
	require.Equal(t, 4*time.Minute, s.find(t).RetryAfter, "what is left of the server's time")
}

func TestAGreylistedInventionIsAskedAgainByItsName(t *testing.T) {
	facts := probe.Domain{Name: "acme.com", State: probe.StateOK, CheckedAt: clock, TTL: time.Hour}
	s := &server{answers: map[string]probe.Answer{"john.smith": yes}, known: Known{Facts: &facts, AcceptAll: &probe.AcceptAllAnswer{
		Verdict: probe.Unsure, Reason: probe.Greylisted, At: clock.Add(-time.Hour), RetryAfter: time.Minute, Probes: []probe.Answer{{Address: "bolimar.tosuk@acme.com", Status: probe.Unknown}}}}}
	r := s.find(t)
	require.Equal(t, StatusValid, r.Status)
	require.Equal(t, []string{"bolimar.tosuk", "john.smith"}, s.asked)
	require.Zero(t, s.questions)
}

func TestTheDomainComesFromManyCells(t *testing.T) {
	for _, c := range []struct {
		person         Person
		domain, source string
	}{
		{Person{Domain: "https://www.Acme.com/about?x=1"}, "acme.com", "domain"}, {Person{Domain: "info@acme.com"}, "acme.com", "domain"}, {Person{Email: "old@acme.com"}, "acme.com", "email"},
		{Person{Domain: "not a domain", Email: "old@acme.com"}, "acme.com", "email"}, {Person{Company: "Acme Widgets GmbH"}, "acmewidgets.de", "company"}, {Person{Company: "Acme, Inc."}, "acme.com", "company"},
		{Person{Company: "acme.com"}, "acme.com", "company"},
	} {
		s := &server{answers: map[string]probe.Answer{"john.smith": yes}}
		c.person.Full = "John Smith"
		r := s.finder().Find(context.Background(), c.person)
		require.Equal(t, c.domain, r.Domain, fmt.Sprint(c.person))
		require.Equal(t, c.source, r.Evidence.DomainSource)
		require.Equal(t, StatusValid, r.Status)
		if c.source == "company" && c.domain != "acme.com" {
			require.Less(t, r.Score, 65, "a guessed domain is said and scores less")
		}
	}
	s := &server{domain: probe.Domain{State: probe.StateDomainNotFound}}
	r := s.finder().Find(context.Background(), Person{Full: "John Smith", Company: "Acme GmbH"})
	require.Equal(t, []string{StatusUnknown, "domain_not_found", RuleNoCompany}, []string{r.Status, r.Reason, r.Evidence.Rule})
	for _, p := range []Person{{Full: "John Smith"}, {Full: "John Smith", Domain: "127.0.0.1"}, {Full: "n/a", Domain: "acme.com"}, {Domain: "acme.com"}, {Full: "John Smith", Company: "GmbH"}} {
		r := s.finder().Find(context.Background(), p)
		require.Equal(t, StatusUnknown, r.Status)
		require.NotEmpty(t, r.Sentence)
		require.Empty(t, r.Email)
	}
}

func TestWithoutPort25NobodyIsAsked(t *testing.T) {
	s := &server{}
	r := New(s, s, Options{NoSMTP: func() bool { return true }, Now: func() time.Time { return clock }}).Find(context.Background(), john)
	require.Equal(t, []string{StatusUnknown, ReasonPort25Closed, "john.smith@acme.com"}, []string{r.Status, r.Reason, r.Email})
	require.LessOrEqual(t, r.Score, capUnverified)
	require.Positive(t, r.Score)
	require.Empty(t, s.asked)
	require.Zero(t, s.questions)
}

func TestFindAllAsksEveryCandidate(t *testing.T) {
	s := &server{answers: map[string]probe.Answer{"john.smith": yes, "jsmith": yes, "john": yes}}
	r := s.finder().FindAll(context.Background(), john)
	require.Equal(t, []string{StatusValid, "john.smith@acme.com", RuleBestOfSeveral}, []string{r.Status, r.Email, r.Evidence.Rule})
	require.Len(t, s.asked, rareFactor*DefaultMaxCandidates)
	require.Len(t, r.Evidence.Candidates, rareFactor*DefaultMaxCandidates)
	for _, c := range r.Evidence.Candidates {
		require.NotEmpty(t, c.Verdict)
	}
}

func TestACanceledContextNeverSaysNotFound(t *testing.T) {
	s := &server{}
	f := s.finder()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := f.Find(ctx, john)
	require.Equal(t, StatusUnknown, r.Status)
	require.Positive(t, r.RetryAfter)
}

func TestVerify(t *testing.T) {
	for _, c := range []struct {
		outcome, address string
		server           *server
		status, reason   string
		role             bool
	}{
		{"a mailbox", "john.smith@acme.com", &server{rest: yes}, StatusValid, "mailbox_exists", false},
		{"a role's mailbox", "info@acme.com", &server{rest: yes}, StatusValid, "mailbox_exists", true},
		{"none", "john.smith@acme.com", &server{}, StatusInvalid, "mailbox_not_found", false},
		{"not an address", "john smith at acme", &server{}, StatusInvalid, "bad_input", false},
		{"accept-all", "john.smith@acme.com", &server{rest: yes, all: probe.AcceptAllAnswer{Verdict: probe.Yes, Reason: probe.AcceptsAll}}, StatusAcceptAll, "accepts_all", false},
		{"webmail", "john.smith@acme.com", &server{rest: yes, domain: probe.Domain{Webmail: true}}, StatusWebmail, "mailbox_exists", false},
		{"throw-away", "john.smith@acme.com", &server{rest: yes, domain: probe.Domain{Disposable: true}}, StatusDisposable, "not_verifiable_provider", false},
		{"no mail server", "john.smith@acme.com", &server{domain: probe.Domain{State: probe.StateNoMX}}, StatusInvalid, "no_mx", false},
		{"greylisted", "john.smith@acme.com", &server{rest: grey}, StatusUnknown, "greylisted", false},
		{"blocked", "john.smith@acme.com", &server{rest: blocked}, StatusUnknown, "blocked_by_server", false},
		{"unclear", "john.smith@acme.com", &server{rest: unclear}, StatusUnknown, "rejected_unclear", false},
		{"unclear at a known domain", "john.smith@acme.com", &server{rest: unclear, all: probe.AcceptAllAnswer{Verdict: probe.No, Reason: probe.RejectedUnclear}, known: hits("fL", 2)}, StatusInvalid, "mailbox_not_found", false},
		{"a yes beside an unanswered accept-all question", "john.smith@acme.com", &server{rest: yes, all: probe.AcceptAllAnswer{Verdict: probe.Unsure, Reason: probe.Timeout}}, StatusUnknown, "timeout", false},
		{"disabled", "john.smith@acme.com", &server{rest: off}, StatusInvalid, "mailbox_disabled", false},
	} {
		t.Run(c.outcome, func(t *testing.T) {
			r := c.server.finder().Verify(context.Background(), " "+c.address)
			require.Equal(t, []any{c.status, c.reason, c.role}, []any{r.Status, r.Reason, r.Evidence.Role})
			require.NotEmpty(t, r.Sentence)
			if r.Status == StatusInvalid {
				require.Zero(t, r.Score)
			}
		})
	}
}

func TestPatternSaysWhatIsKnown(t *testing.T) {
	s := &server{known: hits("fL", 4)}
	r := s.finder().Pattern(context.Background(), "https://acme.com/")
	require.Equal(t, []string{StatusValid, "{f}{last}", ReasonPatternLearned, "acme.com"}, []string{r.Status, r.Pattern, r.Reason, r.Domain})
	require.Greater(t, r.Score, 80)
	r = (&server{}).finder().Pattern(context.Background(), "acme.com")
	require.Equal(t, []string{StatusUnknown, "{first}.{last}", ReasonPatternPrior}, []string{r.Status, r.Pattern, r.Reason})
	r = (&server{domain: probe.Domain{State: probe.StateNullMX}}).finder().Pattern(context.Background(), "acme.com")
	require.Equal(t, StatusNotFound, r.Status)
	r = (&server{}).finder().Pattern(context.Background(), "what?")
	require.Equal(t, ReasonBadInput, r.Reason)
}

func TestEveryReasonHasASentenceAndEveryRuleAWhy(t *testing.T) {
	for _, reason := range []probe.Reason{probe.MailboxExists, probe.MailboxNotFound, probe.MailboxFull, probe.MailboxDisabled, probe.NoMX, probe.NullMX, probe.DomainNotFound, probe.Unroutable, probe.DNSFailed, probe.Greylisted,
		probe.BlockedByServer, probe.ServerUnavailable, probe.Timeout, probe.TLSRequired, probe.NotVerifiable, probe.NotVerifiableProvider, probe.RejectedUnclear, probe.AcceptsAll, probe.NotSMTP, probe.BadInput} {
		require.NotEmpty(t, Sentence(string(reason)), reason)
	}
	require.Empty(t, Sentence("no such reason"))
	last := "none"
	for score := 0; score <= 100; score++ {
		if l := Label(score); l != last {
			last = l
		}
	}
	require.Equal(t, "very high", last)
}

func TestReplyIsShownWithoutTheAddressThatStandsBesideIt(t *testing.T) {
	for reply, want := range map[string]string{"<ada.ash@alder.example>: Recipient address rejected": "Recipient address rejected", "5.1.1 <ada.ash@alder.example> unknown": "5.1.1  unknown",
		"No such user": "No such user", "": ""} {
		require.Equal(t, want, unaddressed(reply, "ada.ash@alder.example"))
	}
}
