//go:build drill

package drill

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"beagle/app"
	"beagle/app/mailworld"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// mailHost is the address of a company's mail server.
func (h *house) mailHost(domain string) string {
	h.t.Helper()
	ask := func(name string, kind uint16) dns.RR {
		answer, err := dns.Exchange(new(dns.Msg).SetQuestion(dns.Fqdn(name), kind), h.world.DNSAddr())
		require.NoError(h.t, err)
		require.NotEmpty(h.t, answer.Answer, name)
		return answer.Answer[0]
	}
	host := ask(ask(domain, dns.TypeMX).(*dns.MX).Mx, dns.TypeA).(*dns.A).A.String()
	return net.JoinHostPort(host, strconv.Itoa(h.world.SMTPPort()))
}

// listenFor stands in for a mail server of the world where nobody listens.
func (h *house) listenFor(domain string, serve func(net.Conn)) {
	l, err := net.Listen("tcp", h.mailHost(domain))
	require.NoError(h.t, err)
	var open sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				stop := context.AfterFunc(ctx, func() { _ = c.Close() })
				defer stop()
				defer c.Close()
				serve(c)
			})
		}
	})
	h.t.Cleanup(func() {
		_ = l.Close()
		cancel()
		open.Wait()
	})
}

// companies are those of one behaviour.
func (h *house) companies(b mailworld.Behaviour) (domains []string) {
	for _, c := range h.world.Companies() {
		if c.Behaviour == b {
			domains = append(domains, c.Domain)
		}
	}
	return domains
}

const hugeReply = 100 << 20

// hostileServers are mail servers that hold up or flood whoever asks them.
var hostileServers = []struct {
	name  string
	serve func(net.Conn)
}{
	{"silence", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }},
	{"tarpit", func(c net.Conn) { // a greeting of which every five seconds another line comes
		for {
			if _, err := io.WriteString(c, "220-please hold the line\r\n"); err != nil {
				return
			}
			time.Sleep(4 * time.Second)
		}
	}},
	{"1 byte/s", func(c net.Conn) {
		for _, b := range []byte("220 mx.example ESMTP takes its time and then some more of it\r\n") {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
	}},
	{"100 MB reply", func(c net.Conn) {
		_, _ = io.WriteString(c, "220 mx.example ESMTP\r\n")
		lines := bufio.NewScanner(c)
		for lines.Scan() {
			if !strings.HasPrefix(strings.ToUpper(lines.Text()), "RCPT") {
				_, _ = io.WriteString(c, "250 OK\r\n")
				continue
			}
			for sent := 0; sent < hugeReply; {
				n, err := io.WriteString(c, strings.Repeat("550-No such user, and a long story why\r\n", 1000))
				if sent += n; err != nil {
					return
				}
			}
			_, _ = io.WriteString(c, "550 No such user\r\n")
		}
	}},
}

func TestMailServersThatHoldUpOrFlood(t *testing.T) {
	h := newHouseAmong(t, 400, time.Millisecond, map[mailworld.Behaviour]int{mailworld.Accurate: 60, mailworld.Refused: 40})
	h.vars["GREYLIST_MAX_TRIES"], h.vars["GREYLIST_MAX_WAIT"] = "2", "2s"
	hostile := map[string]bool{}
	for i, domain := range h.companies(mailworld.Refused) {
		h.listenFor(domain, hostileServers[i%len(hostileServers)].serve)
		hostile[domain] = true
	}
	worker := h.run("worker")
	l := h.start()
	l = h.until(l, "ended", ended)
	peak := peakMemory(t, worker.Process.Pid)
	require.Less(t, peak, int64(300<<20), "memory stays bounded")
	var statuses []struct {
		Domain, Status, State, Reason string
		N                             int
	}
	require.NoError(t, h.app.DB.Raw("SELECT domain, state, status, reason, COUNT(*) AS n FROM records WHERE list_id = ? GROUP BY domain, state, status, reason", l.ID).Scan(&statuses).Error)
	unknown := 0
	for _, s := range statuses {
		if hostile[s.Domain] {
			require.Equal(t, "unknown", s.Status, "%s: %s", s.Domain, s.Reason)
			unknown += s.N
		}
	}
	h.finish(l, "%d rows at tarpits, silent, 1 byte/s and 100 MB servers: all unknown; worker's peak memory %d MiB", unknown, peak>>20)
}

