package mailworld

import "hash/fnv"

// dice is SplitMix64: a generator of our own, so that the sample files never change with the Go release.
type dice struct{ state uint64 }

func (d *dice) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	z := d.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// n draws from 0..limit-1; limit must be above 0.
func (d *dice) n(limit int) int { return int(d.next() % uint64(limit)) }

// chance is true in so many of a hundred cases.
func (d *dice) chance(percent int) bool { return d.n(100) < percent }

func pick[T any](d *dice, list []T) T { return list[d.n(len(list))] }

func shuffle[T any](d *dice, list []T) {
	for i := len(list) - 1; i > 0; i-- {
		j := d.n(i + 1)
		list[i], list[j] = list[j], list[i]
	}
}

func hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails
	return h.Sum64()
}
