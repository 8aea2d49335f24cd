package probe

import "syscall"

// PublicOnly is a net.Dialer.Control that refuses addresses that are not public, for whatever else dials where a stranger says:
// it judges the address that is really dialled, so that a name that resolves anew gains nothing. allowPrivate lets loopback
// and private networks through, never cloud metadata.
func PublicOnly(allowPrivate bool) func(network, addr string, _ syscall.RawConn) error {
	return dialControl(allowPrivate)
}