func TestDNSThatFailsForGood(t *testing.T) {
	h := newHouseAmong(t, 200, time.Millisecond, map[mailworld.Behaviour]int{mailworld.Accurate: 40, mailworld.ServFail: 40, mailworld.DNSSilent: 20})
	h.vars["GREYLIST_MAX_TRIES"], h.vars["GREYLIST_MAX_WAIT"] = "2", "2s"
	h.run("worker")
	l := h.start()
	h.until(l, "ended", ended)
	var wrong, unknown int64
	failing := append(h.companies(mailworld.ServFail), h.companies(mailworld.DNSSilent)...)
	require.NoError(t, h.app.DB.Raw("SELECT COUNT(*) FROM records WHERE domain IN ? AND status <> 'unknown'", failing).Scan(&wrong).Error)
	require.NoError(t, h.app.DB.Raw("SELECT COUNT(*) FROM records WHERE domain IN ? AND status = 'unknown'", failing).Scan(&unknown).Error)
	require.Zero(t, wrong)
	require.Positive(t, unknown)
	h.finish(l, "SERVFAIL or silence for %d rows: all unknown", unknown)
}

// peakMemory is the most memory that a process ever had.
func peakMemory(t *testing.T, pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			require.NoError(t, err)
			return kb << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

// Whatever process speaks to one mail server dies at once, as if the answer ended it. A supervisor starts workers again.
func TestPoisonRowEndsWorkersTwiceAndItsListFinishes(t *testing.T) {
	h := newHouseAmong(t, 1200, 20*time.Millisecond, map[mailworld.Behaviour]int{mailworld.Accurate: 97, mailworld.Refused: 3})
	bad := h.companies(mailworld.Refused)[0]
	var row int64
	h.keep(func(who truth) bool {
		keep := who.Company.Behaviour == mailworld.Accurate
		if who.Company.Domain == bad && row == 0 {
			row, keep = int64(who.Row), true
		}
		return keep
	})
	for i, who := range h.truths {
		if who.Company.Domain == bad {
			row = int64(i + 1)
		}
	}
	var mu sync.Mutex
	var deaths []string // what died, in order
	h.listenFor(bad, func(c net.Conn) {
		pid := h.ownerOf(c)
		mu.Lock()
		defer mu.Unlock()
		if p, err := os.FindProcess(pid); pid > 0 && err == nil {
			command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			_, role, _ := strings.Cut(strings.TrimRight(string(command), "\x00"), "\x00")
			deaths = append(deaths, role)
			_ = p.Kill()
		}
	})
	restarts := 0
	supervise := []*exec.Cmd{h.run("worker"), h.run("worker")}
	h.run("clock")
	l := h.start()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		for i, w := range supervise {
			if gone(w.Process.Pid) {
				_ = w.Wait()
				restarts++
				supervise[i] = h.run("worker")
			}
		}
		if now, err := h.app.List(t.Context(), h.as.Account, l.Ref); err == nil && now.Ended() {
			break
		}
	}
	l = h.until(l, "ended", ended)
	require.Equal(t, app.ListFinished, l.State)
	h.check(l, row)
	require.LessOrEqual(t, restarts, 3)
	require.Equal(t, "isolated-lookup", deaths[len(deaths)-1], "the last death is that of the row's own process: %v", deaths)
	h.note(l.Total, "the row ended, in this order: %s; %d workers started again, its %d neighbours all answered", strings.Join(deaths, ", "), restarts, l.Total-1)
}

// gone tells that a child of ours has ended and waits to be waited for.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(after, "Z")
}

// ownerOf is the process of this house at the other end of a connection, 0 for none.
func (h *house) ownerOf(c net.Conn) int {
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return 0
	}
	inode := "none"
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) > 9 && f[1] == procAddr(c.RemoteAddr()) && f[2] == procAddr(c.LocalAddr()) {
			inode = "socket:[" + f[9] + "]"
		}
	}
	for _, pid := range h.family() {
		fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, fd := range fds {
			if to, err := os.Readlink(fd); err == nil && to == inode {
				return pid
			}
		}
	}
	return 0
}

// procAddr is an IPv4 address and port as /proc/net/tcp writes it: the bytes of the address in the order of the machine.
func procAddr(a net.Addr) string {
	ip := a.(*net.TCPAddr).IP.To4()
	return fmt.Sprintf("%02X%02X%02X%02X:%04X", ip[3], ip[2], ip[1], ip[0], a.(*net.TCPAddr).Port)
}

// family are the processes that the drill started, and theirs.
func (h *house) family() (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	parents := map[int]int{}
	for _, name := range stats {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		_, after, _ := strings.Cut(string(stat), ") ")
		pid, _ := strconv.Atoi(strings.Split(name, "/")[2])
		if f := strings.Fields(after); len(f) > 1 {
			parents[pid], _ = strconv.Atoi(f[1])
		}
	}
	for pid, parent := range parents {
		if parent == os.Getpid() || parents[parent] == os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids
}
