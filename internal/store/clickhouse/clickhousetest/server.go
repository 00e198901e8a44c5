// Package clickhousetest starts ClickHouse servers of a test's own.
package clickhousetest

import (
	"encoding/xml"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Server listens on loopback until its test ends. Its user "default" has no
// password, "locked" has Password, and "reader" may only read.
type Server struct {
	Port, SecurePort int

	dir  string
	cmd  *exec.Cmd
	stop func()
}

// Password is that of the user "locked".
const Password = "a 'quoted' päss"

// Cluster is the name of the cluster that the servers of StartCluster make.
const Cluster = "estate"

// Address returns the address of a store in a database of s.
func (s *Server) Address(database string) string {
	return fmt.Sprintf("clickhouse://127.0.0.1:%d/%s", s.Port, database)
}

// Start starts a server. The test is skipped where none is installed.
func Start(t testing.TB) *Server {
	t.Helper()
	return StartCluster(t, 1)[0]
}

// StartCluster starts n servers that know each other as the shards of Cluster.
func StartCluster(t testing.TB, n int) []*Server {
	t.Helper()
	program := find()
	if program == "" {
		t.Skip("clickhouse-server is not installed (Debian: apt-get install clickhouse-server)")
	}
	servers := make([]*Server, n)
	free := ports(t, 2*n)
	for i := range servers {
		servers[i] = &Server{Port: free[2*i], SecurePort: free[2*i+1], dir: t.TempDir()}
		servers[i].certify(t)
	}
	for _, s := range servers {
		s.configure(t, servers)
		s.start(t, program)
	}
	for _, s := range servers {
		s.await(t)
	}
	return servers
}

// find looks for the server where Debian puts it, too.
func find() string {
	for _, name := range []string{"clickhouse-server", "/usr/sbin/clickhouse-server", "/usr/bin/clickhouse-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// ports returns n ports that nobody listens on.
func ports(t testing.TB, n int) []int {
	t.Helper()
	free := make([]int, n)
	for i := range free {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }() // all at the end: no port is given twice
		free[i] = l.Addr().(*net.TCPAddr).Port
	}
	return free
}

func (s *Server) configure(t testing.TB, all []*Server) {
	t.Helper()
	var shards strings.Builder
	for _, other := range all {
		fmt.Fprintf(&shards, "<shard><replica><host>127.0.0.1</host><port>%d</port></replica></shard>", other.Port)
	}
	path := func(name string) string {
		var b strings.Builder
		if err := xml.EscapeText(&b, []byte(filepath.Join(s.dir, name)+"/")); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for name, text := range map[string]string{
		"config.xml": fmt.Sprintf(`<yandex>
	<logger><level>warning</level><console>1</console></logger>
	<tcp_port>%d</tcp_port><tcp_port_secure>%d</tcp_port_secure><openSSL><server>
		<certificateFile>%sca.pem</certificateFile><privateKeyFile>%skey.pem</privateKeyFile>
		<verificationMode>none</verificationMode><disableProtocols>sslv2,sslv3</disableProtocols>
	</server></openSSL><listen_host>127.0.0.1</listen_host>
	<path>%s</path><tmp_path>%s</tmp_path><user_files_path>%s</user_files_path><format_schema_path>%s</format_schema_path>
	<mark_cache_size>16777216</mark_cache_size>
	<users_config>users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
	<remote_servers><%s>%s</%s></remote_servers>
</yandex>`, s.Port, s.SecurePort, path(""), path(""), path("data"), path("tmp"), path("files"), path("formats"), Cluster, shards.String(), Cluster),
		"users.xml": `<yandex>
	<profiles><default><max_memory_usage>1000000000</max_memory_usage><max_threads>2</max_threads></default><reader><readonly>2</readonly></reader></profiles>
	<quotas><default></default></quotas>
	<users>` + user("default", "", "default") + user("locked", Password, "default") + user("reader", "", "reader") + `</users>
</yandex>`,
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func user(name, password, profile string) string {
	return fmt.Sprintf("<%s><password>%s</password><networks><ip>127.0.0.1</ip></networks><profile>%s</profile><quota>default</quota></%s>",
		name, password, profile, name)
}

// supervise runs the server until standard input ends: with the test, however
// that ends. A server that is asked to end waits for its clients; nothing of this
// one is kept.
const supervise = `"$@" & pid=$!; read -r _; kill -9 "$pid"; wait "$pid"`

func (s *Server) start(t testing.TB, program string) {
	t.Helper()
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	s.cmd = exec.Command("/bin/sh", "-c", supervise, "sh", program, "--config-file="+filepath.Join(s.dir, "config.xml"))
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.dir, log, log
	in, err := s.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.stop = sync.OnceFunc(func() {
		// The exit code is that of a program that was told to end.
		_, _ = in.Close(), s.cmd.Wait()
	})
	t.Cleanup(s.stop)
}

// Stop ends the server before its test does.
func (s *Server) Stop() { s.stop() }

// await waits until the server listens.
func (s *Server) await(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.Port))
		if err == nil {
			_ = c.Close()
			return
		}
	}
	s.stop()
	log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	t.Fatalf("ClickHouse does not listen after a minute; it says:\n%.4000s", log)
}
