// The part of MFC's ABI (mfc140u.dll, x64, release) that the oracle needs, declared by hand:
// names, argument types and the order of virtual functions; no code of MFC's.  clang's
// x86_64-pc-windows-msvc target turns these into the DLL's decorated names, and mfc140u.def
// into its ordinals.
#pragma once
typedef unsigned char BYTE;
typedef unsigned short WORD;
typedef unsigned long DWORD;
typedef int BOOL;
typedef unsigned int UINT;
typedef long LONG;
typedef long long i64;
typedef unsigned long long u64;
typedef u64 size_t;
#ifdef ANSI
typedef char TCHAR;
#else
typedef wchar_t TCHAR;
#endif
typedef const TCHAR* LPCTSTR;
typedef void* HANDLE;

extern "C" {
__declspec(dllimport) HANDLE GetStdHandle(DWORD);
__declspec(dllimport) BOOL ReadFile(HANDLE, void*, DWORD, DWORD*, void*);
__declspec(dllimport) BOOL WriteFile(HANDLE, const void*, DWORD, DWORD*, void*);
__declspec(dllimport) void ExitProcess(UINT);
__declspec(dllimport) char* GetCommandLineA();
__declspec(dllimport) DWORD GetLastError();
__declspec(dllimport) void SetLastError(DWORD);
__declspec(dllimport) void Sleep(DWORD);
__declspec(dllimport) u64 GetTickCount64();
__declspec(dllimport) HANDLE GetModuleHandleW(const wchar_t*);
__declspec(dllimport) HANDLE CreateThread(void*, size_t, DWORD (*)(void*), void*, DWORD, DWORD*);
__declspec(dllimport) DWORD WaitForSingleObject(HANDLE, DWORD);
__declspec(dllimport) void* malloc(size_t);
__declspec(dllimport) void* realloc(void*, size_t);
__declspec(dllimport) void free(void*);
void* memcpy(void*, const void*, size_t);
void* memset(void*, int, size_t);
int memcmp(const void*, const void*, size_t);
}

class CArchive;
class CFile;
class CDocument;
class CDumpContext;
class CObject;

struct CRuntimeClass {  // _AFXDLL layout
    const char* m_lpszClassName;
    int m_nObjectSize;
    UINT m_wSchema;
    CObject* (*m_pfnCreateObject)();
    CRuntimeClass* (*m_pfnGetBaseClass)();
    CRuntimeClass* m_pNextClass;
    const void* m_pClassInit;
};
void AfxClassInit(CRuntimeClass*);

class CObject {
public:
    virtual CRuntimeClass* GetRuntimeClass() const;
    virtual ~CObject() {}
    virtual void Serialize(CArchive&) {}
    virtual void AssertValid() const {}
    virtual void Dump(CDumpContext&) const {}
    static CRuntimeClass* GetThisClass();
    void operator delete(void* p) { free(p); }
    void* operator new(size_t n) { return malloc(n); }
    void* operator new(size_t, void* p) { return p; }
};

namespace ATL {
struct IAtlStringMgr;
template <class T> class ChTraitsCRT;
template <class T, class Traits> class CStringT;
struct CStringData {
    IAtlStringMgr* manager;
    int length, allocated;
    long references;
};
}
template <class T, class C> class StrTraitMFC_DLL;
namespace ATL {
template <class T, class Traits> class CStringT {
public:
    CStringT();
    CStringT(const CStringT&);
    CStringT(const wchar_t*);
    CStringT(const char*);
    CStringT(const wchar_t*, int);
    CStringT(const char*, int);
    ~CStringT();
    T* text;
    int length() const { return ((const CStringData*)text)[-1].length; }
};
class CTime {
public:
    i64 time;
    CArchive& Serialize64(CArchive&);
};
class CTimeSpan {
public:
    i64 span;
    CArchive& Serialize64(CArchive&);
};
class COleDateTime {
public:
    double date;
    int status;
};  // m_dt, m_status
class COleDateTimeSpan {
public:
    double span;
    int status;
};
class CComBSTR {
public:
    wchar_t* text;
    CComBSTR() : text(0) {}
    CComBSTR(const CComBSTR&);
    ~CComBSTR();
};
}
typedef ATL::CStringT<wchar_t, StrTraitMFC_DLL<wchar_t, ATL::ChTraitsCRT<wchar_t>>> CStringW;
typedef ATL::CStringT<char, StrTraitMFC_DLL<char, ATL::ChTraitsCRT<char>>> CStringA;

