// A peer of the TLS tests by Go's crypto/tls: `peer serve VERSION CERTIFICATE KEY`, `peer ask VERSION AUTHORITY PORT`.
// Each ends its sends with close_notify, reads to the other's, and says where anything else came.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
)

var versions = map[string]uint16{"TLSv1_2": tls.VersionTLS12, "TLSv1_3": tls.VersionTLS13}

func must(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func main() {
	version := versions[os.Args[2]]
	config := &tls.Config{MinVersion: version, MaxVersion: version}
	if os.Args[1] == "serve" {
		certificate, err := tls.LoadX509KeyPair(os.Args[3], os.Args[4])
		must(err)
		config.Certificates = []tls.Certificate{certificate}
		listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
		must(err)
		fmt.Println(listener.Addr().(*net.TCPAddr).Port)
		connection, err := listener.Accept()
		must(err)
		question, err := io.ReadAll(connection)
		must(err)
		_, err = connection.Write(bytes.ToUpper(question))
		must(err)
		must(connection.Close())
		return
	}
	pem, err := os.ReadFile(os.Args[3])
	must(err)
	config.RootCAs, config.ServerName = x509.NewCertPool(), "localhost"
	config.RootCAs.AppendCertsFromPEM(pem)
	connection, err := tls.Dial("tcp", "127.0.0.1:"+os.Args[4], config)
	must(err)
	question, err := io.ReadAll(os.Stdin)
	must(err)
	_, err = connection.Write(question)
	must(err)
	must(connection.CloseWrite())
	answer, err := io.ReadAll(connection)
	must(err)
	os.Stdout.Write(answer)
}
