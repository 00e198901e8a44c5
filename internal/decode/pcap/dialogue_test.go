package pcap

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"
)

// An utterance is what one end wrote at once.
type utterance struct {
	from int
	data []byte
}

// A recorder notes what both ends of a connection write, in order.
type recorder struct {
	mu  sync.Mutex
	all []utterance
}

// A recorded is one end of a connection.
type recorded struct {
	net.Conn
	from int
	to   *recorder
}

// Write implements [net.Conn].
func (c recorded) Write(b []byte) (int, error) {
	c.to.mu.Lock()
	c.to.all = append(c.to.all, utterance{c.from, append([]byte(nil), b...)})
	c.to.mu.Unlock()
	return c.Conn.Write(b)
}

// serverCertificate returns a self-signed certificate.
func serverCertificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	name := pkix.Name{CommonName: "c2.example", Organization: []string{"Jörg, Söhne"}}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: name, Issuer: name,
		NotBefore: epoch.Add(-time.Hour), NotAfter: epoch.Add(time.Hour),
	}, &x509.Certificate{SerialNumber: big.NewInt(7), Subject: name}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// shake lets Go's own TLS shake hands, say something each, and hang up. It
// returns what both wrote.
func shake(t testing.TB, clientConfig, serverConfig *tls.Config) []utterance {
	t.Helper()
	r := new(recorder)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		b, err := l.Accept()
		if err != nil {
			return
		}
		defer b.Close()
		s := tls.Server(recorded{b, fromServer, r}, serverConfig)
		buf := make([]byte, 100)
		if n, err := s.Read(buf); err == nil {
			s.Write(buf[:n])
		}
	}()
	a, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Client(recorded{a, fromClient, r}, clientConfig)
	if _, err := c.Write([]byte("hello")); err == nil {
		c.Read(make([]byte, 100))
	}
	a.Close()
	<-done
	return r.all
}

// replay sends utterances as segments of a connection.
func (k *talk) replay(all []utterance) *talk {
	for _, u := range all {
		k.say(u.from, u.data)
	}
	return k
}
