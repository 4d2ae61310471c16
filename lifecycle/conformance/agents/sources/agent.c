/* A socket agent: it makes the calls that come in, one a line, and prints one answer each (docs/reference/agents.md).
 *
 *   POSIX     cc -O2 -o agent agent.c
 *   Winsock   x86_64-w64-mingw32-gcc -O2 -o agent.exe agent.c -lws2_32
 *   lwIP      cc -O2 -DLWIP -I/usr/include/lwip -o agent agent.c lwip.c -llwip
 *
 * Another stack: #define CALL(name), start(), reset() and HELLO for it. All sockets are non-blocking; an agent waits by poll().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#include <winsock2.h>
#include <ws2tcpip.h>
typedef SOCKET sock_t;
#define CALL(name) name
#define CLOSE closesocket
#define LAST WSAGetLastError()
#define WOULD_BLOCK WSAEWOULDBLOCK
#define UNDER_WAY WSAEWOULDBLOCK
#define HELLO "agent=winsock peers=system platform=winsock"
#define MSG_NOSIGNAL 0
#define SHUT_RD SD_RECEIVE
#define SHUT_WR SD_SEND
#define SHUT_RDWR SD_BOTH
#else
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
typedef int sock_t;
#define INVALID_SOCKET (-1)
#define LAST errno
#define WOULD_BLOCK EAGAIN
#define UNDER_WAY EINPROGRESS
#ifdef LWIP
#define CALL(name) lwip_##name
#define CLOSE lwip_close
#define HELLO "agent=lwip peers=own platform=contract"
int lwip_socket(int, int, int), lwip_bind(int, const struct sockaddr *, socklen_t), lwip_listen(int, int);
int lwip_accept(int, struct sockaddr *, socklen_t *), lwip_connect(int, const struct sockaddr *, socklen_t);
int lwip_shutdown(int, int), lwip_close(int), lwip_fcntl(int, int, int), lwip_poll(struct pollfd *, nfds_t, int);
int lwip_getsockname(int, struct sockaddr *, socklen_t *), lwip_getpeername(int, struct sockaddr *, socklen_t *);
int lwip_setsockopt(int, int, int, const void *, socklen_t), lwip_getsockopt(int, int, int, void *, socklen_t *);
ssize_t lwip_send(int, const void *, size_t, int), lwip_recv(int, void *, size_t, int);
ssize_t lwip_sendto(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
ssize_t lwip_recvfrom(int, void *, size_t, int, struct sockaddr *, socklen_t *);
void lwip_start(void), lwip_reset(int);
int lwip_is_over(int, int);
#else
#define CALL(name) name
#define CLOSE close
#ifdef __linux__
#define HELLO "agent=posix-c peers=system platform=linux"
#else
#define HELLO "agent=posix-c peers=system platform=contract"
#endif
#endif
#endif

enum { SLOTS = 4096, MOST = 1 << 20, FOR_EVER = -1 };
static struct { sock_t fd; int wait; } slots[SLOTS]; /* wait: milliseconds, or FOR_EVER */
static char input[4 * MOST], text[2 * MOST + 2];
static unsigned char data[MOST];

static const struct { int number; const char *name; } ERRORS[] = {
#ifdef _WIN32
#define X(name) {WSA##name, #name},
#else
#define X(name) {name, #name},
  X(EPERM) X(EIO) X(ENOMEM) X(ENFILE) X(EPIPE) X(ENOSYS)
#endif
  X(EINTR) X(EBADF) X(EACCES) X(EFAULT) X(EINVAL) X(EMFILE) X(ENOTSOCK) X(EDESTADDRREQ) X(EMSGSIZE) X(EPROTOTYPE)
  X(ENOPROTOOPT) X(EPROTONOSUPPORT) X(EOPNOTSUPP) X(EAFNOSUPPORT) X(EADDRINUSE) X(EADDRNOTAVAIL) X(ENETDOWN)
  X(ENETUNREACH) X(ECONNABORTED) X(ECONNRESET) X(ENOBUFS) X(EISCONN) X(ENOTCONN) X(ESHUTDOWN) X(ETIMEDOUT)
  X(ECONNREFUSED) X(EHOSTUNREACH) X(EALREADY) X(EINPROGRESS) {WOULD_BLOCK, "EAGAIN"}};

static const struct { const char *name; int number; } OPTIONS[] = {
  {"SO_RCVBUF", SO_RCVBUF}, {"SO_SNDBUF", SO_SNDBUF}, {"SO_REUSEADDR", SO_REUSEADDR}, {"SO_TYPE", SO_TYPE}};

static const char *name_of(int number) {
  static char unknown[16];
  for (size_t i = 0; i < sizeof ERRORS / sizeof *ERRORS; i++) if (ERRORS[i].number == number) return ERRORS[i].name;
  snprintf(unknown, sizeof unknown, "E%d", number);
  return unknown;
}

