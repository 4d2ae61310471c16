// A socket agent over Go's net (docs/reference/agents.md).   go build -o agent agent.go
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const hello = "ok protocol=1 agent=go-net peers=system finish=own lacks=flags,getsockopt lacks.datagram=shutdown lacks.server=setsockopt lacks.client=sendto lacks.accepted=sendto"

const (
	slots   = 4096
	most    = 1 << 20
	forEver = -1
	glance  = 3 * time.Millisecond // a deadline that has passed already would not let a call look
	writing = 20 * time.Millisecond
)

type result struct {
	conn net.Conn
	err  error
}

// A socket: net has a type for each of a listener, a connection and a packet connection, and none for what is not yet one of them.
type slot struct {
	kind, role string
	wait       time.Duration
	local      string
	listener   *net.TCPListener
	stream     *net.TCPConn
	packet     *net.UDPConn
	isPeered   bool
	dialing    chan result
	dialed     *result // what the call that collects it will get
	unread     []byte  // one byte that was read to see whether there is one
	end        error   // what was read instead
}

var (
	all    [slots]*slot
	buffer = make([]byte, most)
)

var (
	errTimeOut = errors.New("timeout")
	errLacks   = errors.New("lacks")
)

var names = map[syscall.Errno]string{
	syscall.EBADF: "EBADF", syscall.EINVAL: "EINVAL", syscall.EACCES: "EACCES", syscall.EADDRINUSE: "EADDRINUSE", syscall.EPIPE: "EPIPE",
	syscall.EADDRNOTAVAIL: "EADDRNOTAVAIL", syscall.ECONNREFUSED: "ECONNREFUSED", syscall.ECONNRESET: "ECONNRESET",
	syscall.ECONNABORTED: "ECONNABORTED", syscall.ENOTCONN: "ENOTCONN", syscall.EISCONN: "EISCONN", syscall.EMSGSIZE: "EMSGSIZE",
	syscall.EDESTADDRREQ: "EDESTADDRREQ", syscall.ENETUNREACH: "ENETUNREACH", syscall.EOPNOTSUPP: "EOPNOTSUPP", syscall.EAGAIN: "EAGAIN",
	syscall.EINPROGRESS: "EINPROGRESS", syscall.EALREADY: "EALREADY", syscall.EAFNOSUPPORT: "EAFNOSUPPORT", syscall.ETIMEDOUT: "ETIMEDOUT",
}

func failure(err error) string {
	var number syscall.Errno
	var address *net.AddrError
	switch {
	case err == errLacks:
		return "lacks"
	case err == errTimeOut:
		return "timeout"
	case errors.As(err, &number) && names[number] != "":
		return "err " + names[number]
	case errors.Is(err, net.ErrClosed):
		return "err EBADF"
	case errors.As(err, &address):
		return "err EAFNOSUPPORT"
	}
	return "err " + strings.ReplaceAll(err.Error(), " ", "_")
}

func done(err error) string {
	if err != nil {
		return failure(err)
	}
	return "ok"
}

func named(found net.Addr) string {
	host, port, _ := net.SplitHostPort(found.String())
	return host + " " + port
}

// The deadline of a call that may wait so long.
func (s *slot) deadline(glance time.Duration) time.Time {
	switch s.wait {
	case forEver:
		return time.Time{}
	case 0:
		return time.Now().Add(glance)
	}
	return time.Now().Add(s.wait)
}

// An error, where a deadline that has passed means what the time-out says.
func (s *slot) late(err error) error {
	if err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		if s.wait == 0 {
			return syscall.EAGAIN
		}
		return errTimeOut
	}
	return err
}

// Whether the connection that is being made is made, or has failed, within this time.
func (s *slot) settles(wait time.Duration) bool {
	var late <-chan time.Time
	if wait != forEver {
		late = time.After(wait + glance)
	}
	if s.dialed == nil {
		select {
		case found := <-s.dialing:
			s.dialed = &found
		case <-late:
		}
	}
	return s.dialed != nil
}

// Take that connection.
func (s *slot) collect() error {
	found := s.dialed
	s.dialing, s.dialed = nil, nil
	if found.err == nil {
		s.stream = found.conn.(*net.TCPConn)
	}
	return found.err
}

func open(conn *net.TCPConn, role string) *slot {
	return &slot{kind: "stream", role: role, wait: forEver, stream: conn}
}

func (s *slot) bind(where string) error {
	if s.listener != nil || s.stream != nil || s.packet != nil || s.local != "" {
		return syscall.EINVAL
	}
	var err error
	switch {
	case s.kind == "dgram":
		var found net.PacketConn
		if found, err = net.ListenPacket("udp4", where); err == nil {
			s.packet = found.(*net.UDPConn)
		}
	case s.role == "server": // there is no way to bind without listening
		var found net.Listener
		if found, err = net.Listen("tcp4", where); err == nil {
			s.listener = found.(*net.TCPListener)
		}
	default: // nor to bind without connecting
		s.local = where
	}
	return err
}

