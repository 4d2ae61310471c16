"""Python classes from C++ sources: what a module does that was written from Serialize functions."""

from __future__ import annotations

import struct
from types import ModuleType
from typing import Any

import pytest

from lifecycle.archive.cpp import Written, module_of, read_sources

pytest.importorskip("tree_sitter_cpp", reason="the extra [cpp] is not installed")

HEADER = b"""
#define MOST 2
enum Kind { LINE = 1, TEXT };
typedef unsigned short Layer;
struct Spot { double x; double y; };

class AFX_EXT_CLASS CShape : public CObject {
    DECLARE_SERIAL(CShape)
public:
    virtual void Serialize(CArchive& ar);
    Kind m_kind; Layer m_layer; Spot m_at; CString m_text; CPoint m_corner;
    DWORD m_flags[MOST]; char m_name[4]; CShape* m_pNext;
};

class CDrawDoc : public CDocument {
public:
    int m_version; CList<CShape, CShape&> m_shapes; CTypedPtrArray<CObArray, CShape*> m_more; CStringArray m_names;
    CArray<POINT, POINT> m_points;
    void Serialize(CArchive& ar);
};
"""

SOURCE = rb"""
#include "shape.h"
IMPLEMENT_SERIAL(CShape, CObject, VERSIONABLE_SCHEMA | 3)

void CShape::Serialize(CArchive& ar)
{
    CObject::Serialize(ar);
    UINT schema = ar.GetObjectSchema();
    if (ar.IsStoring()) {
        ar << (int)m_kind << m_layer << m_at.x << m_at.y;
        for (int i = 0; i < MOST; i++)
            ar << m_flags[i];
        ar.Write(m_name, sizeof(m_name));
        if (m_kind == TEXT && !m_text.IsEmpty()) ar << m_text;
        else ar << (BYTE)0;
        ar << m_corner.x << m_pNext;
    }
    else {
        int kind;
        ar >> kind >> m_layer >> m_at.x >> m_at.y;
        m_kind = static_cast<Kind>(kind);
        for (int i = 0; i < MOST; i++)
            ar >> m_flags[i];
        ar.Read(m_name, sizeof(m_name));
        switch (m_kind) {
        case TEXT: ar >> m_text; break;
        default: { BYTE none; ar >> none; }
        }
        ar >> m_corner.x >> m_pNext;
    }
}

void CDrawDoc::Serialize(CArchive& ar)
{
    if (ar.IsStoring()) {
        ar << m_version << (DWORD)m_shapes.GetCount();
        POSITION pos = m_shapes.GetHeadPosition();
        while (pos != NULL)
            m_shapes.GetNext(pos).Serialize(ar);
    }
    else {
        DWORD count;
        CShape shape;
        ar >> m_version >> count;
        while (count > 0) { shape.Serialize(ar); m_shapes.AddTail(shape); count--; }
        UpdateAllViews(NULL);
    }
    m_more.Serialize(ar);
    m_names.Serialize(ar);
    m_points.Serialize(ar);
}
"""


def imported(written: Written) -> Any:
    """The module that was written."""
    module = ModuleType("written")
    exec(compile(written.text, "written.py", "exec"), module.__dict__)
    return module


def shape(kind: int, text: bytes) -> bytes:
    return struct.pack("<iHddII4s", kind, 7, 0.5, 1.5, 8, 9, b"abc") + text + struct.pack("<iH", -3, 0)


DOCUMENT = (
    struct.pack("<II", 600, 2) + shape(1, b"\0") + shape(2, b"\5words")
    + struct.pack("<HHHH6s", 1, 0xFFFF, 3, 6, b"CShape") + shape(1, b"\0") + b"\1\0\3one" + b"\1\0" + struct.pack("<ii", 4, 5)
)  # fmt: skip


def test_a_document_is_loaded_and_stored_again_by_what_was_written() -> None:
    """Branches, loops, switches, casts, arrays, lists of values and of pointers: not a line is left to write by hand."""
    written = module_of(read_sources([("shape.h", HEADER), ("shape.cpp", SOURCE)]))
    assert (written.classes, written.untyped, written.by_hand) == (("CShape", "CDrawDoc"), 0, 0)
    module = imported(written)
    document = module.load(DOCUMENT, unicode=False)
    assert [(each.m_kind, each.m_at.x, each.m_flags, each.m_name, each.m_text) for each in document.m_shapes] == [
        (1, 0.5, [8, 9], "abc", ""), (2, 0.5, [8, 9], "abc", "words"),
    ]  # fmt: skip
    assert (document.m_more[0].m_corner.x, document.m_names, document.m_points) == (-3, ["one"], [(4, 5)])
    assert module.store(document, unicode=False) == DOCUMENT


def test_what_is_not_known_is_marked() -> None:
    """A type that no header declares is UNTYPED, a statement without a translation is BY HAND, and what is not about archives
    stays as a comment; the module still compiles."""
    source = b"""class CA : public CObject { void Serialize(CArchive& a); CThing m_thing; };
    void CA::Serialize(CArchive& a) {
        if (a.IsStoring()) { a << m_thing; a << Other()->value; Redraw(1); goto end; } else a >> m_thing;
        end: ; }"""
    written = module_of(read_sources([("a.cpp", source)]))
    assert (written.untyped, written.by_hand) == (2, 1)
    assert "a.store(UNTYPED, self.m_thing)  # UNTYPED: m_thing" in written.text
    assert "# BY HAND: a << Other()->value;" in written.text
    assert "# C++: Redraw(1);" in written.text
    compile(written.text, "written.py", "exec")


@pytest.mark.parametrize(
    "source", [b"", b"void f(", b"class {{{{", b"\xff\xfe\x00", b"void A::Serialize(CArchive& ar) { ar << ; if ("]
)
def test_broken_sources_give_a_module(source: bytes) -> None:
    """Whatever the text is, what was written compiles."""
    compile(module_of(read_sources([("a.cpp", source)])).text, "written.py", "exec")
