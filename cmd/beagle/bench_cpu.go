package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"beagle/app/db"
)

// cpuTimes are what Beagle's processes and the two stores have used of the processors so far. Unlike rows per second they hardly depend on
// what else runs on the machine. A store that is elsewhere, and a system without /proc, count as 0.
type cpuTimes struct {
	ours, postgres, redis time.Duration
	busy, all             time.Duration // of the whole machine, whoever used it
}

const clockTick = 10 * time.Millisecond // USER_HZ is 100 on every Linux that Go runs on

func readCPU(ctx context.Context, o *opened) (cpuTimes, error) {
	t := cpuTimes{ours: familyCPU(os.Getpid())}
	t.busy, t.all = machineCPU()
	var backend int
	if err := db.QueryRow(ctx, o.DB, "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		return t, fmt.Errorf("looking for PostgreSQL: %w", err)
	}
	if parent := readStat(backend).parent; parent > 1 {
		t.postgres = familyCPU(parent)
	}
	info, err := o.Queue.Redis.InfoMap(ctx, "cpu").Result()
	if err != nil {
		return t, fmt.Errorf("looking for Redis: %w", err)
	}
	for _, key := range []string{"used_cpu_sys", "used_cpu_user"} {
		seconds, _ := strconv.ParseFloat(info["CPU"][key], 64)
		t.redis += time.Duration(seconds * float64(time.Second))
	}
	return t, nil
}

func (t cpuTimes) since(before cpuTimes) cpuTimes {
	return cpuTimes{t.ours - before.ours, t.postgres - before.postgres, t.redis - before.redis, t.busy - before.busy, t.all - before.all}
}

// each is a share of a time for each of n rows, in microseconds.
func each(t time.Duration, n int) float64 { return float64(t.Microseconds()) / float64(max(n, 1)) }

// processStat is what /proc tells of a process; zero where it tells nothing.
type processStat struct {
	parent      int
	own, reaped time.Duration // CPU time, and that of its children which have ended
}

func readStat(pid int) processStat {
	body, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return processStat{}
	}
	_, rest, _ := strings.Cut(string(body), ") ") // the name before it may hold anything
	fields := strings.Fields(rest)
	if len(fields) < 15 {
		return processStat{}
	}
	ticks := func(from int) (sum time.Duration) {
		for _, f := range fields[from : from+2] {
			n, _ := strconv.ParseInt(f, 10, 64)
			sum += time.Duration(n) * clockTick
		}
		return sum
	}
	parent, _ := strconv.Atoi(fields[1])
	return processStat{parent, ticks(11), ticks(13)}
}

// familyCPU is the CPU time of a process and of its children.
func familyCPU(pid int) time.Duration {
	s := readStat(pid)
	sum := s.own + s.reaped
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range all {
		child, _ := strconv.Atoi(filepath.Base(dir))
		if c := readStat(child); c.parent == pid {
			sum += c.own + c.reaped
		}
	}
	return sum
}

// machineCPU is how long all processors were busy, and how long they have been there.
func machineCPU() (busy, all time.Duration) {
	body, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(body), "\n")
	for i, f := range strings.Fields(line)[1:] {
		n, _ := strconv.ParseInt(f, 10, 64)
		if i > 7 {
			break // guest time is part of user time
		}
		all += time.Duration(n) * clockTick
		if i != 3 && i != 4 { // idle, and waiting for a disk
			busy += time.Duration(n) * clockTick
		}
	}
	return busy, all
}
