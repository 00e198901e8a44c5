package decode_test

import (
	"testing"

	"github.com/postern/postern/internal/decode"
)

func TestURITarget(t *testing.T) {
	for _, tt := range []struct {
		uri  string
		want decode.Target
		ok   bool
	}{
		{"http://www.example.com/", decode.Target{"http", "www.example.com", 80}, true},
		{"HTTPS://WWW.Example.com.", decode.Target{"https", "www.example.com", 443}, true},
		{"https://www.example.com:8443?a", decode.Target{"https", "www.example.com", 8443}, true},
		{"http://u:p@www.example.com:81/a:1?b@c", decode.Target{"http", "www.example.com", 81}, true},
		{"http://a.example:80@b.example/", decode.Target{"http", "b.example", 80}, true},
		{"http://[2001:DB8::1]:81/", decode.Target{"http", "2001:db8::1", 81}, true},
		{"http://[2001:db8::1]/", decode.Target{"http", "2001:db8::1", 80}, true},
		{"http://www.example.com:99999/", decode.Target{"http", "www.example.com", 80}, true},
		{"http://bad\xffname/", decode.Target{"http", "bad\uFFFDname", 80}, true},
		{"http:///path", decode.Target{"http", "", 80}, true},
		{"http:/www.example.com/", decode.Target{}, false},
		{"httpx://www.example.com/", decode.Target{}, false},
		{"ftp://www.example.com/", decode.Target{}, false},
		{"/?u=http://www.example.com/", decode.Target{}, false},
		{"error:invalid-request", decode.Target{}, false},
		{"", decode.Target{}, false},
	} {
		if got, ok := decode.URITarget([]byte(tt.uri)); got != tt.want || ok != tt.ok {
			t.Errorf("%s: %+v, %v, want %+v, %v", tt.uri, got, ok, tt.want, tt.ok)
		}
	}
}

func TestAuthorityTarget(t *testing.T) {
	for authority, want := range map[string]decode.Target{
		"www.Example.com:443":   {Host: "www.example.com", Port: 443},
		"www.example.com":       {Host: "www.example.com"},
		"www.example.com:https": {Host: "www.example.com"},
		"www.example.com:-1":    {Host: "www.example.com"},
		"www.example.com:65536": {Host: "www.example.com"},
		"www.example.com:":      {Host: "www.example.com"},
		"u@h:1":                 {Host: "h", Port: 1},
		"[::1]:443":             {Host: "::1", Port: 443},
		"[::1]x:443":            {Host: "::1"},
		"[::1":                  {Host: "::1"},
		"2001:db8::1":           {Host: "2001:db8::1"},
		":443":                  {Port: 443},
		"":                      {},
	} {
		if got := decode.AuthorityTarget([]byte(authority)); got != want {
			t.Errorf("%s: %+v, want %+v", authority, got, want)
		}
	}
}