typedef ATL::CStringT<TCHAR, StrTraitMFC_DLL<TCHAR, ATL::ChTraitsCRT<TCHAR>>> CString;
struct tagVARIANT {
    WORD vt, r1, r2, r3;
    u64 value, value2;
};
class COleVariant : public tagVARIANT {
public:
    COleVariant() {
        vt = 0;
        r1 = r2 = r3 = 0;
        value = value2 = 0;
    }
    COleVariant(const COleVariant&);
    ~COleVariant();
};
class COleCurrency {
public:
    i64 cy;
    int status;
};  // m_cur, m_status

template <class T> void SerializeElements(CArchive&, T*, i64);

namespace ATL {
class CAtlTransactionManager;
}
class CFileException;
class CFile : public CObject {
public:
    CFile();
    CRuntimeClass* GetRuntimeClass() const override;
    ~CFile() override;
    virtual u64 GetPosition() const;
    virtual CString GetFileName() const;
    virtual CString GetFileTitle() const;
    virtual CString GetFilePath() const;
    virtual void SetFilePath(LPCTSTR) {}
    virtual BOOL Open(LPCTSTR, UINT, CFileException*);
#ifndef MFC90
    virtual BOOL Open(LPCTSTR, UINT, ATL::CAtlTransactionManager*, CFileException*);
#endif
    virtual CFile* Duplicate() const;
    virtual u64 Seek(i64, UINT);
    virtual void SetLength(u64);
    virtual u64 GetLength() const;
    virtual UINT Read(void*, UINT);
    virtual void Write(const void*, UINT);
    virtual void LockRange(u64, u64);
    virtual void UnlockRange(u64, u64);
    virtual void Abort();
    virtual void Flush();
    virtual void Close();
    virtual UINT GetBufferPtr(UINT command, UINT count, void** start, void** max);
    void* m_hFile;
    BOOL m_bCloseOnDelete;
    CString m_strFileName;
#ifndef MFC90
    void* m_pTM;
#endif
};
class CMemFile : public CFile {
public:
    CMemFile(UINT grow = 1024);
    CMemFile(BYTE*, UINT size, UINT grow = 0);
    CRuntimeClass* GetRuntimeClass() const override;
    ~CMemFile() override;
    u64 GetPosition() const override;
    u64 Seek(i64, UINT) override;
    void SetLength(u64) override;
    u64 GetLength() const override;
    UINT Read(void*, UINT) override;
    void Write(const void*, UINT) override;
    void Abort() override;
    void Flush() override;
    void Close() override;
    UINT GetBufferPtr(UINT command, UINT count, void** start, void** max) override;
    BYTE* Detach();
    CFile* Duplicate() const override;
    void LockRange(u64, u64) override;
    void UnlockRange(u64, u64) override;
    virtual BYTE* Alloc(size_t);
    virtual BYTE* Realloc(BYTE*, size_t);
    virtual BYTE* Memcpy(BYTE*, const BYTE*, size_t);
    virtual void Free(BYTE*);
    virtual void GrowFile(size_t);
    char rest[64];
};

// The collections that serialize.  Their own members are private to MFC; the sizes are what its
// constructors touch, rounded up.
#define COLLECTION(name, members)                                                                                              \
    class name : public CObject {                                                                                              \
    public:                                                                                                                    \
        name(members);                                                                                                         \
        ~name() override;                                                                                                      \
        CRuntimeClass* GetRuntimeClass() const override;                                                                       \
        void Serialize(CArchive&) override;                                                                                    \
        static CRuntimeClass* GetThisClass();
#define ARRAY(name, type, argument)                                                                                            \
    COLLECTION(name, )                                                                                                         \
    void SetSize(i64 size, i64 grow = -1);                                                                                     \
    void SetAtGrow(i64, argument);                                                                                             \
    type* m_pData;                                                                                                             \
    i64 m_nSize, m_nMaxSize, m_nGrowBy;                                                                                        \
    }                                                                                                                          \
    ;
