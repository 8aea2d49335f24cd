package finder

import (
	"context"
	"log/slog"
	"time"

	"beagle/app/probe"
)

// Person is one question. Any field may be empty; First+Last or Full name the person, and Domain
// (or a URL), Email or Company say where they work. Cells are taken as they were typed.
type Person struct {
	First, Last, Full string
	Domain            string
	Company           string
	Email             string
	Alone             bool // no colleagues are being asked for, so a doubt is not to wait for what they would teach
}

// Prober asks the outside world; *probe.Prober is the real one.
type Prober interface {
	Lookup(ctx context.Context, domain string) probe.Domain
	// AcceptAllBeside asks for addresses in the same go, where that costs no time.
	AcceptAllBeside(ctx context.Context, d probe.Domain, addresses []string) (probe.AcceptAllAnswer, []probe.Answer)
	Check(ctx context.Context, d probe.Domain, address string) probe.Answer
	// CheckGroup answers for the first address and for those behind it that could be asked in the same go.
	CheckGroup(ctx context.Context, d probe.Domain, addresses []string) []probe.Answer
}

// Known is what is remembered of a domain. The zero value says that nothing is.
type Known struct {
	Facts     *probe.Domain
	AcceptAll *probe.AcceptAllAnswer
	Patterns  map[string]Count    // by template id (see Templates) or shape (see Shows)
	Spellings map[string]Spelling // by address, of some of those that Patterns counts
}

// Count is the evidence for one template or shape at one domain: Hits are distinct people whose address was
// confirmed, Misses are distinct addresses that were refused or bounced.
type Count struct {
	Hits   int `json:"hits"`
	Misses int `json:"misses"`
}

// Memory keeps what is known of domains between questions. An error from Recall is logged and the
// question goes on as if nothing were known.
type Memory interface {
	Recall(ctx context.Context, domain string) (Known, error)
	// Remember stores facts, and the accept-all answer unless it is nil.
	Remember(ctx context.Context, facts probe.Domain, acceptAll *probe.AcceptAllAnswer) error
}

// Options tune a Finder; the zero value is right for production.
type Options struct {
	Log           *slog.Logger     // nil discards
	MaxCandidates int              // addresses asked where a mailbox answers that may be another's, and twice that for one person in all; 0 means DefaultMaxCandidates
	Now           func() time.Time // nil means time.Now
	NoSMTP        func() bool      // true while no mail server may be asked: rank by pattern and MX alone; nil means always ask
}

// DefaultMaxCandidates bounds, times rareFactor, the mailboxes asked for one person. The grammar holds
// the right address of about 85 % of people; nearly all of those rank among the first twelve, and the
// second twelve are asked of nobody who was found before.
const DefaultMaxCandidates = 12

// Observation is what a lookup teaches about a domain. The caller stores it once per address.
type Observation struct {
	Domain  string `json:"domain"`
	Pattern string `json:"pattern"` // template id
	Address string `json:"address"`
	Hit     bool   `json:"hit"` // false: the server said that there is no such mailbox
}

// Statuses of a Result: probe's, and StatusNotFound for a find that found nobody.
const (
	StatusValid      = string(probe.Valid)
	StatusInvalid    = string(probe.Invalid)
	StatusAcceptAll  = string(probe.AcceptAll)
	StatusUnknown    = string(probe.Unknown)
	StatusDisposable = string(probe.Disposable)
	StatusWebmail    = string(probe.Webmail)
	StatusNotFound   = "not_found"
)

// Result is the answer to one question.
type Result struct {
	Email      string        `json:"email"`       // "" unless somebody can act on it; see Find
	Status     string        `json:"status"`      // one of the Status constants
	Score      int           `json:"score"`       // 0..100: P(Email is right), in per cent
	Pattern    string        `json:"pattern"`     // readable template of Email, such as "{first}.{last}"
	Reason     string        `json:"reason"`      // machine-readable; see Sentence
	Sentence   string        `json:"sentence"`    // the reason for people
	RetryAfter time.Duration `json:"retry_after"` // > 0: worth asking again after this; the answer so far is unknown
	Domain     string        `json:"domain"`
	First      string        `json:"first_name"` // as parsed
	Last       string        `json:"last_name"`
	Evidence   Evidence      `json:"evidence"`
	Learned    []Observation `json:"learned,omitempty"`
}
