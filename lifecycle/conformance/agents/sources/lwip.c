/* lwIP in the process of agent.c: one interface, 127.0.0.1, and no wire. */
#include "lwip/api.h"
#include "lwip/ip4.h"
#include "lwip/netif.h"
#include "lwip/priv/sockets_priv.h"
#include "lwip/sys.h"
#include "lwip/tcp.h"
#include "lwip/tcpip.h"

static struct netif interface;

static err_t nowhere(struct netif *from, struct pbuf *packet, const ip4_addr_t *to) {
  (void)from; (void)packet; (void)to;
  return ERR_OK;
}

static err_t begin(struct netif *it) {
  it->name[0] = it->name[1] = 'l';
  it->mtu = 1500;
  it->output = nowhere;
  it->flags = NETIF_FLAG_LINK_UP;
  return ERR_OK;
}

static void started(void *event) { sys_sem_signal(event); }

void lwip_start(void) {
  sys_sem_t event;
  ip4_addr_t address, mask, gateway;
  sys_sem_new(&event, 0);
  tcpip_init(started, &event);
  sys_sem_wait(&event);
  IP4_ADDR(&address, 127, 0, 0, 1);
  IP4_ADDR(&mask, 255, 0, 0, 0);
  IP4_ADDR(&gateway, 0, 0, 0, 0);
  LOCK_TCPIP_CORE();
  netif_add(&interface, &address, &mask, &gateway, NULL, begin, tcpip_input);
  netif_set_default(&interface);
  netif_set_up(&interface);
  netif_set_link_up(&interface);
  UNLOCK_TCPIP_CORE();
}

struct lwip_sock *lwip_socket_dbg_get_socket(int fd);

/* Whether nothing is left of a connection, or, where that is not asked, whether its peer has ended it. */
int lwip_is_over(int fd, int is_gone) {
  struct lwip_sock *found = lwip_socket_dbg_get_socket(fd);
  int over = 1;
  LOCK_TCPIP_CORE();
  if (found && found->conn && found->conn->pcb.tcp) {
    enum tcp_state state = found->conn->pcb.tcp->state;
    over = is_gone ? state == CLOSED || state == TIME_WAIT : state >= CLOSE_WAIT || state == CLOSED;
  }
  UNLOCK_TCPIP_CORE();
  return over;
}

/* Debian builds it without LWIP_SO_LINGER, so that a socket cannot ask for a reset. */
void lwip_reset(int fd) {
  struct lwip_sock *found = lwip_socket_dbg_get_socket(fd);
  LOCK_TCPIP_CORE();
  if (found && found->conn && NETCONNTYPE_GROUP(found->conn->type) == NETCONN_TCP && found->conn->pcb.tcp
      && found->conn->pcb.tcp->state != LISTEN) {
    int is_waiting = found->conn->pcb.tcp->state == TIME_WAIT; /* of whose end nobody is told */
    tcp_abort(found->conn->pcb.tcp);
    if (is_waiting) found->conn->pcb.tcp = NULL;
  }
  UNLOCK_TCPIP_CORE();
}
