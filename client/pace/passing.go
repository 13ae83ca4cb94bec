package pace

import (
	"crypto/x509"
	"errors"
	"net"
)

// Passing tells a network failure that time may heal from one that it cannot:
// a name that does not exist, a certificate that is not trusted.
func Passing(err error) bool {
	if err == nil {
		return false
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return false
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return false
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return false
	}
	if _, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return false
	}
	return true
}
