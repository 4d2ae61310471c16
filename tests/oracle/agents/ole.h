#pragma once
// What the OLE types need of oleaut32, and the start of MFC.
#include "text.h"
struct HINSTANCE__;
BOOL AfxWinInit(HINSTANCE__*, HINSTANCE__*, TCHAR*, int);
extern "C" {
__declspec(dllimport) wchar_t* SysAllocStringByteLen(const char*, UINT);
__declspec(dllimport) UINT SysStringByteLen(wchar_t*);
__declspec(dllimport) int VariantClear(tagVARIANT*);
__declspec(dllimport) int VariantCopy(tagVARIANT*, const tagVARIANT*);
__declspec(dllimport) void* SetUnhandledExceptionFilter(long (*)(void**));
int _fltused = 0;
void* type_info_vtable[4] __asm__("??_7type_info@@6B@") = {0};
}
inline COleVariant::~COleVariant() { VariantClear(this); }
inline ATL::CComBSTR::CComBSTR(const CComBSTR& o) {
    text = o.text ? SysAllocStringByteLen((const char*)o.text, SysStringByteLen(o.text)) : 0;
}
extern "C" __declspec(dllimport) void SysFreeString(wchar_t*);
inline ATL::CComBSTR::~CComBSTR() { SysFreeString(text); }

