"""Small C programs with one mistake each, and right ones: the body of main(), in which TCP and UDP sockets are made."""

HEADER = r"""
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
static struct sockaddr_in at; static socklen_t size = sizeof at; static char data[8];
#define TCP() socket(AF_INET, SOCK_STREAM, 0)
#define UDP() socket(AF_INET, SOCK_DGRAM, 0)
#define BIND(s) bind(s, (void *)&at, sizeof at)
#define NAME(s) getsockname(s, (void *)&at, &size)
#define CONNECT(s) connect(s, (void *)&at, sizeof at)
static int listener(void) { int s = TCP(); BIND(s); listen(s, 5); NAME(s); return s; }
int main(void) {
  at.sin_family = AF_INET; at.sin_addr.s_addr = htonl(INADDR_LOOPBACK); signal(13, (void *)1);
"""
HEADER = HEADER.replace("#include <poll.h>", "#include <poll.h>\n#include <signal.h>")

WRONG = {
    "accept before listen": ("int s = TCP(); BIND(s); accept(s, 0, 0);", "accept"),
    "accept of a new socket": ("int s = TCP(); accept(s, 0, 0);", "accept"),
    "send before connect": ("int s = TCP(); send(s, data, 1, 0);", "sendto"),
    "write before connect": ("int s = TCP(); write(s, data, 1);", "write"),
    "receive before connect": ("int s = TCP(); recv(s, data, 1, 0);", "recvfrom"),
    "bind twice": ("int s = TCP(); BIND(s); BIND(s);", "bind"),
    "connect twice": ("int l = listener(); int s = TCP(); CONNECT(s); CONNECT(s);", "connect"),
    "listen on a connection": ("int l = listener(); int s = TCP(); CONNECT(s); listen(s, 1);", "listen"),
    "connect of a listener": ("int l = listener(); CONNECT(l);", "connect"),
    "bind after connect": ("int l = listener(); int s = TCP(); CONNECT(s); at.sin_port = 0; BIND(s);", "bind"),
    "send after shutdown": (
        "int l = listener(); int s = TCP(); CONNECT(s); shutdown(s, SHUT_WR); send(s, data, 1, 0);", "sendto"),
    "receive on a listener": ("int l = listener(); read(l, data, 1);", "read"),
    "shutdown without a peer": ("int s = TCP(); shutdown(s, SHUT_RDWR);", "shutdown"),
    "send after close": ("int l = listener(); int s = TCP(); CONNECT(s); close(s); send(s, data, 1, 0);", "sendto"),
    "close twice": ("int s = TCP(); close(s); close(s);", "close"),
    "listen on a datagram socket": ("int s = UDP(); BIND(s); listen(s, 1);", "listen"),
    "send to nobody": ("int s = UDP(); send(s, data, 1, 0);", "sendto"),
    "accept on a datagram socket": ("int s = UDP(); BIND(s); accept(s, 0, 0);", "accept"),
    "listen before bind": ("int s = TCP(); listen(s, 1);", "listen"),
    "use in a child after close": (
        "int s = TCP(); close(s); if (!fork()) { CONNECT(s); _exit(0); } wait(0); listen(s, 1);", "listen"),
    "use after dup2 over it": (
        "int l = listener(); int s = TCP(); CONNECT(s); int t = TCP(); dup2(t, s); close(t); write(s, data, 1);", "write"),
    "connect again after a refusal": ("int s = listener(); close(s); s = TCP(); CONNECT(s); CONNECT(s);", "connect"),
    "wait for a closed socket by epoll": (
        "int s = TCP(); struct epoll_event e = {EPOLLIN}; int p = epoll_create1(0); close(s); "
        "epoll_ctl(p, EPOLL_CTL_DEL, s, &e); epoll_ctl(p, EPOLL_CTL_ADD, s, &e);", "epoll_ctl"),
    "wait for a closed socket by select": (
        "int s = TCP(); fd_set r; FD_ZERO(&r); FD_SET(s, &r); struct timespec t = {0}; close(s); "
        "pselect(s + 1, &r, 0, 0, &t, 0);",
        "pselect6"),
}  # fmt: skip
"""name -> the program, the system call that is reported"""

CONVERSATION = """
  int l = listener(); int s = TCP(); CONNECT(s); int a = accept4(l, 0, 0, SOCK_CLOEXEC);
  write(s, data, 2); read(a, data, 8); shutdown(s, SHUT_WR); read(a, data, 8); send(a, data, 1, 0); recv(s, data, 8, 0);
  close(a); close(s); close(l);"""

RIGHT = {
    "a conversation": CONVERSATION,
    "a number that is used again": "int s = TCP(); close(s); int l = listener(); int c = TCP(); CONNECT(c); write(c, data, 1);",
    "a connect that waits": """
  int l = listener(); int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0); CONNECT(s);
  struct pollfd p = {s, POLLOUT}; poll(&p, 1, 1000); int e; socklen_t n = sizeof e; getsockopt(s, SOL_SOCKET, SO_ERROR, &e, &n);
  write(s, data, 1); close(s);""",
    "a child that serves": """
  int l = listener(); int s = TCP(); CONNECT(s); int a = accept(l, 0, 0);
  if (!fork()) { close(l); write(a, data, 1); close(a); _exit(0); }
  close(a); read(s, data, 1); wait(0); read(s, data, 1); close(s);""",
    "datagrams": """
  int s = UDP(); BIND(s); NAME(s); int c = UDP(); sendto(c, data, 1, 0, (void *)&at, sizeof at); recv(s, data, 8, 0);
  CONNECT(c); send(c, data, 1, 0);
  struct sockaddr none = {AF_UNSPEC}; connect(c, &none, sizeof none); close(c); close(s);""",
    "a pair": """
  int p[2]; socketpair(AF_UNIX, SOCK_STREAM, 0, p);
  write(p[0], data, 1); read(p[1], data, 8); close(p[0]); close(p[1]);""",
    "a file after a socket": "int s = TCP(); close(s); int f = open(\"/dev/null\", O_RDWR); write(f, data, 1); close(f);",
    "a new socket after a refusal": """
  int s = listener(); close(s); s = TCP(); CONNECT(s); close(s); listener(); s = TCP(); CONNECT(s); close(s);""",
    "a refusal that is asked for": """
  int l = listener(); close(l); int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0); CONNECT(s);
  struct pollfd p = {s, POLLOUT}; poll(&p, 1, 1000); CONNECT(s); close(s);""",
    "a closed socket that is taken out of epoll": """
  int s = TCP(); struct epoll_event e = {EPOLLIN}; int p = epoll_create1(0); epoll_ctl(p, EPOLL_CTL_ADD, s, &e);
  close(s); epoll_ctl(p, EPOLL_CTL_DEL, s, &e); epoll_wait(p, &e, 1, 0); close(p);""",
    "a question": "int s = TCP(); getpeername(s, (void *)&at, &size); close(s);",
    "a refused connect": "int l = listener(); close(l); int s = TCP(); CONNECT(s); close(s);",
    "a duplicate": "int l = listener(); int s = TCP(); CONNECT(s); int t = dup(s); close(s); write(t, data, 1); close(t);",
}  # fmt: skip
