package app_test

import (
	"encoding/json"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/apptest"
	"beagle/app/config"
	"beagle/app/finder"
	"beagle/app/mailworld"
	"beagle/app/probe"

	"github.com/stretchr/testify/require"
)

// at is the demo world's company of a behaviour.
func at(t *testing.T, e *apptest.Env, b mailworld.Behaviour) mailworld.Company {
	for _, c := range e.World.Companies() {
		if c.Behaviour == b {
			return c
		}
	}
	t.Fatalf("the demo world has no %s", b)
	return mailworld.Company{}
}

func health(t *testing.T, e *apptest.Env) app.ProbeHealth {
	h, err := e.ProbeHealth(t.Context())
	require.NoError(t, err)
	return h
}

func TestClosedPort25MeansPatternAndMXOnlyUntilItOpens(t *testing.T) {
	e := apptest.New(t)
	ahead := shifted(e)
	good := at(t, e, mailworld.Accurate)
	mailbox, somebody := good.Roles[0]+"@"+good.Domain, finder.Person{First: "Zoe", Last: "Quill", Domain: good.Domain}
	e.App.Config.Health.Canaries = []string{at(t, e, mailworld.Refused).Domain}
	ran, err := e.Fire(t.Context(), "mail_health")
	require.NoError(t, err)
	require.True(t, ran)
	require.Equal(t, probe.No, health(t, e).Port25)
	require.True(t, health(t, e).Pattern)

	v := e.Finder.Verify(t.Context(), mailbox)
	require.Equal(t, []string{finder.StatusUnknown, finder.ReasonPort25Closed, finder.RuleOffline}, []string{v.Status, v.Reason, v.Evidence.Rule})
	f := e.Finder.Find(t.Context(), somebody)
	require.Equal(t, []string{finder.StatusUnknown, finder.ReasonPort25Closed, finder.RuleOffline}, []string{f.Status, f.Reason, f.Evidence.Rule})
	require.Contains(t, f.Email, "@"+good.Domain, "the likeliest address")
	require.Positive(t, f.Score)
	require.LessOrEqual(t, f.Score, 70, "nobody was asked")
	require.Contains(t, f.Evidence.Why, "No mail server can be asked from here")
	require.Zero(t, e.World.Stats().RCPTs)
	alarms, err := e.Alarms(t.Context())
	require.NoError(t, err)
	require.Len(t, alarms, 1)
	require.Equal(t, "port 25 closed", alarms[0].Name)

	e.App.Config.Health.Canaries = []string{good.Domain}
	ahead.Store(int64(e.App.Config.Health.Every))
	ran, err = e.Fire(t.Context(), "mail_health")
	require.NoError(t, err)
	require.True(t, ran)
	require.Equal(t, probe.Yes, health(t, e).Port25)
	require.Equal(t, finder.StatusValid, e.Finder.Verify(t.Context(), mailbox).Status)
	alarms, err = e.Alarms(t.Context())
	require.NoError(t, err)
	require.Empty(t, alarms)
}

// found writes down a look at our own health, as if the clock had looked.
func found(t *testing.T, e *apptest.Env, h probe.Health) {
	body, err := json.Marshal(h)
	require.NoError(t, err)
	require.NoError(t, e.DB.Exec(`INSERT INTO schedules (name, last_run_at, state) VALUES ('mail_health', ?, ?)`, e.Now(), string(body)).Error)
}

func TestModeFollowsHealthUnlessTheOperatorSaysOtherwise(t *testing.T) {
	now := time.Now().UTC()
	for name, c := range map[string]struct {
		mode    string
		found   *probe.Health
		pattern bool
	}{
		"nobody has looked: ask":         {config.ProbeAuto, nil, false},
		"all is well: ask":               {config.ProbeAuto, &probe.Health{At: now, Port25: probe.Yes}, false},
		"not known: ask":                 {config.ProbeAuto, &probe.Health{At: now, Port25: probe.Unsure}, false},
		"closed: do not ask":             {config.ProbeAuto, &probe.Health{At: now, Port25: probe.No}, true},
		"listed: do not ask":             {config.ProbeAuto, &probe.Health{At: now, Port25: probe.Yes, Listed: []string{"192.0.2.7 by bl.test"}}, true},
		"an old look counts no more":     {config.ProbeAuto, &probe.Health{At: now.Add(-time.Hour), Port25: probe.No}, false},
		"closed, and asked nevertheless": {config.ProbeSMTP, &probe.Health{At: now, Port25: probe.No}, false},
		"well, and not to be asked":      {config.ProbePattern, &probe.Health{At: now, Port25: probe.Yes}, true},
	} {
		t.Run(name, func(t *testing.T) {
			e := apptest.New(t, func(cfg *config.Config) { cfg.Health.Mode = c.mode })
			if c.found != nil {
				found(t, e, *c.found)
			}
			require.Equal(t, c.pattern, health(t, e).Pattern)
		})
	}
}

func TestHealthThatCannotBeReadIsAnErrorAndTheLastAnswerHolds(t *testing.T) {
	e := apptest.New(t)
	ahead := shifted(e)
	found(t, e, probe.Health{At: time.Now().UTC(), Port25: probe.No})
	require.True(t, health(t, e).Pattern)
	require.NoError(t, e.DB.Exec(`UPDATE schedules SET state = 'rubbish' WHERE name = 'mail_health'`).Error)
	require.True(t, health(t, e).Pattern, "what was read a moment ago is believed")
	ahead.Store(int64(time.Minute))
	h, err := e.ProbeHealth(t.Context())
	require.Error(t, err)
	require.True(t, h.Pattern)
}
