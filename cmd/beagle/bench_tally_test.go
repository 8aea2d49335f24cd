package main

import (
	"strings"
	"testing"
	"time"

	"beagle/app/mailworld"

	"github.com/stretchr/testify/require"
)

func TestTheTallyJudgesAnswersByTheWorldsTruth(t *testing.T) {
	c := &mailworld.Company{Domain: "acme.example", Pattern: "F.L"}
	ada := &mailworld.Person{First: "Ada", Last: "Ash", Email: "ada.ash@acme.example", Aliases: []string{"ada@acme.example"}}
	found := mailworld.Truth{Person: ada, Company: c, Email: ada.Email, Kind: mailworld.KindFound}
	all, gone := found, found
	all.Kind = mailworld.KindAcceptAll
	gone.Kind, gone.Email = mailworld.KindAbsent, ""
	var got tally
	got.add(found, "ada.ash@acme.example", "valid", 98)
	got.add(found, "ada@acme.example", "valid", 92)
	got.add(found, "", "not_found", 0)
	got.add(gone, "aash@acme.example", "valid", 95)
	got.add(all, "aash@acme.example", "accept_all", 40)
	got.add(all, "ada.ash@acme.example", "accept_all", 40)
	require.Equal(t, []int{3, 2, 1, 1}, []int{got.valid, got.right, got.falseValid, got.falseMiss})
	require.Equal(t, []int{2, 2, 1, 2}, []int{got.acceptAll, got.boxes, got.guessed, got.allowed})
	require.Equal(t, []int{3, 2}, []int{got.bin[9].n, got.bin[9].right})
	require.InDelta(t, 2.85, got.bin[9].predicted, 1e-9)
	var out strings.Builder
	got.print(&out)
	require.Contains(t, out.String(), "calibration error of 5 scores  0.2100")
	given := tally{known: map[string]bool{ada.Email: true}}
	given.add(all, ada.Email, "accept_all", 90)
	require.Zero(t, given.acceptAll+given.scored, "an address that was given is no finding")
}

func TestThePlainApproachFindsPeopleOnHostsThatTell(t *testing.T) {
	w := mailworld.New(mailworld.Options{Seed: 3, Companies: 4, PeoplePerCompany: 4, Mix: map[mailworld.Behaviour]int{mailworld.Accurate: 1}})
	require.NoError(t, w.Start())
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	said, times := plainRun(t.Context(), w, w.Truths(), 4)
	require.Greater(t, said.found, len(w.Truths())/2)
	require.Len(t, times, len(w.Truths()))
	s := w.Stats()
	require.GreaterOrEqual(t, s.Connections, len(w.Truths()), "a connection for each address")
	require.Greater(t, s.RCPTs, s.Connections, "the catch-all question in each")
}

func TestTheTimeOfAShareOfTheRowsIsThatOfItsLastRow(t *testing.T) {
	var c course
	for i := range 200 {
		c = append(c, time.Duration(i+1)*100*time.Millisecond)
	}
	require.Equal(t, 10*time.Second, c.until(50))
	require.Equal(t, 20*time.Second, c.until(100))
	require.InDelta(t, 10, c.pace(95), 1e-9)
	require.Equal(t, 3*time.Second, course{time.Second, 2 * time.Second, 3 * time.Second}.until(90))
	require.Zero(t, course(nil).until(50))
	require.Zero(t, course(nil).pace(50))
}