static int option_of(const char *word) {
  for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) if (!strcmp(OPTIONS[i].name, word)) return OPTIONS[i].number;
  return atoi(word);
}

static void fails(void) { printf("err %s\n", name_of(LAST)); }
static void done(int result) { if (result) fails(); else puts("ok"); }

/* -- waiting: 1 when the socket has become so, 0 when the time has passed -- */

#ifdef _WIN32
static double now(void) { return (double)GetTickCount64(); }
static int shows(sock_t fd, const char *what, int wait) {
  fd_set on, errors;
  struct timeval time = {wait / 1000, wait % 1000 * 1000};
  if (fd == INVALID_SOCKET) return 1;
  FD_ZERO(&on); FD_ZERO(&errors); FD_SET(fd, &on); FD_SET(fd, &errors);
  int writing = !strcmp(what, "writable") || !strcmp(what, "hung_up");
  return select(0, writing ? NULL : &on, writing ? &on : NULL, &errors, wait < 0 ? NULL : &time) != 0;
}
static void nonblocking(sock_t fd) { u_long on = 1; ioctlsocket(fd, FIONBIO, &on); }
static void start(void) { WSADATA found; WSAStartup(MAKEWORD(2, 2), &found); _setmode(0, _O_BINARY); _setmode(1, _O_BINARY); }
#else
static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1e3 + at.tv_nsec / 1e6;
}

static int shows(sock_t fd, const char *what, int wait) {
  struct pollfd one = {fd, POLLIN, 0};
  if (fd < 0) return 1;
#ifdef LWIP /* its poll() shows an end and a reset by POLLIN only */
  if (!strcmp(what, "writable")) one.events = POLLOUT;
  else if (strcmp(what, "readable")) {
    double ends = now() + wait;
    while (!lwip_is_over(fd, strcmp(what, "at_end"))) {
      if (now() > ends) return 0;
      nanosleep(&(struct timespec){0, 200000}, NULL);
    }
    return 1;
  }
#else
  if (!strcmp(what, "writable")) one.events = POLLOUT;
  if (!strcmp(what, "hung_up")) one.events = 0;
#ifdef __linux__
  if (!strcmp(what, "at_end")) one.events = POLLRDHUP;
  if (!strcmp(what, "gone")) { /* once both directions have ended, a hang-up shows before any reset */
    double ends = now() + wait;
    struct tcp_info info;
    socklen_t size = sizeof info;
    while (!getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size)) {
      if (info.tcpi_state == TCP_CLOSE) return 1;
      if (now() > ends) return 0;
      nanosleep(&(struct timespec){0, 20000}, NULL);
    }
    one.events = 0;
  }
#endif
#endif
  return CALL(poll)(&one, 1, wait) != 0;
}
static void nonblocking(sock_t fd) { CALL(fcntl)(fd, F_SETFL, O_NONBLOCK); }
#ifdef LWIP
static void start(void) { lwip_start(); }
#else
static void start(void) {}
#endif
#endif

static void reset(sock_t fd) {
#ifdef LWIP
  lwip_reset(fd);
#else
  struct linger at_once = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, (void *)&at_once, sizeof at_once);
#endif
}

static double ends; /* when the call may not wait any more; 0 as long as it has not waited */

/* Whether a call that would block is to be made again: it waits as long as the socket may. Prints the answer where not. */
static int again(int slot, const char *what) {
  int wait = slots[slot].wait;
  if (LAST != WOULD_BLOCK || !wait) { fails(); return 0; }
  if (wait > 0) { /* what shows as ready may block nevertheless */
    if (!ends) ends = now() + wait;
    wait = (int)(ends - now());
  }
  if ((wait > 0 || wait == FOR_EVER) && shows(slots[slot].fd, what, wait)) return 1;
  puts("timeout");
  return 0;
}

/* -- addresses and data -- */

static socklen_t address(struct sockaddr_storage *to, const char *host, const char *port) {
  struct sockaddr_in *four = (void *)to;
  memset(to, 0, sizeof *to);
  four->sin_family = AF_INET;
  four->sin_port = htons(atoi(port));
  four->sin_addr.s_addr = !strcmp(host, "255.255.255.255") ? INADDR_NONE : inet_addr(host);
  if (!strchr(host, ':')) return sizeof *four;
  to->ss_family = AF_INET6; /* a stack of IPv4 is to refuse it */
  return sizeof(struct sockaddr_in6);
}

static void print_address(const struct sockaddr_storage *from) {
  const struct sockaddr_in *four = (const void *)from;
  if (from->ss_family == AF_INET) printf(" %s %d\n", inet_ntoa(four->sin_addr), ntohs(four->sin_port));
  else puts(" - 0");
}

