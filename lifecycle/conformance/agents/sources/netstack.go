// A socket agent over gVisor's netstack, a TCP/IP stack of its own on a loopback link of its own (docs/reference/agents.md).
// With Debian's golang-inet-netstack-dev:   GO111MODULE=off GOPATH=/usr/share/gocode go build -o agent netstack.go
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"inet.af/netstack/tcpip"
	"inet.af/netstack/tcpip/header"
	"inet.af/netstack/tcpip/link/loopback"
	"inet.af/netstack/tcpip/network/ipv4"
	"inet.af/netstack/tcpip/stack"
	"inet.af/netstack/tcpip/transport/icmp"
	"inet.af/netstack/tcpip/transport/tcp"
	"inet.af/netstack/tcpip/transport/udp"
	"inet.af/netstack/waiter"
)

const hello = "ok protocol=1 agent=netstack platform=linux peers=own"

const (
	slots   = 4096
	most    = 1 << 20
	forEver = -1
	drained = 5 * time.Millisecond // another goroutine carries what was sent to the peer
	late    = "timeout"
	here    = tcpip.Address("\x7f\x00\x00\x01")
)

type slot struct {
	end      tcpip.Endpoint
	queue    *waiter.Queue
	wait     time.Duration
	isStream bool
}

var (
	all    [slots]*slot
	world  *stack.Stack
	buffer = make([]byte, most)
)

// As gVisor's system calls name them (pkg/syserr).
var names = map[string]string{
	"AddressFamilyNotSupported": "EAFNOSUPPORT", "Aborted": "EPIPE", "AlreadyBound": "EINVAL", "AlreadyConnected": "EISCONN",
	"AlreadyConnecting": "EALREADY", "BadAddress": "EADDRNOTAVAIL", "BadBuffer": "EFAULT", "BadLocalAddress": "EADDRNOTAVAIL",
	"BroadcastDisabled": "EACCES", "ClosedForReceive": "EOF", "ClosedForSend": "EPIPE", "ConnectStarted": "EINPROGRESS",
	"ConnectionAborted": "ECONNABORTED", "ConnectionRefused": "ECONNREFUSED", "ConnectionReset": "ECONNRESET",
	"DestinationRequired": "EDESTADDRREQ", "DuplicateAddress": "EEXIST", "InvalidEndpointState": "EINVAL", "InvalidOptionValue": "EINVAL",
	"InvalidPortRange": "EINVAL", "MessageTooLong": "EMSGSIZE", "NetworkUnreachable": "ENETUNREACH", "NoBufferSpace": "ENOBUFS",
	"NoPortAvailable": "EAGAIN", "NoRoute": "EHOSTUNREACH", "NotConnected": "ENOTCONN", "NotPermitted": "EPERM",
	"NotSupported": "EOPNOTSUPP", "PortInUse": "EADDRINUSE", "Timeout": "ETIMEDOUT", "UnknownProtocol": "EINVAL",
	"UnknownProtocolOption": "ENOPROTOOPT", "WouldBlock": "EAGAIN",
}

func name(err tcpip.Error) string {
	kind := strings.TrimPrefix(fmt.Sprintf("%T", err), "*tcpip.Err")
	if names[kind] != "" {
		return names[kind]
	}
	return kind
}

func done(err tcpip.Error) string {
	if err != nil {
		return "err " + name(err)
	}
	return "ok"
}

func named(found tcpip.FullAddress, err tcpip.Error) string {
	if err != nil {
		return "err " + name(err)
	}
	host := net.IP(found.Addr)
	if len(host) == 0 {
		host = net.IPv4zero
	}
	return fmt.Sprintf("ok %s %d", host, found.Port)
}

func address(host, port string) (found tcpip.FullAddress, isOfFamily bool) {
	number, _ := strconv.Atoi(port)
	parsed := net.ParseIP(host)
	four := parsed.To4()
	if parsed.IsUnspecified() {
		return tcpip.FullAddress{Port: uint16(number)}, four != nil
	}
	return tcpip.FullAddress{Addr: tcpip.Address(four), Port: uint16(number)}, four != nil
}

// Make the call, and again when something has happened, as long as the socket may wait; isLate where that was not enough.
func (s *slot) until(mask waiter.EventMask, call func() tcpip.Error) (err tcpip.Error, isLate bool) {
	entry, happened := waiter.NewChannelEntry(mask | waiter.EventErr | waiter.EventHUp)
	s.queue.EventRegister(&entry)
	defer s.queue.EventUnregister(&entry)
	var ends <-chan time.Time
	for {
		err = call()
		if _, blocks := err.(*tcpip.ErrWouldBlock); !blocks || s.wait == 0 {
			return err, false
		}
		if s.wait > 0 && ends == nil {
			ends = time.After(s.wait)
		}
		select {
		case <-happened:
		case <-ends:
			return err, true
		}
	}
}

