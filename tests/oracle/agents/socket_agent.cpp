// A line protocol over the real CAsyncSocket, CSocket, CSocketFile and CArchive.  Answers: "RESULT err=N ms=N [events]".
#include "lines.h"
#include "mfcsock.h"

// ---- what the notifications say
static Out events;
static void note(const char* what, int id, int code) {
    if (events.n) events.put(" ");
    events.put(what);
    events.num(id);
    if (code) {
        events.put(":");
        events.num(code);
    }
}
enum { SOCKETS = 256 };
static CAsyncSocket* sockets[SOCKETS];
static bool blocking_kind[SOCKETS];
static int on_receive[SOCKETS];  // in OnReceive: 0 nothing, n>0 Receive(n) once, -1 until it fails, -2 a nested Receive on the
                                 // same object
static void received(int id) {
    if (!on_receive[id]) return;
    static char b[1 << 16];
    int n = on_receive[id];
    do {
        int got = sockets[id]->Receive(b, n > 0 ? n : 4);
        events.put("=");
        events.num(got);
        if (got < 0) {
            events.put("/");
            events.num(WSAGetLastError());
        }
        if (got <= 0) break;
    } while (n == -1);
}
template <class Base> class Noting : public Base {
public:
    int id;
    void OnReceive(int e) override {
        note("R", id, e);
        received(id);
    }
    void OnSend(int e) override { note("W", id, e); }
    void OnOutOfBandData(int e) override { note("O", id, e); }
    void OnAccept(int e) override { note("A", id, e); }
    void OnConnect(int e) override { note("C", id, e); }
    void OnClose(int e) override { note("X", id, e); }
};
struct Async : Noting<CAsyncSocket> {};
static int pendings;
struct Blocking : Noting<CSocket> {
    BOOL OnMessagePending() override {
        pendings++;
        return CSocket::OnMessagePending();
    }
};
static CSocketFile* files[SOCKETS];
static CArchive* archives[SOCKETS];
static int archive_file[SOCKETS];

// ---- calls that block for ever are cancelled after a while
static volatile u64 deadline;
static volatile bool cancelled;
static u64 patience = 600;
static DWORD watch(void*) {
    for (;;) {
        Sleep(20);
        u64 d = deadline;
        if (d && GetTickCount64() > d)
            for (int i = 0; i < SOCKETS; i++)
                if (sockets[i] && blocking_kind[i] && ((CSocket*)sockets[i])->m_pbBlocking) {
                    cancelled = true;
                    ((CSocket*)sockets[i])->CancelBlockingCall();
                }
    }
}
static void pump(u64 ms) {
    u64 end = GetTickCount64() + ms;
    tagMSG m;
    do {
        while (PeekMessageW(&m, 0, 0, 0, 1)) {
            TranslateMessage(&m);
            DispatchMessageW(&m);
        }
        if (GetTickCount64() < end) MsgWaitForMultipleObjects(0, 0, 0, 5, 0x4ff);
    } while (GetTickCount64() < end);
}
static TCHAR* address(const char*& s) {  // a word as wide text; "-" is NULL
    static TCHAR text[300];
    int n = 0;
    s = skip(s);
    if (*s == '-' && (s[1] == ' ' || !s[1])) {
        s++;
        return 0;
    }
    while (*s && *s != ' ' && n < 299) text[n++] = (TCHAR)(BYTE)*s++;
    text[n] = 0;
    return n ? text : 0;
}
static i64 argument(const char*& s, i64 otherwise) {
    s = skip(s);
    return *s == '-' || (*s >= '0' && *s <= '9') ? number(s) : otherwise;
}
static void put_wide(const CString& t) {
    for (int i = 0; i < t.length(); i++) {
        char c = (char)t.text[i];
        out.raw(&c, 1);
    }
}

