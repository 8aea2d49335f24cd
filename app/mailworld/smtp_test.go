package mailworld

import (
	"crypto/tls"
	"fmt"
	"net/smtp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// quickGallery is the gallery without the long waits of slow hosts.
func quickGallery(t *testing.T) *World {
	w := Gallery(Options{GreylistFor: 30 * time.Millisecond})
	for _, h := range w.hosts {
		h.manners.wait = min(h.manners.wait, 20*time.Millisecond)
		h.manners.tarpit = min(h.manners.tarpit, 20*time.Millisecond)
	}
	return started(t, w)
}

func TestEveryBehaviourAnswersRecipientsItsOwnWay(t *testing.T) {
	w := quickGallery(t)
	for _, c := range []struct {
		b                        Behaviour
		flagged, present, absent string // the start of the answer
	}{
		{Accurate, "250", "250", "550 5.1.1"},
		{AccurateSmall, "250", "250", "550 5.1.1"},
		{CatchAll, "250", "250", "250"},
		{TempFail, "45", "45", "45"},
		{PolicyBlock, "550 5.7.1", "550 5.7.1", "550 5.7.1"},
		{FullMailbox, "552", "250", "550 5.1.1"},
		{Disabled, "550 5.2.1", "250", "550 5.1.1"},
		{NullMX, "250", "250", "250"},
		{ImplicitMX, "250", "250", "550 5.1.1"},
		{HeloOnly, "250", "250", "550 5.1.1"},
		{Microsoft, "250", "250", "550 5.4.1"},
		{Rate250, "450", "250", "550"},
		{LongBanner, "250", "250", "550 5.1.1"},
		{PlainText, "250", "250", "550"},
		{RoomFull, "452 4.2.2", "250", "550 5.1.1"},
		{TempFailExisting, "450 4.2.0", "450 4.2.0", "550 5.1.1"},
		{Forwards, "251", "251", "550 5.1.1"},
		{CannotVerify, "252", "252", "252"},
		{RelayDenied, "554 5.7.1", "554 5.7.1", "554 5.7.1"},
		{LocalPolicy, "550 5.7.1", "550 5.7.1", "550 5.7.1"},
		{NoReverseDNS, "550 5.7.25", "550 5.7.25", "550 5.7.25"},
		{ServerBusy, "451 4.7.500", "451 4.7.500", "451 4.7.500"},
		{SlowBanner, "250", "250", "550 5.1.1"},
		{BackupAcceptsAll, "250", "250", "550 5.1.1"},
		{AliasMX, "250", "250", "550 5.1.1"},
		{DNSTruncated, "250", "250", "550 5.1.1"},
		{NoSuchUser553, "250", "250", "553"},
		{BadDestination501, "250", "250", "501 5.1.3"},
		{ImplicitV6, "250", "250", "550 5.1.1"},
		{V6Only, "250", "250", "550 5.1.1"},
		{BareRefusal, "250", "250", "550 Requested action not taken"},
		{NoReverseDNSLater, "450 4.7.25", "450 4.7.25", "450 4.7.25"},
		{RateLimited, "451 4.7.650", "451 4.7.650", "451 4.7.650"},
		{International, "250", "250", "550"},
		{BouncesLater, "250", "250", "550 5.1.1"},
		{Flips, "250", "250", "250"},
		{AcceptsAfter, "250", "250", "550 5.1.1"},
	} {
		t.Run(string(c.b), func(t *testing.T) {
			company, ok := w.Company(domainOf(c.b))
			require.True(t, ok)
			s := talk(t, w, hostsOf(w, c.b)[0])
			require.Equal(t, 250, s.open())
			asked := []string{company.People[0].Email, company.People[1].Email, "zz.nobody@" + company.Domain}
			for i, want := range []string{c.flagged, c.present, c.absent} {
				code, text := s.rcpt(either(asked[i], asked[2]))
				require.Truef(t, strings.HasPrefix(fmt.Sprintf("%d %s", code, text), want), "%s: %d %s", asked[i], code, text)
			}
			code, _ := s.ask("QUIT")
			require.Equal(t, 221, code)
		})
	}
	require.Empty(t, w.Stats().FaultSamples)
}

func TestHostsThatRefuseTheDialogueDoItWhereTheySay(t *testing.T) {
	w := quickGallery(t)
	for b, want := range map[Behaviour]int{
		BannerBlock: 554, BannerBusy: 421, GreetingRefused: 550, SenderRefused: 553, TLSRequired: 530, ClosesAtOnce: 0,
		NoMailHere521: 521, Hello421: 421, SenderDeferred: 450, ClosesOnce: 0,
	} {
		require.Equal(t, want, talk(t, w, hostsOf(w, b)[0]).open(), b)
	}
	s := talk(t, w, hostsOf(w, NotSMTP)[0])
	line, err := s.ReadLine()
	require.NoError(t, err)
	require.Contains(t, line, "HTTP/1.1 400")
	for b, want := range map[Behaviour]int{ClosesEarly: 0, RcptCloses: 421} {
		s := talk(t, w, hostsOf(w, b)[0])
		require.Equal(t, 250, s.open())
		code, _ := s.rcpt("info@" + domainOf(b))
		require.Equal(t, want, code, b)
		code, _ = s.ask("NOOP")
		require.Zero(t, code, b)
	}
}

func TestRefusedGreetingIsFollowedByQuitAlone(t *testing.T) {
	w := quickGallery(t)
	for _, b := range []Behaviour{BannerBlock, BannerBusy} {
		s := talk(t, w, hostsOf(w, b)[0])
		s.hear()
		code, _ := s.ask("QUIT")
		require.Equal(t, b == BannerBlock, code == 221, b)
		require.Zero(t, w.Stats().Faults)
	}
	s := talk(t, w, hostsOf(w, BannerBlock)[0])
	s.hear()
	code, _ := s.ask("EHLO probe.test")
	require.Equal(t, 503, code)
	require.Equal(t, "command after a refused greeting", w.Stats().FaultSamples[0].Kind)
}

func TestEndlessGreetingsAreLongerThanAnyReaderShouldAllow(t *testing.T) {
	w := quickGallery(t)
	for _, b := range []Behaviour{EndlessLine, EndlessBanner} {
		s := talk(t, w, hostsOf(w, b)[0])
		n, _ := s.R.Discard(256 << 10)
		require.Equal(t, 256<<10, n, b)
		_ = s.Close()
	}
}

func TestSilentHostAcceptsAndSaysNothing(t *testing.T) {
	w := quickGallery(t)
	s := talk(t, w, hostsOf(w, Silent)[0])
	require.NoError(t, s.raw.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	_, err := s.raw.Read(make([]byte, 1))
	require.True(t, isTimeout(err), err)
}

func TestHeldHostSpeaksWhenItIsReleased(t *testing.T) {
	w := quickGallery(t)
	h := hostsOf(w, Accurate)[0]
	before := talk(t, w, h)
	require.Equal(t, 250, before.open())
	release := w.Hold(h.domain)
	s := talk(t, w, h)
	for _, held := range []*talker{s, before} {
		require.NoError(t, held.raw.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
		if held == before {
			require.NoError(t, held.PrintfLine("NOOP"))
		}
		_, err := held.raw.Read(make([]byte, 1))
		require.True(t, isTimeout(err), err)
		require.NoError(t, held.raw.SetReadDeadline(time.Time{}))
	}
	require.Equal(t, 250, talk(t, w, hostsOf(w, CatchAll)[0]).open(), "others talk on")
	release()
	require.Equal(t, 250, s.open())
	code, _ := before.hear()
	require.Equal(t, 250, code, "a session that was open before")
	require.Equal(t, 250, talk(t, w, h).open(), "and who comes later")
}

func TestDeadHostsRefuseTheConnection(t *testing.T) {
	w := quickGallery(t)
	for _, h := range []*host{hostsOf(w, Refused)[0], hostsOf(w, BackupMX)[0]} {
		_, err := w.Dial(t.Context(), "tcp", fmt.Sprintf("%s:%d", h.ip, w.SMTPPort()))
		require.ErrorContains(t, err, "refused")
	}
	require.Equal(t, 250, talk(t, w, hostsOf(w, BackupMX)[1]).open())
}

func TestSlowHostTakesASecondForEachReply(t *testing.T) {
	t.Parallel()
	w := started(t, Gallery(Options{}))
	s := talk(t, w, hostsOf(w, Slow)[0])
	began := time.Now()
	code, _ := s.hear()
	require.Equal(t, 220, code)
	require.GreaterOrEqual(t, time.Since(began), time.Second)
	require.Less(t, time.Since(began), 2500*time.Millisecond)
}

func TestOneRcptHostRefusesTheSecondRecipientOfASession(t *testing.T) {
	w := quickGallery(t)
	s := talk(t, w, hostsOf(w, OneRcpt)[0])
	require.Equal(t, 250, s.open())
	code, _ := s.rcpt("nobody@one-rcpt.test")
	require.Equal(t, 550, code)
	code, text := s.rcpt("info@one-rcpt.test")
	require.Equal(t, 452, code)
	require.Contains(t, text, "4.5.3")
}

func TestHostsThatEndTheSessionAtTheSecondRecipient(t *testing.T) {
	w := quickGallery(t)
	for b, want := range map[Behaviour]int{SecondRcptCloses: 421, SecondRcptDrops: 0} {
		s := talk(t, w, hostsOf(w, b)[0])
		require.Equal(t, 250, s.open())
		code, _ := s.rcpt("info@" + domainOf(b))
		require.Equal(t, 250, code, b)
		code, _ = s.rcpt("info@" + domainOf(b))
		require.Equal(t, want, code, b)
		code, _ = s.ask("NOOP")
		require.Zero(t, code, b)
	}
}

func TestHostThatClosesOnceServesTheSecondConnection(t *testing.T) {
	w := quickGallery(t)
	h := hostsOf(w, ClosesOnce)[0]
	require.Zero(t, talk(t, w, h).open())
	require.Equal(t, 250, talk(t, w, h).open())
}

func TestHostThatAcceptsAfterEnoughRecipientsTakesEverybodyThen(t *testing.T) {
	w := quickGallery(t)
	s := talk(t, w, hostsOf(w, AcceptsAfter)[0])
	require.Equal(t, 250, s.open())
	for n := range acceptsAfter + 3 {
		code, _ := s.rcpt("nobody@" + domainOf(AcceptsAfter))
		require.Equal(t, n >= acceptsAfter, code == 250, n)
	}
}

func TestHostThatFlipsRefusesOneShapeOfInventedNames(t *testing.T) {
	w := quickGallery(t)
	s := talk(t, w, hostsOf(w, Flips)[0])
	require.Equal(t, 250, s.open())
	code, _ := s.rcpt("tnobody@" + domainOf(Flips))
	require.Equal(t, 550, code)
	code, _ = s.rcpt("the.nobody@" + domainOf(Flips))
	require.Equal(t, 250, code)
}

func TestTarpitTakesItsTimeForEveryReply(t *testing.T) {
	w := quickGallery(t)
	h := hostsOf(w, Tarpit)[0]
	s := talk(t, w, h)
	began := time.Now()
	require.Equal(t, 250, s.open())
	require.GreaterOrEqual(t, time.Since(began), 3*h.manners.tarpit)
	require.Equal(t, tarpitWait, Tarpit.traits().hosts[0].tarpit)
}

func TestGreylistPassesTheTripletAfterItsTime(t *testing.T) {
	w := quickGallery(t)
	for _, c := range []struct {
		b           Behaviour
		otherPasses bool
	}{{Greylist, true}, {GreylistEach, false}} {
		domain := domainOf(c.b)
		s := talk(t, w, hostsOf(w, c.b)[0])
		require.Equal(t, 250, s.open())
		code, text := s.rcpt("info@" + domain)
		require.Equal(t, 451, code)
		require.Contains(t, text, "4.7.1")
		require.Contains(t, text, "Greylisted, try again in 1 seconds")
		require.Eventually(t, func() bool {
			code, _ := s.rcpt("info@" + domain)
			return code == 250
		}, 3*time.Second, 10*time.Millisecond)
		code, _ = s.rcpt("nobody@" + domain)
		require.Equal(t, c.otherPasses, code == 550, c.b)
	}
}

func TestTLSRequiredHostAnswersAfterSTARTTLS(t *testing.T) {
	w := quickGallery(t)
	for _, b := range []Behaviour{TLSRequired, Microsoft} {
		h := hostsOf(w, b)[0]
		s := talk(t, w, h)
		c, err := smtp.NewClient(s.raw, h.name)
		require.NoError(t, err)
		require.NoError(t, c.Hello("probe.test"))
		require.NoError(t, c.StartTLS(&tls.Config{InsecureSkipVerify: true}))
		require.NoError(t, c.Mail("probe@probe.test"))
		require.NoError(t, c.Rcpt("info@"+h.domain))
		require.ErrorContains(t, c.Rcpt("nobody@"+h.domain), "550")
		require.NoError(t, c.Quit())
	}
	require.Empty(t, w.Stats().FaultSamples)
}

func TestPipelinedGroupIsAnsweredInOrderWhereOffered(t *testing.T) {
	w := started(t, Demo())
	for _, h := range w.hosts {
		if c, _ := w.Company(h.domain); c.Behaviour != Accurate || !h.voice.pipelining {
			continue
		}
		s := talk(t, w, h)
		s.hear()
		_, text := s.ask("EHLO probe.test")
		require.Contains(t, text, "PIPELINING")
		_, err := s.raw.Write([]byte("MAIL FROM:<>\r\nRCPT TO:<nobody.at.all@" + h.domain + ">\r\nRCPT TO:<info@" + h.domain + ">\r\nRSET\r\nQUIT\r\n"))
		require.NoError(t, err)
		for _, want := range []int{250, 550, 250, 250, 221} {
			code, _ := s.hear()
			require.Equal(t, want, code)
		}
		require.Empty(t, w.Stats().FaultSamples)
		return
	}
	t.Fatal("no host offers PIPELINING")
}

func TestThreeHundredConcurrentSessionsAreAllAnswered(t *testing.T) {
	w := started(t, Gallery(Options{Latency: 2 * time.Millisecond}))
	h := hostsOf(w, Accurate)[0]
	var open, done sync.WaitGroup
	errs := make(chan error, 300)
	open.Add(300)
	for range 300 {
		s := talk(t, w, h)
		done.Add(1)
		go func() {
			defer done.Done()
			code := s.open()
			open.Done()
			open.Wait() // all are open at once here
			yes, _ := s.rcpt("info@accurate.test")
			no, _ := s.rcpt("nobody@accurate.test")
			bye, _ := s.ask("QUIT")
			if code != 250 || yes != 250 || no != 550 || bye != 221 {
				errs <- fmt.Errorf("%d %d %d %d", code, yes, no, bye)
			}
		}()
	}
	done.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	stats := w.Stats()
	require.Equal(t, 300, stats.Connections)
	require.Equal(t, 600, stats.RCPTs)
	require.Equal(t, 300, stats.PeakPerHost)
	require.Equal(t, 300, stats.Peak)
	require.Zero(t, stats.Faults)
	require.Equal(t, "mx1.accurate.test", stats.Hosts[0].Name)
}

// BenchmarkReplies counts RCPT round trips over sessions that stay open.
func BenchmarkReplies(b *testing.B) {
	w := started(b, Gallery(Options{}))
	h := hostsOf(w, Accurate)[0]
	b.RunParallel(func(pb *testing.PB) {
		s := talk(b, w, h)
		_ = s.raw.SetDeadline(time.Time{})
		s.open()
		for n := 0; pb.Next(); n++ {
			if n == maxCommands-10 { // the host ends very long sessions
				s = talk(b, w, h)
				_ = s.raw.SetDeadline(time.Time{})
				s.open()
				n = 0
			}
			if code, text := s.rcpt("nobody@accurate.test"); code != 550 {
				b.Fatal(code, text)
			}
		}
	})
}