// What is waited for, in the states of TCP.
func (s *slot) is(what string) bool {
	if !s.isStream {
		events := map[string]waiter.EventMask{"writable": waiter.WritableEvents, "hung_up": waiter.EventErr}[what]
		if events == 0 {
			events = waiter.ReadableEvents | waiter.EventErr
		}
		return s.end.Readiness(events) != 0
	}
	state := tcp.EndpointState(s.end.State())
	switch what {
	case "readable":
		return s.end.Readiness(waiter.ReadableEvents) != 0
	case "writable":
		return s.end.Readiness(waiter.WritableEvents) != 0
	case "at_end":
		return state == tcp.StateCloseWait || state == tcp.StateLastAck || state == tcp.StateClosing ||
			state == tcp.StateTimeWait || state == tcp.StateClose || state == tcp.StateError
	case "gone":
		return state == tcp.StateTimeWait || state == tcp.StateClose || state == tcp.StateError
	}
	return state == tcp.StateClose || state == tcp.StateError
}

func (s *slot) becomes(what string, wait time.Duration) bool {
	for ends := time.Now().Add(wait); !s.is(what); time.Sleep(50 * time.Microsecond) {
		if time.Now().After(ends) {
			return false
		}
	}
	return true
}

func (s *slot) connect(host, port string) string {
	to, isOfFamily := address(host, port)
	if !isOfFamily {
		return "err EAFNOSUPPORT"
	}
	if s.isStream && to.Addr == "" { // as the system call has it: this host
		to.Addr = here
	}
	err := s.end.Connect(to)
	if _, isStarted := err.(*tcpip.ErrConnectStarted); !isStarted || s.wait == 0 {
		return done(err)
	}
	_, isLate := s.until(waiter.WritableEvents, func() tcpip.Error {
		if s.is("writable") {
			return nil
		}
		return &tcpip.ErrWouldBlock{}
	})
	if isLate {
		return late
	}
	return done(s.end.LastError())
}

// Send it once, or, where the socket waits, until all is sent.
func (s *slot) send(data []byte, to *tcpip.FullAddress) string {
	sent := 0
	for {
		err, isLate := s.until(waiter.WritableEvents, func() tcpip.Error {
			var rest bytes.Reader
			rest.Reset(data[sent:])
			count, err := s.end.Write(&rest, tcpip.WriteOptions{To: to})
			sent += int(count)
			return err
		})
		switch {
		case sent == 0 && isLate:
			return late
		case sent == 0 && err != nil:
			return done(err)
		case sent >= len(data):
			return fmt.Sprintf("ok %d", sent)
		case (err != nil || s.wait == 0) && !s.becomes("writable", drained):
			return fmt.Sprintf("ok %d", sent)
		}
	}
}

func nobody(withSender bool) string {
	if withSender {
		return " - 0"
	}
	return ""
}

func (s *slot) receive(size int, peeks, withSender bool) string {
	if size == 0 && s.isStream && tcp.EndpointState(s.end.State()) != tcp.StateListen {
		if _, err := s.end.GetRemoteAddress(); err == nil { // the system call returns at once; a Read() of nothing would wait
			return "ok -" + nobody(withSender)
		}
	}
	if size > len(buffer) {
		size = len(buffer)
	}
	var got tcpip.ReadResult
	err, isLate := s.until(waiter.ReadableEvents, func() (err tcpip.Error) {
		into := tcpip.SliceWriter(buffer[:size])
		got, err = s.end.Read(&into, tcpip.ReadOptions{Peek: peeks, NeedRemoteAddr: true})
		return err
	})
	if isLate {
		return late
	}
	switch err.(type) {
	case *tcpip.ErrClosedForReceive: // the end, as the system call says it
		return "ok -" + nobody(withSender)
	case *tcpip.ErrBadBuffer: // a datagram that is larger than that
	case nil:
	default:
		return done(err)
	}
	answer := "ok -"
	if got.Count > 0 {
		answer = "ok " + hex.EncodeToString(buffer[:got.Count])
	}
	if withSender && !s.isStream {
		return answer + strings.TrimPrefix(named(got.RemoteAddr, nil), "ok")
	}
	return answer + nobody(withSender)
}

func (s *slot) option(option string, value int) string {
	switch option {
	case "SO_REUSEADDR":
		s.end.SocketOptions().SetReuseAddress(value != 0)
	case "SO_RCVBUF":
		s.end.SocketOptions().SetReceiveBufferSize(int64(value), true)
	case "SO_SNDBUF":
		s.end.SocketOptions().SetSendBufferSize(int64(value), true)
	default:
		return "err ENOPROTOOPT"
	}
	return "ok"
}