static void call(const char* s) {  // ID CALL ARGUMENTS
    int id = (int)argument(s, 0);
    s = skip(s);
    CAsyncSocket* k = sockets[id];
    bool b = blocking_kind[id];
    static char data[1 << 20];
    if (starts(s, "create")) {
        UINT port = (UINT)argument(s, 0);
        int type = (int)argument(s, 1);
        long mask = (long)argument(s, 63);
        TCHAR* a = address(s);
        out.num(k->Create(port, type, mask, a));
    } else if (starts(s, "socket")) {
        int type = (int)argument(s, 1);
        long mask = (long)argument(s, 63);
        int proto = (int)argument(s, 0);
        int family = (int)argument(s, 2);
        out.num(k->Socket(type, mask, proto, family));
    } else if (starts(s, "bind")) {
        UINT port = (UINT)argument(s, 0);
        TCHAR* a = address(s);
        out.num(k->Bind(port, a));
    } else if (starts(s, "listen")) {
        int n = (int)argument(s, 5);
        out.num(listen(k->m_hSocket, n) == 0);
    }  // inline in afxsock.inl
    else if (starts(s, "accept")) {
        int to = (int)argument(s, 0);
        out.num(k->Accept(*sockets[to]));
    } else if (starts(s, "connect")) {
        TCHAR* a = address(s);
        UINT port = (UINT)argument(s, 0);
        out.num(k->Connect(a, port));
    } else if (starts(s, "send")) {
        s = skip(s);
        Bytes x(s);
        int flags = (int)argument(s, 0);
        out.num(k->Send(x.data, (int)x.n, flags));
    } else if (starts(s, "sendn")) {
        int n = (int)argument(s, 0);
        char* p = (char*)malloc(n + 1);
        memset(p, 'x', n);
        out.num(k->Send(p, n));
        free(p);
    } else if (starts(s, "receive")) {
        int n = (int)argument(s, 0);
        int flags = (int)argument(s, 0);
        int got = k->Receive(data, n, flags);
        int e = WSAGetLastError();
        out.num(got);
        if (got > 0) {
            out.put(":");
            out.blob(data, got);
        }
        WSASetLastError(e);
    } else if (starts(s, "sendto")) {
        s = skip(s);
        Bytes x(s);
        UINT port = (UINT)argument(s, 0);
        TCHAR* a = address(s);
        out.num(k->SendTo(x.data, (int)x.n, port, a));
    } else if (starts(s, "receivefrom")) {
        int n = (int)argument(s, 0);
        CString a;
        UINT port = 0;
        int got = k->ReceiveFrom(data, n, a, port);
        int e = WSAGetLastError();
        out.num(got);
        if (got > 0) {
            out.put(":");
            out.blob(data, got);
            out.put("@");
            put_wide(a);
        }
        WSASetLastError(e);
    } else if (starts(s, "shutdown")) {
        int how = (int)argument(s, 1);
        out.num(shutdown(k->m_hSocket, how) == 0);
    }  // inline
    else if (starts(s, "close")) {
        k->Close();
        out.put("void");
    } else if (starts(s, "asyncselect")) {
        long mask = (long)argument(s, 63);
        out.num(k->AsyncSelect(mask));
    } else if (starts(s, "getpeername")) {
        CString a;
        UINT port = 0;
        BOOL r = k->GetPeerName(a, port);
        int e = WSAGetLastError();
        out.num(r);
        if (r) {
            out.put(":");
            put_wide(a);
            out.put(":");
            out.num(port);
        }
        WSASetLastError(e);
    } else if (starts(s, "getsockname")) {
        CString a;
        UINT port = 0;
        BOOL r = k->GetSockName(a, port);
        int e = WSAGetLastError();
        out.num(r);
        if (r) {
            out.put(":");
            put_wide(a);
            out.put(":");
            out.num(port);
        }
        WSASetLastError(e);
    } else if (starts(s, "ioctl")) {
        long c = (long)argument(s, 0);
        DWORD v = (DWORD)argument(s, 0);
        out.num(ioctlsocket(k->m_hSocket, c, &v) == 0);
        out.put(":");
        out.num(v);
    } else if (starts(s, "fionread")) {
        DWORD v = 0;
        out.num(ioctlsocket(k->m_hSocket, 0x4004667f, &v) == 0);
        out.put(":");
        out.num(v);
    } else if (starts(s, "getopt")) {
        int o = (int)argument(s, 0);
        int v = 0, n = 4;
        out.num(getsockopt(k->m_hSocket, 0xffff, o, (char*)&v, &n) == 0);
        out.put(":");
        out.num(v);
    } else if (starts(s, "setopt")) {
        int o = (int)argument(s, 0);
        int v = (int)argument(s, 0);
        out.num(setsockopt(k->m_hSocket, 0xffff, o, (char*)&v, 4) == 0);
    } else if (starts(s, "linger")) {
        WORD v[2] = {1, 0};
        out.num(setsockopt(k->m_hSocket, 0xffff, 0x80, (char*)v, 4) == 0);
    } else if (starts(s, "detach")) {
        u64 h = k->Detach();
        if (h == ~0ull)
            out.put("-1");
        else
            out.unum(h);
    } else if (starts(s, "attach")) {
        u64 h = (u64)argument(s, -1);
        out.num(k->Attach(h));
    } else if (starts(s, "handle")) {
        if (k->m_hSocket == ~0ull)
            out.put("-1");
        else
            out.put("handle");
    } else if (starts(s, "lookup")) {
        u64 h = k->m_hSocket;
        out.num(CAsyncSocket::LookupHandle(h, 0) == k);
    } else if (starts(s, "blocking"))
        out.num(b && ((CSocket*)k)->m_pbBlocking != 0);
    else if (starts(s, "timeout")) {
        ((CSocket*)k)->m_nTimeOut = (int)argument(s, 2000);
        out.put("ok");
    } else if (starts(s, "onreceive")) {
        on_receive[id] = (int)argument(s, 0);
        out.put("ok");
    } else if (starts(s, "delete")) {
        sockets[id] = 0;
        if (b)
            delete (Blocking*)k;
        else
            delete (Async*)k;
        out.put("void");
    } else if (starts(s, "cancel")) {
        ((CSocket*)k)->CancelBlockingCall();
        out.put("void");
    } else
        out.put("?call");
}
static void file_call(const char* s) {  // FID OPERATION
    int id = (int)argument(s, 0);
    s = skip(s);
    CSocketFile* f = files[id];
    if (starts(s, "read")) {
        UINT n = (UINT)argument(s, 0);
        char* p = (char*)malloc(n + 1);
        UINT got = f->Read(p, n);
        out.num((int)got);
        out.put(":");
        out.blob(p, got);
        free(p);
    } else if (starts(s, "write")) {
        s = skip(s);
        Bytes x(s);
        f->Write(x.data, (UINT)x.n);
        out.put("void");
    } else if (starts(s, "seek")) {
        i64 n = argument(s, 0);
        UINT from = (UINT)argument(s, 0);
        out.unum(f->Seek(n, from));
    } else if (starts(s, "getlength"))
        out.unum(f->GetLength());
    else if (starts(s, "getposition"))
        out.unum(f->GetPosition());
    else if (starts(s, "setlength")) {
        f->SetLength(0);
        out.put("void");
    } else if (starts(s, "lock")) {
        f->LockRange(0, 1);
        out.put("void");
    } else if (starts(s, "unlock")) {
        f->UnlockRange(0, 1);
        out.put("void");
    } else if (starts(s, "duplicate")) {
        out.put(f->Duplicate() ? "a file" : "null");
    } else if (starts(s, "open"))
        out.num(f->CFile::Open((LPCTSTR)L"x", 0, (CFileException*)0) ? 1 : 0);
    else if (starts(s, "openv"))
        out.num(f->Open((LPCTSTR)L"x", 0, (CFileException*)0));
    else if (starts(s, "flush")) {
        f->Flush();
        out.put("void");
    } else if (starts(s, "abort")) {
        f->Abort();
        out.put("void");
    } else if (starts(s, "close")) {
        f->Close();
        out.put("void");
    } else if (starts(s, "bufferptr")) {
        UINT c = (UINT)argument(s, 3);
        out.unum(f->GetBufferPtr(c, 0, 0, 0));
    } else if (starts(s, "delete")) {
        delete f;
        files[id] = 0;
        out.put("void");
    } else
        out.put("?file");
}
static UINT* words(CArchive* a) { return (UINT*)a; }
static void answer(char* line) {
    const char* s = line;
    out.n = 0;
    out.put("");
    events.n = 0;
    events.put("");
    pendings = 0;
    u64 t0 = GetTickCount64();
    bool timed = false;
    int error = 0;
    if (declared(s))
        ;
    else if (starts(s, "quit"))
        ExitProcess(0);
    else if (starts(s, "init")) {
        out.num(_AfxSocketInit(0));
    } else if (starts(s, "patience")) {
        patience = (u64)argument(s, 600);
        out.put("ok");
    } else if (starts(s, "new")) {
        int id = (int)argument(s, 0);
        s = skip(s);
        bool b = *s == 's';
        if (b) {
            auto k = new Blocking;
            k->id = id;
            k->m_nTimeOut = 100;
            sockets[id] = k;
        } else {
            auto k = new Async;
            k->id = id;
            sockets[id] = k;
        }
        blocking_kind[id] = b;
        on_receive[id] = 0;
        out.put("ok");
    } else if (starts(s, "pump")) {
        pump((u64)argument(s, 50));
        out.put("ok");
    } else if (starts(s, "file")) {
        int id = (int)argument(s, 0);
        int k = (int)argument(s, 0);
        int compatible = (int)argument(s, 1);
        WSASetLastError(0);
        try {
            files[id] = new CSocketFile((CSocket*)sockets[k], compatible);
            out.put("ok");
        } catch (CException* e) {
            raised(e);
        }
    } else if (starts(s, "arc")) {
        int id = (int)argument(s, 0);
        int f = (int)argument(s, 0);
        int mode = (int)argument(s, 0);
        int size = (int)argument(s, 4096);
        try {
            archives[id] = new CArchive(files[f], mode, size);
            archive_file[id] = f;
            out.put("ok");
        } catch (CException* e) {
            raised(e);
        }
    } else if (starts(s, "dump")) {
        int id = (int)argument(s, 0);
        UINT* w = words(archives[id]);
        for (int i = 0; i < 40; i++) {
            out.hex(w + i, 4);
            out.put(" ");
        }
    } else {
        bool c = starts(s, "call"), f = !c && starts(s, "fcall"), p = !c && !f && starts(s, "put"),
             g = !c && !f && !p && starts(s, "get");
        WSASetLastError(0);
        timed = true;
        cancelled = false;
        deadline = GetTickCount64() + patience;
        try {
            if (c)
                call(s);
            else if (f)
                file_call(s);
            else if (p) {
                int id = (int)argument(s, 0);
                storing = true;
                store(*archives[id], s);
                out.put("ok");
            } else if (g) {
                int id = (int)argument(s, 0);
                storing = false;
                if (nloaded > 500) nloaded = 0;
                load(*archives[id], skip(s));
                out.put(" ok");
            } else if (starts(s, "flush")) {
                archives[argument(s, 0)]->Flush();
                out.put("ok");
            } else if (starts(s, "aclose")) {
                archives[argument(s, 0)]->Close();
                out.put("ok");
            } else if (starts(s, "aabort")) {
                archives[argument(s, 0)]->Abort();
                out.put("ok");
            } else if (starts(s, "adelete")) {
                delete archives[argument(s, 0)];
                out.put("ok");
            } else
                out.put("?command");
        } catch (CException* e) {
            raised(e);
        }
        error = WSAGetLastError();
        deadline = 0;
    }
    if (timed) {
        out.put(" err=");
        out.num(error);
        out.put(" ms=");
        out.unum(GetTickCount64() - t0);
        if (cancelled) out.put(" CANCELLED");
        if (pendings) {
            out.put(" pending=");
            out.num(pendings);
        }
    }
    if (events.n) {
        out.put(" [");
        out.put(events.data);
        out.put("]");
    }
    out.put("\n");
    say();
}
extern "C" void start() {
    SetUnhandledExceptionFilter(crashed);
    TCHAR none[1] = {0};
    if (!AfxWinInit((HINSTANCE__*)GetModuleHandleW(0), 0, none, 0)) ExitProcess(2);
    CreateThread(0, 0, watch, 0, 0, 0);
    for (char* line; next_line(line);) answer(line);
    ExitProcess(0);
}
