"""Not run: mypy and pyright read it. What users of archives write, with the types that they rely on."""

import io
from dataclasses import dataclass, field
from typing import Annotated, Any, assert_type

from lifecycle import Client
from lifecycle.archive import (
    BOOL,
    DOUBLE,
    DWORD,
    POINT,
    WORD,
    Archive,
    CArray,
    CEditView,
    CMap,
    CObArray,
    COleDateTime,
    COleVariant,
    CString,
    CTime,
    Registry,
    SocketFile,
    serializable,
)

CLASSES = Registry()


@serializable("CAge", schema=1)
@dataclass
class Age:
    years: WORD
    name: CString = ""
    ratio: DOUBLE = 0.5
    grown: BOOL = False


@serializable("CTrack", registry=CLASSES)
@dataclass
class Track:
    name: CString
    points: CArray[POINT]
    driver: Age
    next: "Track | None" = None
    counts: Annotated[list[int], CArray[DWORD]] = field(default_factory=list)
    names: CMap[WORD, CString] = field(default_factory=dict)
    things: CObArray = field(default_factory=CObArray)
    since: CTime = CTime(0)  # noqa: RUF009 - immutable


@serializable("CStation", schema=2, versionable=True)
class Station:
    name: str = ""

    def serialize(self, archive: Archive) -> None:
        if archive.is_storing:
            archive.store(CString, self.name)
        else:
            assert_type(archive.get_object_schema(), int)
            self.name = archive >> CString


def objects() -> None:
    age = Age(21, "Ann")
    assert_type(age.years, int)
    assert_type(age.name, str)
    assert_type(age.ratio, float)
    assert_type(age.grown, bool)
    assert_type(Age(WORD(21)), Age)
    Age("21")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    track = Track("north", [POINT(0, 1)], age, None, [1, 2], {1: "one"})
    assert_type(track.points[0], POINT)
    assert_type(track.counts, list[int])
    assert_type(track.names[1], str)
    assert_type(track.next, Track | None)


def storing(client: Client, age: Age) -> None:
    with SocketFile(client) as file, Archive(file, "store", unicode=False, encoding="cp1251") as archive:
        assert_type(archive, Archive)
        assert_type(archive << DWORD(5) << CString("x") << age << None << POINT(1, 2), Archive)
        assert_type(archive << CArray[DWORD]([1, 2]) << CMap[WORD, CString]({1: "x"}) << CObArray([age, None]), Archive)
        archive.store(DWORD, 5)
        archive.store(CArray[DWORD], [1, 2])
        archive.store(Annotated[int, DWORD], 5)
        archive.write(b"raw")
        archive.write(memoryview(b"raw"))
        archive.write_string("line\n")
        archive.write_count(3)
        archive.write_object(age)
        archive.write_class(Age)
        archive.serialize(age)
        archive.serialize(age, Age)
        CEditView("text").serialize(archive)
        CObArray([age]).serialize(archive)
        archive.flush()
        archive.write("text")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    wide: CArray[POINT] = [POINT(0, 1)]
    archive.store(CArray[POINT], wide)
    Archive(io.BytesIO(), "append")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def loading(archive: Archive) -> None:
    assert_type(archive >> DWORD, int)
    assert_type(archive >> DOUBLE, float)
    assert_type(archive >> BOOL, bool)
    assert_type(archive >> CString, str)
    assert_type(archive >> POINT, POINT)
    assert_type(archive >> CTime, CTime)
    assert_type(archive >> COleDateTime, COleDateTime)
    assert_type(archive >> COleVariant, COleVariant)
    assert_type(archive >> Age, Age | None)
    assert_type(archive >> Station, Station | None)
    assert_type(archive >> CArray[DWORD], CArray[DWORD])
    assert_type((archive >> CArray[DWORD])[0], int)
    assert_type((archive >> CArray[POINT])[0], POINT)
    assert_type((archive >> CArray[CArray[DWORD]])[0][0], int)
    assert_type((archive >> CMap[WORD, CString])[1], str)
    assert_type(archive >> CObArray, CObArray | None)
    assert_type(archive.load(DWORD), int)
    assert_type(archive.load(CString), str)
    assert_type(archive.load(Age), Age | None)
    assert_type(archive.load(CArray[DWORD]), CArray[DWORD])
    number: int = archive.load(Annotated[int, DWORD])
    number = archive >> Annotated[int, DWORD]
    assert_type(number, int)
    assert_type(archive.read(5), bytes)
    assert_type(archive.read_string(), str | None)
    assert_type(archive.read_count(), int)
    assert_type(archive.read_object(), Any)
    assert_type(archive.read_object(Age), Age | None)
    assert_type(archive.read_class(), tuple[type[Any], int])
    assert_type(archive.is_buffer_empty, bool)
    assert_type(archive.offset, int)
