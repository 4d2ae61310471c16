// A socket agent over java.nio's channels (docs/reference/agents.md).   javac Agent.java; java -Xshare:auto -XX:TieredStopAtLevel=1 Agent
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.*;
import java.util.HashMap;
import java.util.Map;

public class Agent {
    static final String HELLO = "ok protocol=1 agent=java-nio peers=system finish=own lacks=flags lacks.datagram=shutdown lacks.client=sendto,recvfrom lacks.accepted=sendto,recvfrom";
    static final int MOST = 1 << 20;
    static final long FOR_EVER = -1;
    static final Map<Integer, Slot> SLOTS = new HashMap<>();
    static final ByteBuffer BUFFER = ByteBuffer.allocate(MOST);

    static class Slot {
        SelectableChannel channel;
        long wait = FOR_EVER; // milliseconds

        Slot(SelectableChannel channel) throws Exception {
            this.channel = channel;
            channel.configureBlocking(false);
        }
    }

    static class TimeOut extends Exception {}

    static class Lacks extends Exception {}

    interface Call {
        Object make() throws Exception; // null: it would block
    }

    static String nameOf(Throwable error, Slot slot) {
        if (error instanceof NotYetConnectedException) return "ENOTCONN";
        if (error instanceof AlreadyConnectedException) return "EISCONN";
        if (error instanceof ConnectionPendingException) return "EALREADY";
        if (error instanceof NoConnectionPendingException) return "EINVAL";
        if (error instanceof AlreadyBoundException || error instanceof NotYetBoundException) return "EINVAL";
        if (error instanceof ClosedChannelException) return slot != null && slot.channel.isOpen() ? "EPIPE" : "EBADF";
        if (error instanceof UnsupportedAddressTypeException) return "EAFNOSUPPORT";
        if (error instanceof PortUnreachableException) return "ECONNREFUSED";
        if (error instanceof IllegalArgumentException) return "EINVAL";
        String[][] texts = {{"refused", "ECONNREFUSED"}, {"reset", "ECONNRESET"}, {"Broken pipe", "EPIPE"}, {"in use", "EADDRINUSE"},
            {"too long", "EMSGSIZE"}, {"ermission", "EACCES"}, {"Invalid", "EINVAL"}};
        for (String[] pair : texts) if (String.valueOf(error.getMessage()).contains(pair[0])) return pair[1];
        return error.getClass().getSimpleName();
    }

    /** Make a call until it does not block, as long as the slot may wait; null: it would block. */
    static Object until(Slot slot, int operation, Call call) throws Exception {
        Object result = call.make();
        if (result != null || slot.wait == 0) return result;
        long ends = slot.wait < 0 ? Long.MAX_VALUE : System.nanoTime() + slot.wait * 1_000_000;
        while ((result = call.make()) == null) if (!isReady(slot, operation, ends)) throw new TimeOut();
        return result;
    }

    static boolean isReady(Slot slot, int operation, long ends) throws Exception {
        try (Selector selector = Selector.open()) {
            SelectionKey key = slot.channel.register(selector, operation);
            long left = (ends - System.nanoTime()) / 1_000_000;
            int ready = ends == Long.MAX_VALUE ? selector.select() : left <= 0 ? selector.selectNow() : selector.select(left);
            key.cancel();
            selector.selectNow();
            return ready > 0;
        }
    }

    static InetSocketAddress address(String host, String port) throws Exception {
        return new InetSocketAddress(InetAddress.getByName(host), Integer.parseInt(port));
    }

    static String named(SocketAddress found) {
        if (found == null) return "- 0";
        return ((InetSocketAddress) found).getAddress().getHostAddress() + " " + ((InetSocketAddress) found).getPort();
    }

    static byte[] bytes(String digits) {
        if (digits.equals("-")) return new byte[0];
        byte[] found = new byte[digits.length() / 2];
        for (int i = 0; i < found.length; i++)
            found[i] = (byte) (Character.digit(digits.charAt(2 * i), 16) << 4 | Character.digit(digits.charAt(2 * i + 1), 16));
        return found;
    }

    static String digits(ByteBuffer found) {
        if (!found.hasRemaining()) return "-";
        StringBuilder text = new StringBuilder();
        while (found.hasRemaining()) {
            int one = found.get() & 255;
            text.append(Character.forDigit(one >> 4, 16)).append(Character.forDigit(one & 15, 16));
        }
        return text.toString();
    }