func (s *slot) connect(where string) error {
	if s.kind == "dgram" {
		from, network := (*net.UDPAddr)(nil), "udp4"
		if s.packet != nil {
			from = s.packet.LocalAddr().(*net.UDPAddr)
			s.packet.Close() // a bound one cannot be connected
		}
		to, err := net.ResolveUDPAddr(network, where)
		if err != nil {
			return err
		}
		s.packet, err = net.DialUDP(network, from, to)
		s.isPeered = err == nil
		return err
	}
	if s.listener != nil || s.role == "server" {
		return errLacks
	}
	if s.stream != nil {
		return syscall.EISCONN
	}
	if s.dialing != nil {
		return syscall.EALREADY
	}
	dialer := net.Dialer{}
	if s.local != "" {
		dialer.LocalAddr, _ = net.ResolveTCPAddr("tcp4", s.local)
	}
	made := make(chan result, 1)
	go func() {
		conn, err := dialer.DialContext(context.Background(), "tcp4", where)
		made <- result{conn, err}
	}()
	s.dialing = made
	if s.wait == 0 {
		return syscall.EINPROGRESS
	}
	if !s.settles(s.wait) {
		return errTimeOut
	}
	return s.collect()
}

func (s *slot) send(data []byte, to string) (int, error) {
	if s.kind == "dgram" {
		if s.packet == nil {
			if to == "" {
				return 0, syscall.EDESTADDRREQ
			}
			if err := s.bind("0.0.0.0:0"); err != nil {
				return 0, err
			}
		}
		s.packet.SetWriteDeadline(s.deadline(writing))
		if to == "" {
			count, err := s.packet.Write(data)
			return count, s.late(err)
		}
		where, err := net.ResolveUDPAddr("udp4", to)
		if err != nil {
			return 0, err
		}
		count, err := s.packet.WriteTo(data, where)
		return count, s.late(err)
	}
	if to != "" || s.role == "server" {
		return 0, errLacks
	}
	if s.stream == nil {
		return 0, syscall.ENOTCONN
	}
	s.stream.SetWriteDeadline(s.deadline(writing))
	count, err := s.stream.Write(data)
	if count > 0 {
		return count, nil
	}
	return 0, s.late(err)
}

func (s *slot) receive(size int) (data []byte, from string, err error) {
	from = "- 0"
	if s.kind == "dgram" {
		if s.packet == nil {
			return nil, "", syscall.EINVAL
		}
		s.packet.SetReadDeadline(s.deadline(glance))
		count, sender, err := s.packet.ReadFrom(buffer[:size])
		if sender != nil {
			from = named(sender)
		}
		return buffer[:count], from, s.late(err)
	}
	if s.stream == nil {
		if s.role == "server" {
			return nil, "", errLacks
		}
		return nil, "", syscall.ENOTCONN
	}
	if size == 0 {
		return nil, from, nil
	}
	count := copy(buffer[:size], s.unread)
	s.unread = s.unread[count:]
	if s.end != nil && count == 0 {
		err, s.end = s.end, nil
	} else if count == 0 || count < size {
		more := 0
		if count == 0 {
			s.stream.SetReadDeadline(s.deadline(glance))
		} else {
			s.stream.SetReadDeadline(time.Now().Add(glance))
		}
		more, err = s.stream.Read(buffer[count:size])
		count += more
	}
	if err == io.EOF || count > 0 {
		err = nil
	}
	return buffer[:count], from, s.late(err)
}

// Whether there is something to read: net does not say so, and one byte is read to see it.
func (s *slot) isReadable(wait time.Duration) bool {
	if s.packet != nil || s.listener != nil {
		return s.poll(wait)
	}
	if s.stream == nil || len(s.unread) > 0 || s.end != nil {
		return s.stream != nil
	}
	one := make([]byte, 1)
	s.stream.SetReadDeadline(time.Now().Add(wait + glance))
	count, err := s.stream.Read(one)
	if count > 0 {
		s.unread = one
	} else if !errors.Is(err, os.ErrDeadlineExceeded) {
		s.end = err
	}
	return s.unread != nil || s.end != nil
}

// The same of what must not be read to see it, by the descriptor below.
func (s *slot) poll(wait time.Duration) bool {
	var raw syscall.RawConn
	if s.packet != nil {
		raw, _ = s.packet.SyscallConn()
		s.packet.SetReadDeadline(time.Now().Add(wait + glance))
	} else {
		raw, _ = s.listener.SyscallConn()
		s.listener.SetDeadline(time.Now().Add(wait + glance))
	}
	ready := false
	if raw == nil {
		return true
	}
	ends := time.Now().Add(wait)
	for !ready {
		raw.Control(func(number uintptr) {
			set := syscall.FdSet{}
			set.Bits[number/64] |= 1 << (number % 64)
			none := syscall.Timeval{Usec: 500}
			count, _ := syscall.Select(int(number)+1, &set, nil, nil, &none)
			ready = count > 0
		})
		if time.Now().After(ends) {
			break
		}
	}
	return ready
}

