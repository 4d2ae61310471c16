#pragma once
// Loading by tokens with the real CArchive, and showing what was loaded.
#include "storing.h"
static bool same(const char* a, const char* b) {
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}
static void show(CObject* o);
static void show_text(const CString& t) {
    out.put(sizeof(TCHAR) == 2 ? "w:" : "a:");
    out.blob(t.text, t.length() * sizeof(TCHAR));
}
static void wide(const CStringW& t) {
    out.put("w:");
    out.blob(t.text, t.length() * 2);
}
static void show_collection(CObject* o, const char* name) {
    if (same(name, "CByteArray")) {
        auto a = (CByteArray*)o;
        out.blob(a->m_pData, a->m_nSize);
    } else if (same(name, "CWordArray")) {
        auto a = (CWordArray*)o;
        out.blob(a->m_pData, a->m_nSize * 2);
    } else if (same(name, "CDWordArray")) {
        auto a = (CDWordArray*)o;
        out.blob(a->m_pData, a->m_nSize * 4);
    } else if (same(name, "CStringArray")) {
        auto a = (CStringArray*)o;
        for (i64 i = 0; i < a->m_nSize; i++) {
            if (i) out.put(",");
            show_text(a->m_pData[i]);
        }
    } else if (same(name, "CObArray")) {
        auto a = (CObArray*)o;
        for (i64 i = 0; i < a->m_nSize; i++) {
            if (i) out.put(",");
            show(a->m_pData[i]);
        }
    } else if (same(name, "CStringList")) {
        auto a = (CStringList*)o;
        for (auto n = a->head; n; n = n->next) {
            show_text(n->data);
            if (n->next) out.put(",");
        }
    } else if (same(name, "CObList")) {
        auto a = (CObList*)o;
        for (auto n = a->head; n; n = n->next) {
            show(n->data);
            if (n->next) out.put(",");
        }
    } else if (same(name, "CMapStringToString")) {
        auto a = (CMapStringToString*)o;
        auto p = (__POSITION*)(a->count ? -1LL : 0);
        while (p) {
            CString k, v;
            a->GetNextAssoc(p, k, v);
            show_text(k);
            out.put("=");
            show_text(v);
            if (p) out.put(",");
        }
    } else if (same(name, "CMapStringToOb")) {
        auto a = (CMapStringToOb*)o;
        auto p = (__POSITION*)(a->count ? -1LL : 0);
        while (p) {
            CString k;
            CObject* v;
            a->GetNextAssoc(p, k, v);
            show_text(k);
            out.put("=");
            show(v);
            if (p) out.put(",");
        }
    } else if (same(name, "CMapWordToOb")) {
        auto a = (CMapWordToOb*)o;
        auto p = (__POSITION*)(a->count ? -1LL : 0);
        while (p) {
            WORD k;
            CObject* v;
            a->GetNextAssoc(p, k, v);
            out.num(k);
            out.put("=");
            show(v);
            if (p) out.put(",");
        }
    } else
        out.put("?");
}
static void show(CObject* o) {
    if (!o) {
        out.put("null");
        return;
    }
    for (int i = 0; i < nseen; i++)
        if (seen[i] == o) {
            out.put("#");
            out.num(i + 1);
            return;
        }
    seen[nseen++] = o;
    CRuntimeClass* c = o->GetRuntimeClass();
    out.put(c->m_lpszClassName);
    out.put("#");
    out.num(nseen);
    out.put("(");
    if (c >= classes && c < classes + CLASSES) {
        Thing* t = (Thing*)o;
        if (t->text.data) out.put(t->text.data);
    } else
        show_collection(o, c->m_lpszClassName);
    out.put(")");
}
static CObject* loaded[1024];
static int nloaded;  // pointers met in a body, shown when the outermost is whole
static void load(CArchive& ar, const char* s) {
    bool first = true;
    for (s = skip(s); *s && *s != '}'; s = skip(past(s))) {
        if (!first) out.put(" ");
        first = false;
        if (starts(s, "raw")) {
            UINT n = (UINT)number(s);
            BYTE* p = (BYTE*)malloc(n + 1);
            UINT got = ar.Read(p, n);
            out.blob(p, got);
            if (got < n) out.put("<short>");
            free(p);
        } else if (starts(s, "sw")) {
            CStringW t;
            SerializeElements<CStringW>(ar, &t, 1);
            wide(t);
        } else if (starts(s, "sa")) {
            CStringA t;
            SerializeElements<CStringA>(ar, &t, 1);
            out.put("a:");
            out.blob(t.text, t.length());
        } else if (starts(s, "len")) {
            int size = 0;
            u64 n = AfxReadStringLength(ar, size);
            out.unum(n);
            out.put("/");
            out.num(size);
        } else if (starts(s, "cnt"))
            out.unum(ar.ReadCount());
        else if (starts(s, "rs")) {
            CString t;
            BOOL ok = ar.ReadString(t);
            out.num(ok);
            out.put("/");
            show_text(t);
        } else if (starts(s, "rsn")) {
            UINT n = (UINT)number(s);
            TCHAR* p = (TCHAR*)malloc(n * sizeof(TCHAR) + 4);
            TCHAR* r = ar.ReadString(p, n);
            out.put(r ? "1/" : "0/");
            int k = 0;
            if (!r) p[0] = 0;
            while (p[k] && k <= (int)n) k++;
            out.put(sizeof(TCHAR) == 2 ? "w:" : "a:");
            out.blob(p, k * sizeof(TCHAR));
            free(p);
        } else if (starts(s, "t")) {
            ATL::CTime t;
            t.time = 0;
            ar >> t;
            out.num(t.time);
        } else if (starts(s, "t64")) {
            ATL::CTime t;
            t.time = 0;
            t.Serialize64(ar);
            out.num(t.time);
        } else if (starts(s, "ts")) {
            ATL::CTimeSpan t;
            t.span = 0;
            ar >> t;
            out.num(t.span);
        } else if (starts(s, "ts64")) {
            ATL::CTimeSpan t;
            t.span = 0;
            t.Serialize64(ar);
            out.num(t.span);
        } else if (starts(s, "od")) {
            ATL::COleDateTime t;
            ar >> t;
            out.hex(&t.date, 8);
            out.put("/");
            out.num(t.status);
        } else if (starts(s, "os")) {
            ATL::COleDateTimeSpan t;
            ar >> t;
            out.hex(&t.span, 8);
            out.put("/");
            out.num(t.status);
        } else if (starts(s, "cy")) {
            COleCurrency t;
            ar >> t;
            out.num(t.cy);
            out.put("/");
            out.num(t.status);
        } else if (starts(s, "v") || starts(s, "ve")) {
            COleVariant v;
            ar >> v;
            out.num(v.vt);
            out.put("/");
            if (v.vt == 8)
                out.blob((void*)v.value, SysStringByteLen((wchar_t*)v.value));
            else if (v.vt == 14) {
                WORD vt = v.vt;
                v.vt = 0;
                out.hex(&v, 16);
                v.vt = vt;
            } else
                out.hex(&v.value, 8);
        } else if (starts(s, "bs")) {
            ATL::CComBSTR t;
            ar >> t;
            if (t.text) out.blob(t.text, SysStringByteLen(t.text));
        } else if (starts(s, "o")) {
            const CRuntimeClass* c = *s && *s != ' ' ? &classes[number(s)] : 0;
            CObject* o = ar.ReadObject(c);
            show(o);
        } else if (starts(s, "ob")) {
            CObject* o = ar.ReadObject(0);
            out.put("@");
            loaded[nloaded++] = o;
            out.num(nloaded);
        }  // in a body: by number, shown later
        else if (starts(s, "rc")) {
            const CRuntimeClass* c = *s && *s != ' ' ? &classes[number(s)] : 0;
            UINT schema = 0;
            CRuntimeClass* r = ar.ReadClass(c, &schema);
            out.put(r ? r->m_lpszClassName : "none");
            out.put("/");
            out.unum(schema);
        } else if (starts(s, "rct")) {
            const CRuntimeClass* c = *s && *s != ' ' ? &classes[number(s)] : 0;
            UINT schema = 0;
            DWORD tag = 0;
            CRuntimeClass* r = ar.ReadClass(c, &schema, &tag);
            out.put(r ? r->m_lpszClassName : "none");
            out.put("/");
            out.unum(schema);
            out.put("/");
            out.unum(tag);
        } else if (starts(s, "sc")) {
            ar.SerializeClass(&classes[number(s)]);
            out.put("sc");
        } else if (starts(s, "m")) {
            ar.MapObject(object(s));
            out.put("m");
        } else if (starts(s, "maps")) {
            i64 n = number(s);
            for (i64 i = 0; i < n; i++) ar.MapObject(new Thing(0, ""));
            out.put("maps");
        } else if (starts(s, "skip")) {
            i64 n = number(s);
            CObject* o = 0;
            for (i64 i = 0; i < n; i++) o = ar.ReadObject(0);
            out.put("skip");
            (void)o;
        } else if (starts(s, "ev") || starts(s, "er")) {
            bool raw = s[-1] == 'r';
            if (!have_view()) {
                out.put("?view ");
                return;
            }
            SetWindowTextW(edit, L"");
            if (raw)
                view->SerializeRaw(ar);
            else
                view->CEditView::Serialize(ar);
            int n = GetWindowTextLengthW(edit);
            wchar_t* p = (wchar_t*)malloc(n * 2 + 4);
            n = GetWindowTextW(edit, p, n + 1);
            out.put("w:");
            out.blob(p, n * 2);
            free(p);
        } else if (starts(s, "schema"))
            out.num((int)ar.GetObjectSchema());
        else if (starts(s, "in")) {
            CObject* o = collection(s);
            o->Serialize(ar);
            show(o);
        }  // a fresh collection's Serialize
        else if (starts(s, "ser")) {
            CObject* o = object(s);
            o->Serialize(ar);
            show(o);
        }  // of an object that is there
        else {
            out.put("?token ");
            out.put(s);
            return;
        }
    }
}