    static SocketOption<?> option(String name) {
        switch (name) {
            case "SO_RCVBUF": return StandardSocketOptions.SO_RCVBUF;
            case "SO_SNDBUF": return StandardSocketOptions.SO_SNDBUF;
            case "SO_REUSEADDR": return StandardSocketOptions.SO_REUSEADDR;
            default: return null;
        }
    }

    static SelectableChannel open(String kind, String role) throws Exception {
        if (kind.equals("dgram")) return DatagramChannel.open(StandardProtocolFamily.INET);
        return role.equals("server") ? ServerSocketChannel.open() : SocketChannel.open(StandardProtocolFamily.INET);
    }

    static String act(String[] words) throws Exception {
        int number = Integer.parseInt(words[1]);
        Slot slot = SLOTS.get(number);
        switch (words[0]) {
            case "hello": return HELLO;
            case "socket": SLOTS.put(number, new Slot(open(words[2], words[3]))); return "ok";
            case "forget": if (slot != null) slot.channel.close(); SLOTS.remove(number); return "ok";
        }
        if (slot == null) return "err EBADF";
        switch (words[0]) {
            case "timeout": slot.wait = words[2].equals("none") ? FOR_EVER : (long) Math.ceil(Double.parseDouble(words[2]) * 1000); return "ok";
            case "close": slot.channel.close(); return "ok"; // the slot keeps it
            case "getsockname": {
                SocketAddress found = ((NetworkChannel) slot.channel).getLocalAddress();
                return found == null ? "err EINVAL" : "ok " + named(found);
            }
            case "setsockopt": return set(slot, words[2], words[3]);
            case "getsockopt": {
                SocketOption<?> asked = option(words[2]);
                if (asked == null) return "err ENOPROTOOPT";
                Object value = ((NetworkChannel) slot.channel).getOption(asked);
                return "ok " + (value instanceof Boolean ? ((Boolean) value ? 1 : 0) : value);
            }
            case "becomes": {
                if (!slot.channel.isOpen()) return "ok 1";
                boolean connecting = slot.channel instanceof SocketChannel && ((SocketChannel) slot.channel).isConnectionPending();
                int operation = slot.channel instanceof ServerSocketChannel ? SelectionKey.OP_ACCEPT
                    : connecting ? SelectionKey.OP_CONNECT : words[2].equals("writable") ? SelectionKey.OP_WRITE : SelectionKey.OP_READ;
                return isReady(slot, operation, System.nanoTime() + (long) (Double.parseDouble(words[3]) * 1e9)) ? "ok 1" : "ok 0";
            }
        }
        if (slot.channel instanceof ServerSocketChannel) return server(slot, (ServerSocketChannel) slot.channel, words);
        if (slot.channel instanceof DatagramChannel) return datagram(slot, (DatagramChannel) slot.channel, words);
        return stream(slot, (SocketChannel) slot.channel, words);
    }

    static String set(Slot slot, String name, String value) throws Exception {
        NetworkChannel channel = (NetworkChannel) slot.channel;
        if (name.equals("SO_REUSEADDR")) channel.setOption(StandardSocketOptions.SO_REUSEADDR, !value.equals("0"));
        else if (name.equals("SO_RCVBUF")) channel.setOption(StandardSocketOptions.SO_RCVBUF, Integer.parseInt(value));
        else if (name.equals("SO_SNDBUF")) channel.setOption(StandardSocketOptions.SO_SNDBUF, Integer.parseInt(value));
        else return "err ENOPROTOOPT";
        return "ok";
    }

    static String server(Slot slot, ServerSocketChannel channel, String[] words) throws Exception {
        switch (words[0]) {
            case "bind": channel.bind(address(words[2], words[3]), 8); return "ok"; // it listens from here on
            case "listen": if (channel.getLocalAddress() == null) throw new NotYetBoundException(); return "ok";
            case "accept": {
                SocketChannel found = (SocketChannel) until(slot, SelectionKey.OP_ACCEPT, channel::accept);
                if (found == null) return "err EAGAIN";
                SLOTS.put(Integer.parseInt(words[2]), new Slot(found));
                return "ok " + named(found.getRemoteAddress());
            }
            case "abort": channel.close(); return "ok";
        }
        throw new Lacks();
    }