ARRAY(CByteArray, BYTE, BYTE)
ARRAY(CWordArray, WORD, WORD)
ARRAY(CDWordArray, DWORD, DWORD)
ARRAY(CObArray, CObject*, CObject*)
ARRAY(CStringArray, CString, LPCTSTR)
struct __POSITION;
struct ListNode {
    ListNode *next, *previous;
};
template <class T> struct Node {
    Node *next, *previous;
    T data;
};
COLLECTION(CObList, i64 block = 10) __POSITION* AddTail(CObject*);
Node<CObject*>*head, *tail;
i64 count;
char rest[64];
}
;
COLLECTION(CStringList, i64 block = 10) __POSITION* AddTail(LPCTSTR);
Node<CString>*head, *tail;
i64 count;
char rest[64];
}
;
COLLECTION(CMapStringToString, i64 block = 10)
CString& operator[](LPCTSTR);
void GetNextAssoc(__POSITION*&, CString&, CString&) const;
void** table;
UINT size;
i64 count;
char rest[64];
}
;
COLLECTION(CMapStringToOb, i64 block = 10)
CObject*& operator[](LPCTSTR);
void GetNextAssoc(__POSITION*&, CString&, CObject*&) const;
void** table;
UINT size;
i64 count;
char rest[64];
}
;
COLLECTION(CMapWordToOb, i64 block = 10)
CObject*& operator[](WORD);
void GetNextAssoc(__POSITION*&, WORD&, CObject*&) const;
void** table;
UINT size;
i64 count;
char rest[64];
}
;

class CException : public CObject {
public:
    BOOL m_bAutoDelete;
    void Delete();
};
class CArchiveException : public CException {
public:
    int m_cause;
    CString m_strFileName;
};
class CFileException : public CException {
public:
    int m_cause;
    LONG m_lOsError;
    CString m_strFileName;
};
class CMemoryException;
class CNotSupportedException;
class CInvalidArgException;
class CSimpleException;

class CArchive {
public:
    CArchive(CFile*, UINT mode, int size = 4096, void* buffer = 0);
    ~CArchive();
    void Abort();
    void Close();
    void Flush();
    UINT Read(void*, UINT);
    void Write(const void*, UINT);
    void WriteString(LPCTSTR);
    TCHAR* ReadString(TCHAR*, UINT);
    BOOL ReadString(CString&);
    UINT GetObjectSchema();
    void MapObject(const CObject*);
    CObject* ReadObject(const CRuntimeClass*);
    void WriteObject(const CObject*);
    CRuntimeClass* ReadClass(const CRuntimeClass* = 0, UINT* = 0, DWORD* = 0);
    void WriteClass(const CRuntimeClass*);
    void SerializeClass(const CRuntimeClass*);
    u64 ReadCount();
    void WriteCount(u64);
    unsigned char bytes[512];
};
enum { STORE = 0, LOAD = 1, NOFLUSH = 2 };
void AfxWriteStringLength(CArchive&, u64, BOOL unicode);
u64 AfxReadStringLength(CArchive&, int& charsize);
CArchive& operator<<(CArchive&, ATL::CTime);
CArchive& operator>>(CArchive&, ATL::CTime&);
CArchive& operator<<(CArchive&, ATL::CTimeSpan);
CArchive& operator>>(CArchive&, ATL::CTimeSpan&);
CArchive& operator<<(CArchive&, ATL::COleDateTime);
CArchive& operator>>(CArchive&, ATL::COleDateTime&);
CArchive& operator<<(CArchive&, ATL::COleDateTimeSpan);
CArchive& operator>>(CArchive&, ATL::COleDateTimeSpan&);
CArchive& operator<<(CArchive&, COleCurrency);
CArchive& operator>>(CArchive&, COleCurrency&);
CArchive& operator<<(CArchive&, COleVariant);
CArchive& operator>>(CArchive&, COleVariant&);
CArchive& operator<<(CArchive&, ATL::CComBSTR);
CArchive& operator>>(CArchive&, ATL::CComBSTR&);
