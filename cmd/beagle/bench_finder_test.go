package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const pairs = `first_name,last_name,domain,expected_email
Ada,Lee,acme.example,ada.lee@acme.example
Ben,Ortiz,acme.example,ben.ortiz@acme.example
Tom,Hart,acme.example,tom.hart@acme.example
Eva,Cano,solo.example,eva@solo.example
`

func TestBenchFinderCountsWhereTheRightAddressRanks(t *testing.T) {
	people, err := readPairs(strings.NewReader(pairs))
	require.NoError(t, err)
	s := rankAll(people, 0)
	require.Equal(t, []int{4, 2, 3}, []int{s.people, s.domains, s.hits[0]})
	s = rankAll(people, 2)
	require.Equal(t, []int{3, 1, 3}, []int{s.people, s.domains, s.hits[0]}, "who has too few colleagues is left out")
	var out strings.Builder
	s.print(&out)
	require.Contains(t, out.String(), "hit@1    100.0 %")
	require.Contains(t, out.String(), "ECE")
	_, err = readPairs(strings.NewReader("name,domain\n"))
	require.ErrorContains(t, err, "first_name")
}