static void named(int result, const struct sockaddr_storage *found) {
  if (result) { fails(); return; }
  fputs("ok", stdout);
  print_address(found);
}

static int from_hex(const char *digits) {
  int count = 0;
  static const char alphabet[] = "0123456789abcdef";
  if (*digits == '-') return 0;
  for (; digits[0] && digits[1]; digits += 2)
    data[count++] = (strchr(alphabet, digits[0]) - alphabet) << 4 | (strchr(alphabet, digits[1]) - alphabet);
  return count;
}

static void print_data(long count) {
  char *to = text;
  for (long i = 0; i < count; i++) { *to++ = "0123456789abcdef"[data[i] >> 4]; *to++ = "0123456789abcdef"[data[i] & 15]; }
  if (!count) *to++ = '-';
  *to = 0;
  printf("ok %s", text);
}

static int flags_of(char **words) {
  int flags = 0;
  for (; *words; words++) flags |= !strcmp(*words, "oob") ? MSG_OOB : !strcmp(*words, "peek") ? MSG_PEEK : 0;
  return flags;
}

/* -- the verbs: each has its slot, the slot's descriptor, and the words after the slot -- */

#define VERB(name) static void name(int slot, sock_t fd, char **words)

VERB(v_hello) { (void)slot; (void)fd; (void)words; puts("ok protocol=1 " HELLO); }

VERB(v_socket) {
  (void)fd;
  slots[slot].fd = CALL(socket)(AF_INET, **words == 'd' ? SOCK_DGRAM : SOCK_STREAM, 0);
  slots[slot].wait = FOR_EVER;
  if (slots[slot].fd == INVALID_SOCKET) { fails(); return; }
  nonblocking(slots[slot].fd);
  puts("ok");
}

VERB(v_timeout) {
  (void)fd;
  slots[slot].wait = **words == 'n' ? FOR_EVER : (int)(atof(*words) * 1000 + 0.999);
  puts("ok");
}

VERB(v_bind) {
  struct sockaddr_storage to;
  socklen_t size = address(&to, words[0], words[1]);
  (void)slot;
  done(CALL(bind)(fd, (void *)&to, size));
}

VERB(v_listen) { (void)slot; done(CALL(listen)(fd, atoi(*words))); }

VERB(v_accept) {
  struct sockaddr_storage from;
  socklen_t size;
  sock_t got;
  do { size = sizeof from; got = CALL(accept)(fd, (void *)&from, &size); } while (got == INVALID_SOCKET && again(slot, "readable"));
  if (got == INVALID_SOCKET) return;
  nonblocking(got);
  slots[atoi(*words) & (SLOTS - 1)].fd = got;
  slots[atoi(*words) & (SLOTS - 1)].wait = FOR_EVER;
  named(0, &from);
}

static int error_of(sock_t fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return CALL(getsockopt)(fd, SOL_SOCKET, SO_ERROR, (void *)&error, &size) ? LAST : error;
}

VERB(v_connect) {
  struct sockaddr_storage to;
  socklen_t size = address(&to, words[0], words[1]);
  int result = CALL(connect)(fd, (void *)&to, size);
  if (!result || LAST != UNDER_WAY || (result && !slots[slot].wait)) {
    if (result && LAST == UNDER_WAY) puts("err EINPROGRESS"); else done(result);
    return;
  }
  if (!shows(fd, "writable", slots[slot].wait)) { puts("timeout"); return; }
  int error = error_of(fd);
  if (error) printf("err %s\n", name_of(error)); else puts("ok");
}

static long send_once(sock_t fd, long count, const struct sockaddr_storage *to, socklen_t size) {
  return size ? CALL(sendto)(fd, (void *)data, count, MSG_NOSIGNAL, (void *)to, size) : CALL(send)(fd, (void *)data, count, MSG_NOSIGNAL);
}

static void sends(int slot, sock_t fd, long count, long most, char **where) {
  struct sockaddr_storage to;
  socklen_t size = *where ? address(&to, where[0], where[1]) : 0;
  long sent, total;
  do sent = send_once(fd, count < most ? count : most, &to, size); while (sent < 0 && again(slot, "writable"));
  if (sent < 0) return;
  for (total = sent; sent > 0 && most < count && total < count; total += sent > 0 ? sent : 0)
    sent = send_once(fd, count - total < most ? count - total : most, &to, size);
  printf("ok %ld\n", total);
}

VERB(v_send) {
  long count = from_hex(words[0]);
  sends(slot, fd, count, count ? count : 1, words + 1);
}

VERB(v_fill) { /* zeros, as many as go */
  memset(data, 0, sizeof data);
  sends(slot, fd, atol(words[0]), MOST, words + 1);
}

static long at_most(const char *size) { /* what there is room for */
  return atol(size) < MOST ? atol(size) : MOST;
}

