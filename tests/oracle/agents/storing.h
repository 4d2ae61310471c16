#pragma once
// Storing by tokens with the real CArchive, and filling collections.
#include "objects.h"
static const char* skip(const char* s) {
    while (*s == ' ') s++;
    return s;
}
static const char* past(const char* s) {
    while (*s && *s != ' ') s++;
    return s;
}
static CObject* object(const char*& s) {
    i64 id = number(s);
    return id ? objects[id] : 0;
}
static void fill_variant(COleVariant& v, const char*& s) {  // VT,HEX  (BSTR: the text)
    WORD vt = (WORD)number(s);
    if (*s == ',') s++;
    Bytes b(s);
    v.vt = vt;
    if (vt == 8)
        v.value = (u64)SysAllocStringByteLen((const char*)b.data, (UINT)b.n);
    else
        memcpy(vt == 14 ? (void*)&v : (void*)&v.value, b.data, b.n);
    if (vt == 14) v.vt = vt;
}
static void fill(CObject* o, const char* kind, const char*& s);
static void store(CArchive& ar, const char* s) {
    for (s = skip(s); *s && *s != '}'; s = skip(past(s))) {
        if (starts(s, "raw")) {
            Bytes b(s);
            ar.Write(b.data, (UINT)b.n);
        } else if (starts(s, "rawn")) {
            i64 n = number(s);
            BYTE* p = (BYTE*)malloc(n + 1);
            memset(p, 'x', n);
            ar.Write(p, (UINT)n);
            free(p);
        } else if (starts(s, "sw")) {
            Bytes b(s);
            CStringW t(b.wide(), (int)(b.n / 2));
            SerializeElements<CStringW>(ar, &t, 1);
        } else if (starts(s, "sa")) {
            Bytes b(s);
            CStringA t((char*)b.data, (int)b.n);
            SerializeElements<CStringA>(ar, &t, 1);
        } else if (starts(s, "swn")) {
            i64 n = number(s);
            wchar_t* p = (wchar_t*)malloc(n * 2 + 2);
            for (i64 i = 0; i < n; i++) p[i] = 'x';
            CStringW t(p, (int)n);
            free(p);
            SerializeElements<CStringW>(ar, &t, 1);
        } else if (starts(s, "san")) {
            i64 n = number(s);
            char* p = (char*)malloc(n + 1);
            memset(p, 'x', n);
            CStringA t(p, (int)n);
            free(p);
            SerializeElements<CStringA>(ar, &t, 1);
        } else if (starts(s, "wlen")) {
            u64 n = (u64)number(s);
            AfxWriteStringLength(ar, n, 1);
        } else if (starts(s, "alen")) {
            u64 n = (u64)number(s);
            AfxWriteStringLength(ar, n, 0);
        } else if (starts(s, "cnt"))
            ar.WriteCount((u64)number(s));
        else if (starts(s, "ws")) {
            Bytes b(s);
            ar.WriteString(b.text());
        } else if (starts(s, "t")) {
            ATL::CTime t;
            t.time = number(s);
            ar << t;
        } else if (starts(s, "t64")) {
            ATL::CTime t;
            t.time = number(s);
            t.Serialize64(ar);
        } else if (starts(s, "ts")) {
            ATL::CTimeSpan t;
            t.span = number(s);
            ar << t;
        } else if (starts(s, "ts64")) {
            ATL::CTimeSpan t;
            t.span = number(s);
            t.Serialize64(ar);
        } else if (starts(s, "od")) {
            ATL::COleDateTime t;
            Bytes b(s);
            memcpy(&t.date, b.data, 8);
            if (*s == ',') s++;
            t.status = (int)number(s);
            ar << t;
        } else if (starts(s, "os")) {
            ATL::COleDateTimeSpan t;
            Bytes b(s);
            memcpy(&t.span, b.data, 8);
            if (*s == ',') s++;
            t.status = (int)number(s);
            ar << t;
        } else if (starts(s, "cy")) {
            COleCurrency t;
            t.cy = number(s);
            if (*s == ',') s++;
            t.status = (int)number(s);
            ar << t;
        } else if (starts(s, "v")) {
            COleVariant v;
            fill_variant(v, s);
            ar << v;
        } else if (starts(s, "ve")) {
            COleVariant v;
            fill_variant(v, s);
            SerializeElements<COleVariant>(ar, &v, 1);
        } else if (starts(s, "bs")) {
            Bytes b(s);
            ATL::CComBSTR t;
            t.text = SysAllocStringByteLen((char*)b.data, (UINT)b.n);
            ar << t;
        } else if (starts(s, "bse")) {
            Bytes b(s);
            ATL::CComBSTR t;
            t.text = SysAllocStringByteLen((char*)b.data, (UINT)b.n);
            SerializeElements<ATL::CComBSTR>(ar, &t, 1);
        } else if (starts(s, "bs0")) {
            ATL::CComBSTR t;
            ar << t;
        } else if (starts(s, "o"))
            ar.WriteObject(object(s));
        else if (starts(s, "ser")) {
            CObject* o = object(s);
            o->Serialize(ar);
        } else if (starts(s, "m"))
            ar.MapObject(object(s));
        else if (starts(s, "fresh")) {  // CLASS:COUNT:ID  stores COUNT new objects, and names the last
            int k = (int)number(s);
            s++;
            i64 n = number(s);
            s++;
            i64 id = number(s);
            CObject* o = 0;
            for (i64 i = 0; i < n; i++) ar.WriteObject(o = new Thing(k, ""));
            objects[id] = o;
        } else if (starts(s, "maps")) {
            i64 n = number(s);
            for (i64 i = 0; i < n; i++) ar.MapObject(new Thing(0, ""));
        } else if (starts(s, "wc"))
            ar.WriteClass(&classes[number(s)]);
        else if (starts(s, "sc"))
            ar.SerializeClass(&classes[number(s)]);
        else if (starts(s, "et")) {
            Bytes b(s);
            if (!have_view()) {
                out.put("?view ");
                return;
            }
            SetWindowTextW(edit, b.wide());
        }  // the view's text
        else if (starts(s, "en")) {
            i64 n = number(s);
            if (!have_view()) {
                out.put("?view ");
                return;
            }
            wchar_t* p = (wchar_t*)malloc(n * 2 + 2);
            for (i64 i = 0; i < n; i++) p[i] = 'x';
            p[n] = 0;
            SendMessageW(edit, 0xc5, 0x7fffffff, 0);
            SetWindowTextW(edit, p);
            free(p);
        } else if (starts(s, "ev")) {
            if (!have_view()) {
                out.put("?view ");
                return;
            }
            view->CEditView::Serialize(ar);
        } else if (starts(s, "er")) {
            if (!have_view()) {
                out.put("?view ");
                return;
            }
            view->SerializeRaw(ar);
        } else if (starts(s, "fl"))
            ar.Flush();
        else if (starts(s, "schema")) {
            ar.GetObjectSchema();
        } else {
            out.put("?token ");
            out.put(s);
            return;
        }
    }
}
static void fill(CObject* o, const char* kind, const char*& s) {
    if (starts(kind, "ba")) {
        Bytes b(s);
        auto a = (CByteArray*)o;
        a->SetSize(b.n);
        memcpy(a->m_pData, b.data, b.n);
    } else if (starts(kind, "ban")) {
        i64 n = number(s);
        auto a = (CByteArray*)o;
        a->SetSize(n);
        memset(a->m_pData, 'x', n);
    } else if (starts(kind, "wa")) {
        Bytes b(s);
        auto a = (CWordArray*)o;
        a->SetSize(b.n / 2);
        memcpy(a->m_pData, b.data, b.n);
    } else if (starts(kind, "da")) {
        Bytes b(s);
        auto a = (CDWordArray*)o;
        a->SetSize(b.n / 4);
        memcpy(a->m_pData, b.data, b.n);
    } else if (starts(kind, "aw")) {
        auto a = (CStringArray*)o;
        for (i64 i = 0; *s && *s != ' '; i++) {
            Bytes b(s);
            a->SetAtGrow(i, b.text());
            if (*s) s++;
        }
    } else if (starts(kind, "lw")) {
        auto a = (CStringList*)o;
        while (*s && *s != ' ') {
            Bytes b(s);
            a->AddTail(b.text());
            if (*s) s++;
        }
    } else if (starts(kind, "oa")) {
        auto a = (CObArray*)o;
        for (i64 i = 0; *s && *s != ' '; i++) {
            a->SetAtGrow(i, object(s));
            if (*s == ',') s++;
        }
    } else if (starts(kind, "ol")) {
        auto a = (CObList*)o;
        while (*s && *s != ' ') {
            a->AddTail(object(s));
            if (*s == ',') s++;
        }
    } else if (starts(kind, "mss")) {
        auto a = (CMapStringToString*)o;
        while (*s && *s != ' ') {
            Bytes k(s);
            s++;
            Bytes v(s);
            CString t(v.text(), (int)(v.n / sizeof(TCHAR)));
            CString& to = (*a)[k.text()];
            TCHAR* swap = to.text;
            to.text = t.text;
            t.text = swap;
            if (*s == ',') s++;
        }
    } else if (starts(kind, "mso")) {
        auto a = (CMapStringToOb*)o;
        while (*s && *s != ' ') {
            Bytes k(s);
            s++;
            (*a)[k.text()] = object(s);
            if (*s == ',') s++;
        }
    } else if (starts(kind, "mwo")) {
        auto a = (CMapWordToOb*)o;
        while (*s && *s != ' ') {
            WORD k = (WORD)number(s);
            s++;
            (*a)[k] = object(s);
            if (*s == ',') s++;
        }
    }
}
static CObject* collection(const char* k) {
    const char* s = k;
    if (starts(s, "ba") || starts(s, "ban")) return new CByteArray;
    if (starts(s, "wa")) return new CWordArray;
    if (starts(s, "da")) return new CDWordArray;
    if (starts(s, "aw")) return new CStringArray;
    if (starts(s, "lw")) return new CStringList;
    if (starts(s, "oa")) return new CObArray;
    if (starts(s, "ol")) return new CObList;
    if (starts(s, "mss")) return new CMapStringToString;
    if (starts(s, "mso")) return new CMapStringToOb;
    if (starts(s, "mwo")) return new CMapWordToOb;
    return 0;
}
