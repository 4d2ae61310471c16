"""The whole modules that are written from C++ sources: golden/modules.txt has one for each."""

from __future__ import annotations

from pathlib import Path

import pytest
from golden_texts import GoldenTexts

from lifecycle.archive.cpp import module_of, read_sources

pytest.importorskip("tree_sitter_cpp", reason="the extra [cpp] is not installed")

golden = GoldenTexts(Path(__file__).parent / "golden")

DECLARED = """
#define MOST 3
#define HALF 0.5
#define TITLE "title"
#define MASK (0x10u | MOST)
#define FORMAT MASK
enum Kind { LINE = 1, TEXT, BOX = 7, };
enum Plain { FIRST, SECOND };
typedef unsigned short Layer;
typedef Layer Level;
struct Spot { double x; float y; Spot* next; };
class CItem : public CObject { public: int m_id; void Serialize(CArchive& ar); CItem* m_pOther; };
void CItem::Serialize(CArchive& ar) { if (ar.IsStoring()) ar << m_id; else ar >> m_id; }
class CAll : public CItem {
  int m_a, m_b[MOST], m_c[2][MOST]; Kind m_kind; Level m_level; Spot m_spot; CString m_text; CPoint m_at; CRect m_box;
  CSize m_size; char m_name[4]; wchar_t m_wide[MOST]; CItem m_item; CItem* m_pItem; CObject* m_pAny; CThing m_thing;
  bool m_on; double m_d; LOGFONT m_font; CTime m_time; CByteArray m_bytes; COLORREF m_colour; TCHAR m_class[8]; CWnd* m_pWnd;
  CArray<int, int> m_ints; CList<CItem, CItem&> m_items; CMap<WORD, WORD, CString, LPCTSTR> m_map;
  CTypedPtrList<CObList, CItem*> m_pointers; CArray<CThing, CThing&> m_things; CMap<int, int, CThing, CThing&> m_odd;
  CArray<CArray<int, int>, int> m_nested; BYTE m_lambda; BYTE lambda; void Serialize(CArchive& ar);
};
"""
BODIES = {
    "numbers": "ar << m_a << 7 << 0x1FL << 2.5f << 1e3 << 1'000u << 0x2fu << 0b1 << -m_a << +m_a << ~m_a << !m_a << 'x';",
    "texts": 'ar << "a" << L"b" << _T("c") << TEXT("d") << m_text << CString(m_text); m_text = u8"e"; m_text.Empty();',
    "casts": "ar << (WORD)m_a << static_cast<BYTE>(m_b[1]) << int(m_d) << (m_a) << DWORD(m_kind) << (CThing)m_a; "
    "ar << Other(m_a);",
    "members": "ar >> m_b[0] >> m_c[1][2] >> m_spot.x >> m_spot.y >> m_at.x >> m_box.bottom >> m_size.cx; ar >> m_item.m_id; "
    "ar >> lambda;",
    "pointers": "ar << m_pItem << m_pAny << this << *m_pItem << &m_item << m_pWnd; ar >> m_pItem >> m_pAny >> m_spot.next;",
    "kinds": "ar << m_kind << m_level << m_on << m_d << m_font << m_time << m_colour << m_thing << m_c[0] << m_bytes;",
    "setting": "m_a = 1; m_a += 2; m_a <<= 3; m_b[1] = m_a; m_at.x = 4; m_item = m_item; m_spot = *m_pItem; "
    "m_b = m_b; (m_a) = 5;",
    "updating": "m_a++; --m_a; m_at.y = m_at.x, m_a = 2; m_a; 7; unknown = 1; m_a = unknown;",
    "deciding": "if (m_a == 1 && !m_on) ar << m_a; else if (m_pItem != NULL || m_pAny == nullptr) { } else { ar << m_b[0]; }",
    "choosing": "ar << (m_on ? m_a : m_b[1]); m_on = m_a > 1 ? TRUE : false; m_d = max(m_a, 1) + fabs(m_d) - min(1, 2);",
    "counted loops": (
        "for (int i = 0; i < MOST; i++) ar << m_b[i]; for (i = 1; i <= MOST; ++i) ar >> m_b[i]; int j; "
        "for (j = 2; j < m_ints.GetSize(); j++) { ar << m_ints[j]; } for (UINT k = 0; k != 4; k++) ar << m_a; "
        "for (int n = 9; n > 0; n--) ar << n; for (;;) break; for (int q = 0; q < 3; q += 2) continue;"
    ),
    "other loops": (
        "POSITION pos = m_items.GetHeadPosition(); while (pos) m_items.GetNext(pos).Serialize(ar); "
        "for (POSITION p = m_pointers.GetHeadPosition(); p != NULL;) ar << m_pointers.GetNext(p); "
        "int n = 3; while (n--) ar << n; while (n > 0) { n -= 1; } do { ar >> n; } while (n < 5); POSITION at; at = pos; "
        "ar << m_items.GetNext(pos);"
    ),
    "switches": (
        "switch (m_kind) { case LINE: case TEXT: ar << m_a; break; case 3: ar << m_b[0]; ar << m_a; break; case 4: break; "
        "default: ar << m_on; } switch (m_a) { case 1: { ar >> m_a; } } switch (m_a) { case 1: { ar << m_a; break; } /* one */ "
        "case 0x2: while (m_on) break; /* two */ break; case 3: return; case MOST: } "
        "switch (m_a) { case 1: ar << m_a; case 2: ar << m_on; } switch (m_a) { case 1: if (m_on) break; ar << m_a; }"
    ),
    "collections": (
        "m_ints.Add(m_a); m_items.AddTail(m_item); m_items.AddHead(*m_pItem); m_ints.SetAt(0, m_a); m_ints.RemoveAll(); "
        "m_text.Empty(); ar << m_ints.GetAt(1) << m_ints.GetCount() << m_text.GetLength() << m_ints.GetUpperBound(); "
        "if (!m_text.IsEmpty()) ar << m_items.GetHead() << m_items.GetTail() << m_ints.ElementAt(2) << m_ints.size();"
        "m_ints.push_back(m_thing); m_ints.clear(); ar << m_ints.at(0); m_ints.Sort();"
    ),
    "members that serialize": (
        "m_item.Serialize(ar); m_ints.Serialize(ar); m_items.Serialize(ar); m_map.Serialize(ar); m_pointers.Serialize(ar); "
        "m_bytes.Serialize(ar); m_pItem->Serialize(ar); m_things.Serialize(ar); CItem::Serialize(ar); CObject::Serialize(ar); "
        "CArray<int, int>::Serialize(ar); COther::Serialize(ar); CByteArray::Serialize(ar); Serialize(ar, 1); Serialize(ar);"
    ),
    "raw bytes": (
        "ar.Write(m_name, sizeof(m_name)); ar.Write(&m_a, sizeof(int)); ar.Write(m_wide, MOST); ar.Write(m_b, sizeof m_b); "
        "ar.Write(m_c, sizeof(m_c)); ar.Write(m_text, 5); ar.Write((void*)&m_d, sizeof(double)); "
        "ar.Write(m_pItem, sizeof(int)); ar.Read(m_name, 4); ar.Read(&m_a, sizeof(m_a)); ar.Read(m_class, m_a); "
        "ar.Read(m_name, other); ar.Read(m_things, sizeof(m_things)); ar.Read(m_bytes, MOST); ar.Write(m_name);"
    ),
    "calls of the archive": (
        "ar.WriteString(m_text); ar.ReadString(m_text); CString line; while (ar.ReadString(line)) m_text += line; "
        "ar.WriteObject(m_pItem); m_pItem = (CItem*)ar.ReadObject(RUNTIME_CLASS(CItem)); m_pAny = ar.ReadObject(NULL); "
        "m_a = ar.GetObjectSchema(); ar.Flush(); ar.MapObject(m_pItem); m_pAny = ar.m_pDocument; ar.WriteCount(m_a); "
        "ar.SetObjectSchema(2); ar.Unknown(1); if (ar.IsLoading()) return; m_pItem = new CItem; ar->m_pDocument;"
    ),
    "constants": "ar << MOST << FIRST << SECOND << BOX << TEXT; m_d = HALF; m_text = TITLE; m_a = FORMAT; m_a = MISSING;",
    "variables": (
        "int a = 1, b, *p; CString s; CItem item = m_item; double d; Spot spot; WORD w[MOST]; char name[9]; CRect r; CItem* q; "
        "ar << a << b << s << item << d << spot.x << w[1] << name << r << q << r.left; r.left = 3; ar >> r.top; item = *q; "
        "item = m_pItem; CArray<int, int> own; CMap<int, int, int, int> map; CTime t; HFONT f; "
        "for (int i = 0; i < 3; i++) a = i;"
    ),
    "what is not for the archive": (
        "Redraw(); UpdateAllViews(NULL); ASSERT(ar.IsStoring()); ar << Missing(); goto end; { } ; // a comment\n"
        "#if 0\n ar << m_a;\n#endif\n#ifdef _DEBUG\n ar << m_b[0];\n#else\n ar << m_b[1];\n#endif\n end: throw 1;"
    ),
    "nothing": "",
    "nothing but a comment": "Redraw();",
}
SOURCES: dict[str, tuple[tuple[str, bytes], ...]] = {
    name: (("all.cpp", f"{DECLARED}void CAll::Serialize(CArchive& ar)\n{{\n{body}\n}}\n".encode()),)
    for name, body in BODIES.items()
} | {
    "schemas": (
        ("a.h", b"#define V 0x12u\n#define W (VERSIONABLE_SCHEMA | 4)\n#define HIDDEN _APP_VERSION\n"
            b"class A : public CObject {};"),
        (
            "a.cpp",
            b"IMPLEMENT_SERIAL(A, CObject, V)\nIMPLEMENT_SERIAL(B, A, VERSIONABLE_SCHEMA | 3)\nIMPLEMENT_SERIAL(C, B, W)\n"
            b"IMPLEMENT_SERIAL(D, CObject, HIDDEN)\nIMPLEMENT_SERIAL(E, CObject, 1L)\nclass E { };\n"
            + b"".join(b"void %c::Serialize(CArchive& a) { }\n" % name for name in b"BACDE"),
        ),
    ),
    "a document": (
        (
            "doc.h",
            b"class CDrawing : public CDocument { DECLARE_DYNCREATE(CDrawing)\npublic: int m_n; private: virtual void "
            b"Serialize(CArchive& archive) { if (archive.IsStoring()) { archive << m_n; } else { archive >> m_n; } } };\n"
            b"class CNoDocument { void Serialize(CArchive&); void Serialize(CArchive& ar) const; int Serialize(int a); };",
        ),
    ),
    "a document by its name": (("d.cpp", b"struct SDoc { int n; }; void SDoc::Serialize(CArchive& a) { a << n; }"),),
    "exported classes": (
        (
            "x.h",
            b"class AFX_EXT_CLASS X : public CObject { int a; }; class DLL_API Y : X, private Z { int b; };\n"
            b"struct __declspec(dllexport) W : ns::Base { Y y; };\nvoid Y::Serialize(CArchive &ar) { ar << a << b << c; }\n"
            b"CArchive& W::Serialize(CArchive& ar) { X x; ar << y.b; return ar; }",
        ),
    ),
    "preprocessed members": (
        ("p.h", b"class P {\n#ifdef A\nint a;\n#else\nint b;\n#endif\nint c; };\n"
            b"void P::Serialize(CArchive& ar) { ar << a << b << c; }"),
    ),
    "two files, and UTF-16": (
        ("one.h", "class Ü {}; class T { int a; CString b; };".encode("utf-16")),
        ("two.cpp", b"\xef\xbb\xbfvoid T::Serialize(CArchive& ar) { ar << a << b; /* \xc3\xa9 */ }"),
        ("three.cpp", b"void U::Serialize(CArchive& ar) { ar << \"\xe9\"; }"),
    ),
    "a derived class before its base": (
        (
            "d.h",
            b"void Derived::Serialize(CArchive& ar) { Base::Serialize(ar); ar << d; }\n"
            b"class Derived : public Base { int d; };\n"
            b"void Base::Serialize(CArchive& ar) { ar << b; }\nclass Base : public Held { int b; };\nclass Held { int h; };",
        ),
    ),
    "a chain of constants": (
        (
            "e.h",
            b"enum { E0, %b };\n#define A (B + E2)\n#define B E1\n#define C D\n#define D C\n#define F A::x\n"
            b"class T { int a; };\n"
            b"void T::Serialize(CArchive& ar) { a = E30; a = A; a = C; a = F; }" % b", ".join(b"E%d" % n for n in range(1, 31)),
        ),
    ),
    "typedefs in a circle": (
        ("t.h", b"typedef A B; typedef B A; class T { A a; B* b; };\nvoid T::Serialize(CArchive& ar) { ar << a << b; }"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_the_whole_module(name: str) -> None:
    """Each kind of statement and declaration is written letter by letter as expected, and is Python."""
    written = module_of(read_sources(SOURCES[name]))
    compile(written.text, "written.py", "exec")
    text = f"{', '.join(written.classes)}: {written.untyped} untyped, {written.by_hand} by hand\n{written.text}"
    if name in BODIES:  # the classes are the same in each
        text = text.partition("class CAll")[2] if name == "nothing" else text.rpartition("    def serialize(self, ar):\n")[2]
    assert text.rstrip("\n") + "\n" == golden("modules", name, text)
