package clickhouse

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	dir := t.TempDir()
	secretFile := filepath.Join(dir, "secret")
	if err := os.WriteFile(secretFile, []byte("from a file\r\nnot this\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at   string
		want address
		tls  bool
	}{
		{"clickhouse://h/db", address{host: "h", port: "9000", user: "default", password: "given", database: "db"}, false},
		{"clickhouse://u@h:9001/db/", address{host: "h", port: "9001", user: "u", password: "given", database: "db"}, false},
		{"clickhouse://u@[2001:db8::1]/db", address{host: "2001:db8::1", port: "9000", user: "u", password: "given", database: "db"}, false},
		{
			"clickhouse://h/db?cluster=estate-1&password_file=" + secretFile,
			address{host: "h", port: "9000", user: "default", password: "from a file", database: "db", cluster: "estate-1"}, false,
		},
		{"clickhouse://h/db?secure=true", address{host: "h", port: "9440", user: "default", password: "given", database: "db"}, true},
		{"clickhouse://h:9000/db?secure=1", address{host: "h", port: "9000", user: "default", password: "given", database: "db"}, true},
	} {
		got, err := parse(c.at, "given")
		if err != nil {
			t.Errorf("%s: %v", c.at, err)
			continue
		}
		if (got.tls != nil) != c.tls {
			t.Errorf("%s: TLS is %v", c.at, got.tls != nil)
		}
		if got.tls = nil; got != c.want {
			t.Errorf("%s: %+v, want %+v", c.at, got, c.want)
		}
		if shown := got.String(); strings.Contains(shown, got.password) || strings.Contains(shown, "u@") {
			t.Errorf("%s is shown as %s", c.at, shown)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for at, says := range map[string]string{
		"clickhouse://u:hunter2@h/db":                        "holds a password",
		"clickhouse://u:@h/db":                               "holds a password",
		"clickhouse://u:hunter2%zz@h/db":                     "not an address",
		"clickhouse:///db":                                   "no host",
		"clickhouse://h":                                     "no name of a database",
		"clickhouse://h/a b":                                 "no name of a database",
		"clickhouse://h/x';DROP":                             "no name of a database",
		"clickhouse://h/x`y":                                 "no name of a database",
		"clickhouse://h/db?cluster=x'y":                      "no name of a cluster",
		"clickhouse://h/db?cluster=":                         "no name of a cluster",
		"clickhouse://h/db?clustre=x":                        "option clustre: no such option",
		"clickhouse://h/db?secure=perhaps":                   "option secure",
		"clickhouse://h/db?ca=" + text:                       "without secure=true",
		"clickhouse://h/db?secure=true&ca=" + text:           "holds no certificate",
		"clickhouse://h/db?secure=true&ca=" + text + ".none": "option ca",
		"clickhouse://h/db?password_file=" + text + ".none":  "option password_file",
	} {
		_, err := parse(at, "hunter3")
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v does not say %q", at, err, says)
			continue
		}
		if strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: error %q shows a secret", at, err)
		}
	}
}