    static String stream(Slot slot, SocketChannel channel, String[] words) throws Exception {
        Call finish = () -> channel.finishConnect() ? channel : null;
        switch (words[0]) {
            case "bind": channel.bind(address(words[2], words[3])); return "ok";
            case "connect":
                if (channel.connect(address(words[2], words[3]))) return "ok";
                if (slot.wait == 0) return "err EINPROGRESS";
                until(slot, SelectionKey.OP_CONNECT, finish);
                return "ok";
            case "finish": return until(slot, SelectionKey.OP_CONNECT, finish) == null ? "err EINPROGRESS" : "ok";
            case "send": case "fill": case "sendto": {
                if (words[0].equals("sendto")) throw new Lacks();
                ByteBuffer data = words[0].equals("fill") ? ByteBuffer.allocate(Integer.parseInt(words[2])) : ByteBuffer.wrap(bytes(words[2]));
                Object sent = until(slot, SelectionKey.OP_WRITE, () -> channel.write(data) == 0 && data.hasRemaining() ? null : data);
                return sent == null ? "err EAGAIN" : "ok " + data.position();
            }
            case "recv": {
                BUFFER.clear().limit(Integer.parseInt(words[2]));
                Object got = until(slot, SelectionKey.OP_READ, () -> channel.read(BUFFER) == 0 && BUFFER.limit() > 0 ? null : BUFFER);
                return got == null ? "err EAGAIN" : "ok " + digits(BUFFER.flip());
            }
            case "shutdown":
                if (words[2].contains("r")) channel.shutdownInput();
                if (words[2].contains("w")) channel.shutdownOutput();
                return "ok";
            case "getpeername": {
                SocketAddress found = channel.getRemoteAddress();
                return found == null ? "err ENOTCONN" : "ok " + named(found);
            }
            case "abort": channel.setOption(StandardSocketOptions.SO_LINGER, 0); channel.close(); return "ok";
        }
        throw new Lacks();
    }

    static String datagram(Slot slot, DatagramChannel channel, String[] words) throws Exception {
        switch (words[0]) {
            case "bind": channel.bind(address(words[2], words[3])); return "ok";
            case "connect": channel.connect(address(words[2], words[3])); return "ok";
            case "send": case "sendto": {
                ByteBuffer data = ByteBuffer.wrap(bytes(words[2]));
                boolean named = words[0].equals("sendto");
                SocketAddress to = named ? address(words[3], words[4]) : null;
                Object sent = until(slot, SelectionKey.OP_WRITE, () -> (named ? channel.send(data, to) : channel.write(data)) == 0 && data.hasRemaining() ? null : data);
                return sent == null ? "err EAGAIN" : "ok " + data.position();
            }
            case "recv": case "recvfrom": {
                BUFFER.clear().limit(Integer.parseInt(words[2]));
                boolean asks = words[0].equals("recvfrom");
                SocketAddress[] from = {null};
                Object got = until(slot, SelectionKey.OP_READ, () -> {
                    if (asks) return from[0] = channel.receive(BUFFER);
                    return channel.read(BUFFER) == 0 && BUFFER.limit() > 0 ? null : BUFFER;
                });
                if (got == null) return "err EAGAIN";
                return "ok " + digits(BUFFER.flip()) + (asks ? " " + named(from[0]) : "");
            }
            case "getpeername": {
                SocketAddress found = channel.getRemoteAddress();
                return found == null ? "err ENOTCONN" : "ok " + named(found);
            }
            case "abort": channel.close(); return "ok";
        }
        throw new Lacks();
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "US-ASCII"), 1 << 16);
        PrintStream out = new PrintStream(System.out, false, "US-ASCII");
        StringBuilder answers = new StringBuilder();
        for (String line; (line = in.readLine()) != null; ) {
            String[] words = line.split(" ");
            if (words[0].equals("quit")) break;
            String answer;
            try {
                answer = act(words);
            } catch (TimeOut error) {
                answer = "timeout";
            } catch (Lacks error) {
                answer = "lacks";
            } catch (Exception | Error error) {
                answer = "err " + nameOf(error, SLOTS.get(Integer.parseInt(words[1])));
            }
            answers.append(answer).append('\n');
            if (!in.ready()) { // the answers to all lines that had come
                out.print(answers);
                out.flush();
                answers.setLength(0);
            }
        }
        out.print(answers);
        out.flush();
    }
}
