#pragma once
// A text view: an edit control in a hidden window.
#include "ole.h"
struct HWND__;
struct HMENU__;
class CWnd {
public:
    virtual BOOL CreateEx(DWORD, LPCTSTR, LPCTSTR, DWORD, int, int, int, int, HWND__*, HMENU__*, void*);
};
class CEditView {
public:
    static CObject* CreateObject();
    virtual void Serialize(CArchive&);
    void SerializeRaw(CArchive&);
};
extern "C" {
__declspec(dllimport) HWND__* CreateWindowExW(DWORD, const wchar_t*, const wchar_t*, DWORD, int, int, int, int, HWND__*,
                                              HMENU__*, void*, void*);
__declspec(dllimport) HWND__* FindWindowExW(HWND__*, HWND__*, const wchar_t*, const wchar_t*);
__declspec(dllimport) BOOL SetWindowTextW(HWND__*, const wchar_t*);
__declspec(dllimport) int GetWindowTextW(HWND__*, wchar_t*, int);
__declspec(dllimport) int GetWindowTextLengthW(HWND__*);
__declspec(dllimport) i64 SendMessageW(HWND__*, UINT, u64, i64);
}
static CEditView* view;
static HWND__* edit;
static bool have_view() {
    if (edit) return true;
    HWND__* parent = CreateWindowExW(0, L"STATIC", L"", 0, 0, 0, 100, 100, 0, 0, GetModuleHandleW(0), 0);
    CObject* made = CEditView::CreateObject();
    view = (CEditView*)made;
    if (!((CWnd*)made)->CWnd::CreateEx(0, 0, 0, 0x40000000 | 0x4 | 0x40 | 0x80, 0, 0, 100, 100, parent, (HMENU__*)0xE900, 0))
        return false;  // WS_CHILD, ES_MULTILINE, ES_AUTO.SCROLL
    edit = FindWindowExW(parent, 0, L"EDIT", 0);
    return edit != 0;
}
