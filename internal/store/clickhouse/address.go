package clickhouse

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// Scheme begins the address of a store in ClickHouse:
//
//	clickhouse://USER@HOST:PORT/DATABASE?cluster=NAME
//
// The user is "default" and the port 9000, or 9440 with TLS, unless named. The
// options are:
//
//	cluster        the cluster of the server's configuration over which the tables lie
//	password_file  the file with the password
//	secure         "true" for TLS
//	ca             the file with the certificates (PEM) of who may vouch for the
//	               server; the system's without
const Scheme = "clickhouse://"

// An address says where a store is and how to get in.
type address struct {
	host, port, user, password string
	database, cluster          string
	tls                        *tls.Config
}

// identifier bounds names that become a part of SQL.
var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,127}$`)

// parse reads an address. The password is used unless the address names a file.
// No error shows what may be a secret.
func parse(text, password string) (address, error) {
	u, err := url.Parse(text)
	if err != nil {
		return address{}, errors.New("not an address of the form clickhouse://user@host:9000/database")
	}
	if _, set := u.User.Password(); set {
		return address{}, errors.New("the address holds a password: name a file with ?password_file=, or use the environment")
	}
	a := address{
		host: u.Hostname(), port: u.Port(), user: cmp.Or(u.User.Username(), "default"),
		password: password, database: strings.Trim(u.Path, "/"),
	}
	if a.host == "" {
		return address{}, errors.New("the address names no host")
	}
	if !identifier.MatchString(a.database) {
		return address{}, fmt.Errorf("%q is no name of a database: letters, digits and underscores", a.database)
	}
	return a.options(u.Query())
}

func (a address) options(q url.Values) (address, error) {
	secure := false
	ca := ""
	for name, values := range q {
		var err error
		switch value := values[len(values)-1]; name {
		case "cluster":
			if a.cluster = value; !identifier.MatchString(value) {
				err = fmt.Errorf("%q is no name of a cluster", value)
			}
		case "password_file":
			a.password, err = secret(value)
		case "secure":
			secure, err = strconv.ParseBool(value)
		case "ca":
			ca = value
		default:
			err = errors.New("no such option: there are cluster, password_file, secure and ca")
		}
		if err != nil {
			return a, fmt.Errorf("option %s: %w", name, err)
		}
	}
	return a.secured(secure, ca)
}

// secured adds TLS and the port.
func (a address) secured(secure bool, ca string) (address, error) {
	if !secure {
		if ca != "" {
			return a, errors.New("option ca: of no use without secure=true")
		}
		a.port = cmp.Or(a.port, "9000")
		return a, nil
	}
	a.port = cmp.Or(a.port, "9440")
	a.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	if ca == "" {
		return a, nil
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return a, fmt.Errorf("option ca: %w", err)
	}
	a.tls.RootCAs = x509.NewCertPool()
	if !a.tls.RootCAs.AppendCertsFromPEM(pem) {
		return a, fmt.Errorf("option ca: %s holds no certificate", ca)
	}
	return a, nil
}

// secret reads a password: the first line of a file.
func secret(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

// at returns the address of another server of the cluster.
func (a address) at(host string, port uint16) address {
	a.host, a.port = host, strconv.Itoa(int(port))
	return a
}

// String returns the server and the database, without user and secrets.
func (a address) String() string {
	return net.JoinHostPort(a.host, a.port) + "/" + a.database
}
