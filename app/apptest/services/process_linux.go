package services

import (
	"os"
	"syscall"
)

// attributes make the child end with this process, however that ends, and belong to the account.
func attributes(as *account, atDeath os.Signal) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C in the terminal is for the tests alone
	if sig, ok := atDeath.(syscall.Signal); ok {
		a.Pdeathsig = sig
	}
	if as != nil {
		a.Credential = &syscall.Credential{Uid: uint32(as.uid), Gid: uint32(as.gid)}
	}
	return a
}

func dead(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH }
