// A line protocol over the real CArchive: one command a line on stdin, one answer a line on stdout.
//   class N NAME SCHEMA LOADTOKENS...      declare class N (0..15); objects of it load by these tokens
//   object ID N TOKENS...                  make object ID (1..) of class N; it stores by these tokens
//   list ID KIND ARGUMENT                  make collection object ID
//   store BUFFER TOKENS...                 -> ok HEX | exc CLASS CAUSE HEX
//   load HEX BUFFER TOKENS...              -> ok VALUES... | exc CLASS CAUSE VALUES...   then rest=N
#include "lines.h"
static void answer(char* line) {

    const char* s = line;
    out.n = 0;
    out.put("");
    if (declared(s))
        ;
    else if (starts(s, "store")) {
        s = skip(s);
        int size = (int)number(s);
        CMemFile file(4096);
        storing = true;
        Out notes = out;
        try {
            CArchive ar(&file, STORE, size);
            try {
                store(ar, s);
                out.put("ok");
            } catch (CException* e) {
                out.n = notes.n;
                raised(e);
                try {
                    ar.Flush();
                } catch (CException* x) {
                    x->Delete();
                }
            }
            ar.Close();
        } catch (CException* e) {
            raised(e);
            out.put(" closing");
        }
        u64 n = file.GetLength();
        BYTE* p = file.Detach();
        out.put(" ");
        out.blob(p, n);
        free(p);
    } else if (starts(s, "load")) {
        s = skip(s);
        Bytes b(s);
        if (*s == '-') s++;
        s = skip(s);
        int size = (int)number(s);
        CMemFile file(b.data, (UINT)b.n);
        storing = false;
        nseen = nloaded = 0;
        bool whole = false;
        try {
            CArchive ar(&file, LOAD, size);
            Out before = out;
            try {
                load(ar, s);
                out.put(" ok");
                whole = true;
            } catch (CException* e) {
                out.put(" ");
                raised(e);
            }
            ar.Close();
        } catch (CException* e) {
            out.put(" closing ");
            raised(e);
        }
        for (int i = 0; whole && i < nloaded; i++) {
            out.put(" @");
            out.num(i + 1);
            out.put("=");
            show(loaded[i]);
        }
        out.put(" rest=");
        out.num((i64)b.n - (i64)file.GetPosition());
        file.Detach();
    } else if (starts(s, "quit"))
        ExitProcess(0);
    else
        out.put("?command");
    out.put("\n");
    say();
}
extern "C" void start() {
    SetUnhandledExceptionFilter(crashed);
    TCHAR none[1] = {0};
    if (!AfxWinInit((HINSTANCE__*)GetModuleHandleW(0), 0, none, 0)) ExitProcess(2);
    for (char* line; next_line(line);) answer(line);
    ExitProcess(0);
}