VERB(v_recv) {
  long count;
  do count = CALL(recv)(fd, (void *)data, at_most(words[0]), flags_of(words + 1)); while (count < 0 && again(slot, "readable"));
  if (count >= 0) { print_data(count); puts(""); }
}

VERB(v_recvfrom) {
  struct sockaddr_storage from;
  socklen_t size;
  long count;
  do {
    size = sizeof from;
    from.ss_family = 0;
    count = CALL(recvfrom)(fd, (void *)data, at_most(words[0]), flags_of(words + 1), (void *)&from, &size);
  } while (count < 0 && again(slot, "readable"));
  if (count >= 0) { print_data(count); print_address(&from); }
}

VERB(v_shutdown) {
  (void)slot;
  done(CALL(shutdown)(fd, !strcmp(*words, "r") ? SHUT_RD : !strcmp(*words, "w") ? SHUT_WR : SHUT_RDWR));
}

VERB(v_getsockname) {
  struct sockaddr_storage found = {0};
  socklen_t size = sizeof found;
  (void)slot; (void)words;
  int result = CALL(getsockname)(fd, (void *)&found, &size);
  named(result, &found);
}

VERB(v_getpeername) {
  struct sockaddr_storage found = {0};
  socklen_t size = sizeof found;
  (void)slot; (void)words;
  int result = CALL(getpeername)(fd, (void *)&found, &size);
  named(result, &found);
}

VERB(v_setsockopt) {
  int value = atoi(words[1]);
  (void)slot;
  done(CALL(setsockopt)(fd, SOL_SOCKET, option_of(words[0]), (void *)&value, sizeof value));
}

VERB(v_getsockopt) {
  int value = 0;
  socklen_t size = sizeof value;
  (void)slot;
  if (CALL(getsockopt)(fd, SOL_SOCKET, option_of(words[0]), (void *)&value, &size)) fails(); else printf("ok %d\n", value);
}

VERB(v_error) {
  int error = 0;
  socklen_t size = sizeof error;
  (void)slot; (void)words;
  if (CALL(getsockopt)(fd, SOL_SOCKET, SO_ERROR, (void *)&error, &size)) fails();
  else printf("ok %s\n", error ? name_of(error) : "0");
}

VERB(v_becomes) { (void)slot; printf("ok %d\n", shows(fd, words[0], (int)(atof(words[1]) * 1000 + 0.999))); }

VERB(v_close) { (void)words; int result = CLOSE(fd); slots[slot].fd = INVALID_SOCKET; done(result); }
VERB(v_abort) { reset(fd); v_close(slot, fd, words); }
VERB(v_forget) { (void)words; if (fd != INVALID_SOCKET) CLOSE(fd); slots[slot].fd = INVALID_SOCKET; puts("ok"); }
VERB(v_quit) { (void)slot; (void)fd; (void)words; exit(0); }

static const struct { const char *name; void (*act)(int, sock_t, char **); int words; } VERBS[] = {
  {"becomes", v_becomes, 2}, {"timeout", v_timeout, 1}, {"forget", v_forget, 0}, {"socket", v_socket, 1},
  {"send", v_send, 1}, {"recv", v_recv, 1}, {"close", v_close, 0}, {"bind", v_bind, 2}, {"listen", v_listen, 1},
  {"accept", v_accept, 1}, {"connect", v_connect, 2}, {"sendto", v_send, 3}, {"recvfrom", v_recvfrom, 1}, {"fill", v_fill, 1},
  {"shutdown", v_shutdown, 1}, {"getsockname", v_getsockname, 0}, {"getpeername", v_getpeername, 0},
  {"setsockopt", v_setsockopt, 2}, {"getsockopt", v_getsockopt, 1}, {"error", v_error, 0}, {"abort", v_abort, 0},
  {"hello", v_hello, 0}, {"quit", v_quit, 0}};

static void answer(char *line) {
  ends = 0;
  char *words[12] = {0};
  int count = 0;
  for (char *word = strtok(line, " \r"); word && count < 11; word = strtok(NULL, " \r")) words[count++] = word;
  int slot = count > 1 ? atoi(words[1]) & (SLOTS - 1) : 0;
  for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++)
    if (count >= 2 + VERBS[i].words && !strcmp(words[0], VERBS[i].name)) { VERBS[i].act(slot, slots[slot].fd, words + 2); return; }
  puts("lacks");
}

int main(void) {
  size_t have = 0;
  start();
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  for (int i = 0; i < SLOTS; i++) slots[i].fd = INVALID_SOCKET;
  for (;;) {
    long got = read(0, input + have, sizeof input - have - 1);
    if (got <= 0) return 0;
    char *line = input, *end;
    for (have += got; (end = memchr(line, '\n', input + have - line)); line = end + 1) { *end = 0; answer(line); }
    have -= line - input;
    memmove(input, line, have);
    fflush(stdout); /* the answers to all lines that had come */
  }
}
