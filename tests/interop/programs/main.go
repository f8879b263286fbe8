// An echo peer over crypto/tls. It prints one line of JSON: what was negotiated, or the error.
package main

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

type report struct {
	Error    string `json:"error,omitempty"`
	Version  string `json:"version"`
	Suite    string `json:"suite"`
	Group    string `json:"group"`
	Alpn     string `json:"alpn"`
	Peer     string `json:"peer"`
	Echoed   int    `json:"echoed"`
	Exported string `json:"exported"`
}

var versions = map[string]uint16{"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

var groups = map[string]tls.CurveID{
	"X25519MLKEM768": tls.X25519MLKEM768, "X25519": tls.X25519, "secp256r1": tls.CurveP256,
	"secp384r1": tls.CurveP384, "secp521r1": tls.CurveP521,
}

func finish(r report, err error) {
	if err != nil {
		r.Error = err.Error()
	}
	json.NewEncoder(os.Stdout).Encode(r)
	os.Exit(0)
}

func describe(r *report, state tls.ConnectionState) {
	r.Version = tls.VersionName(state.Version)
	r.Suite = tls.CipherSuiteName(state.CipherSuite)
	r.Alpn = state.NegotiatedProtocol
	for name, id := range groups {
		if id == state.CurveID {
			r.Group = name
		}
	}
	if len(state.PeerCertificates) > 0 {
		r.Peer = state.PeerCertificates[0].Subject.CommonName
	}
	if material, err := state.ExportKeyingMaterial("EXPORTER-test", []byte("context"), 32); err == nil {
		r.Exported = hex.EncodeToString(material)
	}
}

func main() {
	role := flag.String("role", "client", "client or server")
	port := flag.Int("port", 0, "port to connect to")
	ca := flag.String("ca", "", "trusted certificates")
	chain := flag.String("chain", "", "own certificates")
	key := flag.String("key", "", "own key")
	low := flag.String("min", "1.2", "lowest version")
	high := flag.String("max", "1.3", "highest version")
	suites := flag.String("suites", "", "suites of TLS 1.2, by IANA's names")
	curves := flag.String("groups", "", "groups")
	alpn := flag.String("alpn", "", "application protocols")
	auth := flag.String("auth", "", "ask for a client certificate: request or require")
	size := flag.Int("size", 5, "bytes to echo")
	flag.Parse()

	pem, err := os.ReadFile(*ca)
	if err != nil {
		finish(report{}, err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	config := &tls.Config{
		MinVersion: versions[*low], MaxVersion: versions[*high], RootCAs: roots, ClientCAs: roots, ServerName: "localhost",
	}
	if *chain != "" {
		pair, err := tls.LoadX509KeyPair(*chain, *key)
		if err != nil {
			finish(report{}, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if *alpn != "" {
		config.NextProtos = strings.Split(*alpn, ",")
	}
	for _, name := range strings.Split(*curves, ",") {
		if id, ok := groups[name]; ok {
			config.CurvePreferences = append(config.CurvePreferences, id)
		}
	}
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		for _, name := range strings.Split(*suites, ",") {
			if suite.Name == name {
				config.CipherSuites = append(config.CipherSuites, suite.ID)
			}
		}
	}
	switch *auth {
	case "request":
		config.ClientAuth = tls.VerifyClientCertIfGiven
	case "require":
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}

	var r report
	var connection *tls.Conn
	if *role == "server" {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			finish(r, err)
		}
		fmt.Printf("port %d\n", listener.Addr().(*net.TCPAddr).Port)
		plain, err := listener.Accept()
		if err != nil {
			finish(r, err)
		}
		plain.SetDeadline(time.Now().Add(30 * time.Second))
		connection = tls.Server(plain, config)
		if err := connection.Handshake(); err != nil {
			connection.Close()
			finish(r, err)
		}
		describe(&r, connection.ConnectionState())
		buffer := make([]byte, 65536)
		for {
			count, err := connection.Read(buffer)
			if count > 0 {
				r.Echoed += count
				if _, err := connection.Write(buffer[:count]); err != nil {
					finish(r, err)
				}
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				finish(r, err)
			}
		}
		finish(r, connection.Close())
	}

	plain, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		finish(r, err)
	}
	plain.SetDeadline(time.Now().Add(30 * time.Second))
	connection = tls.Client(plain, config)
	if err := connection.Handshake(); err != nil {
		finish(r, err)
	}
	data := make([]byte, *size)
	rand.Read(data)
	go connection.Write(data)
	received := make([]byte, *size)
	if _, err := io.ReadFull(connection, received); err != nil {
		finish(r, err)
	}
	if !bytes.Equal(data, received) {
		finish(r, fmt.Errorf("the echo is not what was sent"))
	}
	r.Echoed = *size
	describe(&r, connection.ConnectionState())
	finish(r, connection.Close())
}
