#pragma once
// A line in, a line out; exceptions as text.
#include "loading.h"
static void raised(CException* e) {
    const char* n = e->GetRuntimeClass()->m_lpszClassName;
    out.put("exc ");
    out.put(n);
    out.put(" ");
    if (same(n, "CArchiveException"))
        out.num(((CArchiveException*)e)->m_cause);
    else if (same(n, "CFileException")) {
        out.num(((CFileException*)e)->m_cause);
        out.put("/");
        out.num(((CFileException*)e)->m_lOsError);
    } else
        out.put("-");
    e->Delete();
}
static long crashed(void** info) {
    Out o = {0, 0, 0};
    u64* r = (u64*)info[0];
    o.put("crash code=");
    DWORD c = *(DWORD*)r;
    o.hex(&c, 4);
    o.put(" at=");
    o.hex(&r[2], 8);
    o.put("\n");
    DWORD done;
    WriteFile(GetStdHandle((DWORD)-11), o.data, (DWORD)o.n, &done, 0);
    ExitProcess(3);
    return 1;
}
// The stack probe of large frames: rax bytes, a page at a time.
__asm__(
    ".globl __chkstk\n__chkstk:\n push %rcx\n push %rax\n lea 24(%rsp), %rcx\n 1: cmp $4096, %rax\n jb 2f\n sub $4096, %rcx\n "
    "test %rcx, (%rcx)\n sub $4096, %rax\n jmp 1b\n 2: sub %rax, %rcx\n test %rcx, (%rcx)\n pop %rax\n pop %rcx\n ret\n");
// The lines that declare classes and objects, of every agent.
static bool declared(const char* s) {
    if (starts(s, "class")) {
        s = skip(s);
        int k = (int)number(s);
        s = skip(s);
        const char* e = past(s);
        char* name = (char*)malloc(e - s + 1);
        memcpy(name, s, e - s);
        name[e - s] = 0;
        s = skip(e);
        UINT schema = (UINT)number(s);
        s = skip(s);
        CRuntimeClass& c = classes[k];
        bool fresh = !c.m_lpszClassName;
        c.m_lpszClassName = name;
        c.m_nObjectSize = sizeof(Thing);
        c.m_wSchema = schema;
        c.m_pfnCreateObject = creators[k];
        c.m_pfnGetBaseClass = base;
        size_t n = 0;
        while (s[n]) n++;
        char* copy = (char*)malloc(n + 1);
        memcpy(copy, s, n + 1);
        loads[k] = copy;
        if (fresh) AfxClassInit(&c);
        out.put("ok");
    } else if (starts(s, "object")) {
        s = skip(s);
        i64 id = number(s);
        s = skip(s);
        int k = (int)number(s);
        s = skip(s);
        size_t n = 0;
        while (s[n]) n++;
        char* copy = (char*)malloc(n + 1);
        memcpy(copy, s, n + 1);
        objects[id] = new Thing(k, copy);
        out.put("ok");
    } else if (starts(s, "list")) {
        s = skip(s);
        i64 id = number(s);
        s = skip(s);
        const char* kind = s;
        objects[id] = collection(kind);
        s = skip(past(s));
        fill(objects[id], kind, s);
        out.put("ok");
    } else if (starts(s, "longest")) {
        s = skip(s);
        Out::longest = (size_t)number(s);
        out.put("ok");
    } else
        return false;
    return true;
}
static void answer(char* line);
static void say() {
    DWORD done;
    WriteFile(GetStdHandle((DWORD)-11), out.data, (DWORD)out.n, &done, 0);
}
static bool next_line(char*& line) {  // one line of stdin; false at its end
    static size_t room = 1 << 16, n = 0;
    static char* text = (char*)malloc(room);
    static BYTE chunk[65536];
    static DWORD got = 0, at = 0;
    for (;;) {
        if (at == got) {
            at = got = 0;
            if (!ReadFile(GetStdHandle((DWORD)-10), chunk, sizeof chunk, &got, 0) || !got) return false;
        }
        BYTE c = chunk[at++];
        if (n + 2 > room) text = (char*)realloc(text, room *= 2);
        if (c == '\r') continue;
        if (c != '\n') {
            text[n++] = c;
            continue;
        }
        text[n] = 0;
        n = 0;
        line = text;
        return true;
    }
}
#ifdef MFC90
extern "C" void __std_terminate() { ExitProcess(4); }
#endif