func (s *slot) becomes(what string, wait time.Duration) bool {
	if s.dialing != nil {
		return s.settles(wait)
	}
	switch what {
	case "readable", "at_end":
		return s.isReadable(wait)
	case "hung_up", "gone":
		return s.stream == nil || s.isReadable(wait)
	}
	return true
}

func (s *slot) close(resets bool) error {
	switch {
	case s.dialing != nil:
		go func() {
			if s.settles(forEver) && s.dialed.conn != nil {
				s.dialed.conn.Close()
			}
		}()
	case s.listener != nil:
		return s.listener.Close()
	case s.packet != nil:
		return s.packet.Close()
	case s.stream != nil:
		if resets {
			s.stream.SetLinger(0)
		}
		return s.stream.Close()
	}
	return nil
}

func (s *slot) address(peer bool) (net.Addr, error) {
	switch {
	case s.listener != nil && !peer:
		return s.listener.Addr(), nil
	case s.packet != nil && peer && s.isPeered:
		return s.packet.RemoteAddr(), nil
	case s.packet != nil && !peer:
		return s.packet.LocalAddr(), nil
	case s.stream != nil && peer:
		return s.stream.RemoteAddr(), nil
	case s.stream != nil:
		return s.stream.LocalAddr(), nil
	}
	return nil, syscall.ENOTCONN
}

func (s *slot) set(option string, value int) error {
	var sized interface {
		SetReadBuffer(int) error
		SetWriteBuffer(int) error
	}
	if s.stream != nil {
		sized = s.stream
	} else if s.packet != nil {
		sized = s.packet
	}
	if option == "SO_REUSEADDR" {
		return nil // net sets it of itself
	}
	if sized == nil || option != "SO_RCVBUF" && option != "SO_SNDBUF" {
		return errLacks
	}
	if option == "SO_RCVBUF" {
		return sized.SetReadBuffer(value)
	}
	return sized.SetWriteBuffer(value)
}

func seconds(word string) time.Duration {
	if word == "none" {
		return forEver
	}
	found, _ := strconv.ParseFloat(word, 64)
	return time.Duration(found * float64(time.Second))
}

func act(words []string) string {
	number, _ := strconv.Atoi(words[1])
	if words[0] == "hello" {
		return hello
	}
	if words[0] == "socket" {
		all[number] = &slot{kind: words[2], role: words[3], wait: forEver}
		return "ok"
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
		return done(s.bind(net.JoinHostPort(words[2], words[3])))
	case "listen":
		if s.listener == nil {
			if s.role == "server" {
				return "err EINVAL"
			}
			return "lacks"
		}
		return "ok"
	case "accept":
		if s.listener == nil {
			if s.role == "server" {
				return "err EINVAL"
			}
			return "lacks"
		}
		s.listener.SetDeadline(s.deadline(glance))
		found, err := s.listener.AcceptTCP()
		if err != nil {
			return failure(s.late(err))
		}
		all[size] = open(found, "accepted")
		return "ok " + named(found.RemoteAddr())
	case "connect":
		return done(s.connect(net.JoinHostPort(words[2], words[3])))
	case "finish":
		if s.dialing == nil {
			return "err EINVAL"
		}
		if s.settles(s.wait) {
			return done(s.collect())
		}
		if s.wait == 0 {
			return "err EINPROGRESS"
		}
		return "timeout"
	case "send", "sendto", "fill":
		var data []byte
		to := ""
		if words[0] == "fill" {
			data = make([]byte, size)
		} else {
			data, _ = hex.DecodeString(strings.Trim(words[2], "-"))
		}
		if len(words) > 4 {
			to = net.JoinHostPort(words[3], words[4])
		}
		count, err := s.send(data, to)
		if err != nil {
			return failure(err)
		}
		return fmt.Sprintf("ok %d", count)
	case "recv", "recvfrom":
		data, from, err := s.receive(size)
		if err != nil {
			return failure(err)
		}
		digits := hex.EncodeToString(data)
		if digits == "" {
			digits = "-"
		}
		if words[0] == "recvfrom" {
			return "ok " + digits + " " + from
		}
		return "ok " + digits
	case "shutdown":
		if s.stream == nil {
			if s.kind == "dgram" || s.role == "server" {
				return "lacks"
			}
			return "err ENOTCONN"
		}
		if strings.Contains(words[2], "r") {
			if err := s.stream.CloseRead(); err != nil {
				return failure(err)
			}
		}
		if strings.Contains(words[2], "w") {
			return done(s.stream.CloseWrite())
		}
		return "ok"
	case "getsockname", "getpeername":
		found, err := s.address(words[0] == "getpeername")
		if err != nil {
			return failure(err)
		}
		return "ok " + named(found)
	case "setsockopt":
		value, _ := strconv.Atoi(words[3])
		return done(s.set(words[2], value))
	case "becomes":
		if s.becomes(words[2], seconds(words[3])) {
			return "ok 1"
		}
		return "ok 0"
	case "close", "abort", "forget":
		err := s.close(words[0] == "abort")
		all[number] = nil
		if words[0] == "forget" {
			return "ok"
		}
		return done(err)
	}
	return "lacks"
}

func main() {
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
