package mailworld

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/miekg/dns"
)

const (
	portTries = 8
	certLife  = 24 * time.Hour
)

// bind opens one listener for each living host: on the host's own address and the common port, or, where the system has
// no 127.64.0.0/16, on 127.0.0.1 with a port for each.
func (r *run) bind() (map[net.Listener]*host, error) {
	living := r.living()
	if len(living) == 0 {
		r.port = 25
		return nil, nil
	}
	for try := 1; ; try++ {
		bound, err := r.bindOwn(living)
		switch {
		case err == nil:
			return bound, nil
		case errors.Is(err, syscall.EADDRNOTAVAIL), r.world.oneAddress:
			return r.bindShared(living)
		case r.world.options.Port != 0 || try == portTries || !errors.Is(err, syscall.EADDRINUSE):
			return nil, fmt.Errorf("listening for %d mail hosts: %w", len(living), err)
		}
	}
}

func (r *run) living() []*host {
	var living []*host
	for _, h := range r.world.hosts {
		if !h.manners.dead {
			living = append(living, h)
		}
	}
	return living
}

func (r *run) bindOwn(living []*host) (map[net.Listener]*host, error) {
	if r.world.oneAddress {
		return nil, syscall.EADDRNOTAVAIL
	}
	bound := make(map[net.Listener]*host, len(living))
	port := r.world.options.Port
	for _, h := range living {
		l, err := net.Listen("tcp4", net.JoinHostPort(h.ip.String(), strconv.Itoa(port)))
		if err != nil {
			r.dropListeners()
			return nil, err
		}
		port = l.Addr().(*net.TCPAddr).Port
		bound[l] = h
		r.listeners = append(r.listeners, l)
	}
	r.port = port
	return bound, nil
}

func (r *run) bindShared(living []*host) (map[net.Listener]*host, error) {
	bound := make(map[net.Listener]*host, len(living))
	r.shared = make(map[string]string, len(living))
	for _, h := range living {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			r.dropListeners()
			return nil, fmt.Errorf("listening for %d mail hosts: %w", len(living), err)
		}
		bound[l] = h
		r.listeners = append(r.listeners, l)
		r.shared[h.ip.String()] = l.Addr().String()
	}
	r.port = r.world.options.Port
	if r.port == 0 {
		r.port = r.listeners[0].Addr().(*net.TCPAddr).Port
	}
	return bound, nil
}

func (r *run) dropListeners() {
	for _, l := range r.listeners {
		_ = l.Close()
	}
	r.listeners = nil
}

// resolve turns an address of the world into one that can be dialled on this system.
func (w *World) resolve(addr string) (string, error) {
	r := w.current()
	if r == nil || r.closing() {
		return "", errors.New("the mail world is not running")
	}
	ip, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	ip = v4Of(ip)
	if !w.hasHost(ip) || port != strconv.Itoa(r.port) {
		return "", fmt.Errorf("%s is no mail host of this world: %w", addr, syscall.ECONNREFUSED)
	}
	if r.shared == nil {
		return net.JoinHostPort(ip, port), nil
	}
	there, ok := r.shared[ip]
	if !ok {
		return "", syscall.ECONNREFUSED
	}
	return there, nil
}

// hasHost inverts hostAddr.
func (w *World) hasHost(ip string) bool {
	b := net.ParseIP(ip).To4()
	if b == nil || b[0] != 127 || b[1] < 64 || b[3] == 0 {
		return false
	}
	n := (int(b[1]-64)*256+int(b[2]))*hostsPerNet + int(b[3]) - 1
	return n < len(w.hosts) && w.hosts[n].ip.String() == ip
}

// startDNS serves UDP and TCP on one port of 127.0.0.1.
func (r *run) startDNS() error {
	udp, tcp, err := listenBoth(r.world.options.DNSPort)
	if err != nil {
		return fmt.Errorf("listening for DNS: %w", err)
	}
	r.dnsAddr = udp.LocalAddr().String()
	for _, s := range []*dns.Server{{PacketConn: udp, Handler: r}, {Listener: tcp, Handler: r}} {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		r.dns = append(r.dns, s)
		r.wg.Add(1)
		go func() {
			defer r.wg.Done()
			_ = s.ActivateAndServe() // ends with Shutdown
		}()
		<-started
	}
	return nil
}

func listenBoth(port int) (net.PacketConn, net.Listener, error) {
	for try := 1; ; try++ {
		tcp, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return nil, nil, err
		}
		udp, err := net.ListenPacket("udp4", tcp.Addr().String())
		if err == nil {
			return udp, tcp, nil
		}
		_ = tcp.Close()
		if port != 0 || try == portTries {
			return nil, nil, err
		}
	}
}

// selfSigned makes the certificate of all STARTTLS hosts, as small mail servers have it.
func selfSigned() (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.mailworld.test"},
		DNSNames: []string{"mail.mailworld.test"}, NotBefore: now.Add(-certLife), NotAfter: now.Add(certLife),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, nil
}
