//go:build ignore

// A peer over crypto/tls that makes several connections, one after another, and says of each whether it resumed.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"time"
)

func fail(err error) {
	json.NewEncoder(os.Stdout).Encode(map[string]string{"error": err.Error()})
	os.Exit(0)
}

func main() {
	role := flag.String("role", "client", "client or server")
	port := flag.Int("port", 0, "port to connect to")
	ca := flag.String("ca", "", "trusted certificates")
	chain := flag.String("chain", "", "own certificates")
	key := flag.String("key", "", "own key")
	times := flag.Int("times", 2, "connections")
	flag.Parse()

	pem, err := os.ReadFile(*ca)
	if err != nil {
		fail(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	config := &tls.Config{RootCAs: roots, ServerName: "localhost", ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	if *chain != "" {
		pair, err := tls.LoadX509KeyPair(*chain, *key)
		if err != nil {
			fail(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	var listener net.Listener
	if *role == "server" {
		if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			fail(err)
		}
		fmt.Printf("port %d\n", listener.Addr().(*net.TCPAddr).Port)
	}
	resumed := []bool{}
	one := make([]byte, 1)
	for count := 0; count < *times; count++ {
		var connection *tls.Conn
		if *role == "server" {
			plain, err := listener.Accept()
			if err != nil {
				fail(err)
			}
			plain.SetDeadline(time.Now().Add(20 * time.Second))
			connection = tls.Server(plain, config)
			if _, err := connection.Read(one); err != nil {
				fail(err)
			}
			if _, err := connection.Write(one); err != nil {
				fail(err)
			}
			connection.Read(one)
		} else {
			plain, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
			if err != nil {
				fail(err)
			}
			plain.SetDeadline(time.Now().Add(20 * time.Second))
			connection = tls.Client(plain, config)
			if _, err := connection.Write([]byte("x")); err != nil {
				fail(err)
			}
			if _, err := connection.Read(one); err != nil {
				fail(err)
			}
		}
		resumed = append(resumed, connection.ConnectionState().DidResume)
		connection.Close()
	}
	json.NewEncoder(os.Stdout).Encode(map[string][]bool{"resumed": resumed})
}
