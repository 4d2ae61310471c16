"""The project's golden vectors (tests/archive/vectors.json) as operations of the agent, where the DLL has them.

Not in the DLL: what is inline in MFC's headers (numbers, POINT, RECT) or a template (CArray, CList, CMap).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from .storing import Objects
from .text import utf16

Operation = tuple[Sequence[str], str]
"""Lines before, and tokens to store"""

OBJECTS = (
    f"class 7 CPerson {0x80000001} sw raw:2",
    "class 8 CSubItem 1 ob raw:2",
    *Objects().lines,
    f"object 1003 7 sw:{utf16('Al')} raw:0900",
    "object 1004 2 o:1004",
    "object 1005 3 ",
    "object 1006 8 o:1005 raw:0300",
    "list 1007 ol 1001,1001",
    "list 1008 ba 010203",
    "list 1009 wa 01000302",
    "list 1010 da 01000000",
    "list 1011 ol ",
    "list 1012 mwo 5=0",
    "list 1014 lw ",
)

EVERYWHERE = {
    "CStringA_empty": "sa:",
    "CStringA_abc": "sa:616263",
    "CStringA_1.10": f"sa:{b'1.10'.hex()}",
    "CStringW_empty": "sw:",
    "CStringW_abc": f"sw:{utf16('abc')}",
    "CStringW_zhangsan": f"sw:{utf16('zhangsan')}",
    "CStringW_surrogate": "sw:3dd800de",
    "doc_age_name": f"sw:{utf16('Bob')} raw:0700",
    "CByteArray_ser": "ser:1008",
    "CWordArray_ser": "ser:1009",
    "CDWordArray_ser": "ser:1010",
    "CObList_empty": "ser:1011",
    "CMapWordToOb_one_null": "ser:1012",
    "obj_null": "o:0",
    "obj_first": "o:1001",
    "obj_seq": "o:1001 o:1002 o:1001 o:0 o:1002",
    "obj_two_classes": "o:1001 o:1003 o:1002",
    "obj_cycle": "o:1004",
    "obj_mapobject": "m:1005 o:1006",
    "obj_coblist_ptr": "o:1007",
    "WriteClass_twice": "wc:0 wc:0",
    "CTime_mfc8": f"t:{0x5D960A1B}",
    "CTimeSpan": "ts:90061",
    "CTime_Serialize64": f"t64:{0x5D960A1B}",
    "COleDateTime": f"od:{struct.pack('<d', 36526.0).hex()},0",
    "COleDateTime_null": f"od:{'00' * 8},2",
    "COleDateTimeSpan": f"os:{struct.pack('<d', 1.5).hex()},0",
    "COleCurrency": "cy:10000,0",
    "COleVariant_I4": "v:3,07000000",
    "COleVariant_BSTR": f"v:8,{utf16('hi')}",
    "COleVariant_BOOL": "v:11,ffff",
    "COleVariant_EMPTY": "v:0,",
    "CComBSTR": f"bs:{utf16('hi')}",
    "CMsg_W": f"raw:0000 sw:{utf16('hi')} ser:1014",
    "CStringA_4G-1_prefix": "alen:4294967295",
    "WriteCount_0xffffffff_w64": "cnt:4294967295",
    **{f"CStringA_{n}_prefix": f"alen:{n}" for n in (254, 255, 65533, 65534, 65535, 65536)},
    **{f"CStringW_{n}_prefix": f"wlen:{n}" for n in (254, 255, 65534)},
    **{f"WriteCount_{n:#x}": f"cnt:{n}" for n in (0, 1, 0xFFFE, 0xFFFF, 0x10000)},
}

UNICODE = {
    "WriteString_W": f"ws:{utf16('ab')}",
    "EditView_Serialize_W": f"et:{utf16('ab')} ev",
    "CStringArray_ser_W": "ser:1013",
}

ANSI = {
    "WriteString_A": f"ws:{b'My string.'.hex()}",
    "EditView_Serialize_A": f"et:{utf16('ab')} ev",
    "EditView_Raw_A": f"et:{utf16('ab')} er",
    "CStringArray_ser_A": "ser:1020",
    "CStringList_ser_A": "ser:1021",
    "CMapStringToString_one_A": "ser:1022",
}

OF_UNICODE = (f"list 1013 aw {utf16('a')},-",)
OF_ANSI = ("list 1020 aw 61,-", "list 1021 lw 78", "list 1022 mss 6b=76")


def operations(unicode: bool) -> dict[str, Operation]:
    """The vectors that a build reaches: name -> (lines before, tokens)."""
    tokens = EVERYWHERE | (UNICODE if unicode else ANSI)
    setup = (*OBJECTS, *(OF_UNICODE if unicode else OF_ANSI))
    return {name: (setup, each) for name, each in tokens.items()}