func seconds(word string) time.Duration {
	if word == "none" {
		return forEver
	}
	found, _ := strconv.ParseFloat(word, 64)
	return time.Duration(found * float64(time.Second))
}

func open(number int, isStream bool) string {
	queue, protocol := &waiter.Queue{}, udp.ProtocolNumber
	if isStream {
		protocol = tcp.ProtocolNumber
	}
	end, err := world.NewEndpoint(protocol, ipv4.ProtocolNumber, queue)
	if err == nil {
		all[number] = &slot{end: end, queue: queue, wait: forEver, isStream: isStream}
	}
	return done(err)
}

func act(words []string) string {
	number, _ := strconv.Atoi(words[1])
	switch words[0] {
	case "hello":
		return hello
	case "socket":
		return open(number, words[2] == "stream")
	}
	s := all[number]
	if s == nil {
		if words[0] == "forget" {
			return "ok"
		}
		return "err EBADF"
	}
	word := func(at int) string {
		if len(words) > at {
			return words[at]
		}
		return ""
	}
	size, _ := strconv.Atoi(word(2))
	switch words[0] {
	case "timeout":
		s.wait = seconds(words[2])
		return "ok"
	case "bind":
		at, isOfFamily := address(words[2], words[3])
		if !isOfFamily {
			return "err EAFNOSUPPORT"
		}
		return done(s.end.Bind(at))
	case "listen":
		return done(s.end.Listen(size))
	case "accept":
		var from tcpip.FullAddress
		err, isLate := s.until(waiter.ReadableEvents, func() tcpip.Error {
			end, queue, err := s.end.Accept(&from)
			if err == nil {
				all[size] = &slot{end: end, queue: queue, wait: forEver, isStream: true}
			}
			return err
		})
		if isLate {
			return late
		}
		return named(from, err)
	case "connect":
		return s.connect(words[2], words[3])
	case "send", "sendto", "fill":
		var data []byte
		if words[0] == "fill" {
			data = make([]byte, size)
		} else {
			data, _ = hex.DecodeString(strings.Trim(words[2], "-"))
		}
		if len(words) < 5 {
			return s.send(data, nil)
		}
		to, isOfFamily := address(words[3], words[4])
		if !isOfFamily {
			return "err EAFNOSUPPORT"
		}
		return s.send(data, &to)
	case "recv", "recvfrom":
		for _, flag := range words[3:] {
			if flag == "oob" {
				return "err EINVAL" // as gVisor's system call says: it has no urgent data
			}
		}
		return s.receive(size, word(3) == "peek", words[0] == "recvfrom")
	case "shutdown":
		ways := map[string]tcpip.ShutdownFlags{"r": tcpip.ShutdownRead, "w": tcpip.ShutdownWrite}
		ways["rw"] = ways["r"] | ways["w"]
		return done(s.end.Shutdown(ways[words[2]]))
	case "getsockname":
		return named(s.end.GetLocalAddress())
	case "getpeername":
		return named(s.end.GetRemoteAddress())
	case "setsockopt":
		value, _ := strconv.Atoi(words[3])
		return s.option(words[2], value)
	case "getsockopt":
		switch words[2] {
		case "SO_RCVBUF":
			return fmt.Sprintf("ok %d", s.end.SocketOptions().GetReceiveBufferSize())
		case "SO_SNDBUF":
			return fmt.Sprintf("ok %d", s.end.SocketOptions().GetSendBufferSize())
		case "SO_TYPE":
			return "ok " + map[bool]string{true: "1", false: "2"}[s.isStream]
		}
		return "err ENOPROTOOPT"
	case "error":
		if err := s.end.LastError(); err != nil {
			return "ok " + name(err)
		}
		return "ok 0"
	case "becomes":
		if s.becomes(words[2], seconds(words[3])) {
			return "ok 1"
		}
		return "ok 0"
	case "close", "abort", "forget":
		if words[0] == "abort" {
			s.end.Abort()
		} else {
			s.end.Close()
		}
		all[number] = nil
		return "ok"
	}
	return "lacks"
}

func begin() {
	world = stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4},
	})
	world.CreateNIC(1, loopback.New())
	own := tcpip.ProtocolAddress{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: here.WithPrefix()}
	world.AddProtocolAddress(1, own, stack.AddressProperties{})
	world.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: 1}})
	brief := tcpip.TCPTimeWaitTimeoutOption(100 * time.Millisecond) // a run makes thousands of connections
	world.SetTransportProtocolOption(tcp.ProtocolNumber, &brief)
}

func main() {
	begin()
	in := bufio.NewReaderSize(os.Stdin, 4*most)
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		words := strings.Fields(line)
		if words[0] == "quit" {
			break
		}
		out.WriteString(act(words) + "\n")
		if in.Buffered() == 0 { // the answers to all lines that had come
			out.Flush()
		}
	}
	out.Flush()
}
