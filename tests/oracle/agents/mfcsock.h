// The ABI of MFC's socket classes (order of virtual functions read off the vtables that its constructors set).
#pragma once
#include "mfc.h"
struct sockaddr;
struct WSAData;
struct tagMSG {
    void* hwnd;
    UINT message;
    u64 wParam;
    i64 lParam;
    DWORD time;
    LONG x, y;
    DWORD pad;
};
extern "C" {
__declspec(dllimport) int listen(u64, int);
__declspec(dllimport) int shutdown(u64, int);
__declspec(dllimport) int ioctlsocket(u64, long, DWORD*);
__declspec(dllimport) int getsockopt(u64, int, int, char*, int*);
__declspec(dllimport) int setsockopt(u64, int, int, const char*, int);
__declspec(dllimport) int closesocket(u64);
__declspec(dllimport) int WSAGetLastError();
__declspec(dllimport) void WSASetLastError(int);
__declspec(dllimport) BOOL PeekMessageW(tagMSG*, void*, UINT, UINT, UINT);
__declspec(dllimport) BOOL TranslateMessage(const tagMSG*);
__declspec(dllimport) i64 DispatchMessageW(const tagMSG*);
__declspec(dllimport) DWORD MsgWaitForMultipleObjects(DWORD, void**, BOOL, DWORD, DWORD);
}
BOOL _AfxSocketInit(WSAData*);
void AfxSocketTerm();
class CAsyncSocket : public CObject {
public:
    CAsyncSocket();
    ~CAsyncSocket() override;
    CRuntimeClass* GetRuntimeClass() const override;
    virtual BOOL Accept(CAsyncSocket&, sockaddr* = 0, int* = 0);
    virtual void Close();
    virtual int Receive(void*, int, int = 0);
    virtual int Send(const void*, int, int = 0);

protected:
    virtual void OnReceive(int);
    virtual void OnSend(int);
    virtual void OnOutOfBandData(int);
    virtual void OnAccept(int);
    virtual void OnConnect(int);
    virtual void OnClose(int);
    virtual BOOL ConnectHelper(const sockaddr*, int);
    virtual int ReceiveFromHelper(void*, int, sockaddr*, int*, int);
    virtual int SendToHelper(const void*, int, const sockaddr*, int, int);

public:
    BOOL Create(UINT port = 0, int type = 1, long events = 63, LPCTSTR address = 0);
    BOOL Socket(int type = 1, long events = 63, int protocol = 0, int family = 2);
    BOOL Bind(UINT, LPCTSTR = 0);
    BOOL Connect(LPCTSTR, UINT);
    BOOL AsyncSelect(long events = 63);
    BOOL Attach(u64, long events = 63);
    u64 Detach();
    BOOL GetPeerName(CString&, UINT&);
    BOOL GetSockName(CString&, UINT&);
    int ReceiveFrom(void*, int, CString&, UINT&, int = 0);
    int SendTo(const void*, int, UINT, LPCTSTR = 0, int = 0);
    static CAsyncSocket* LookupHandle(u64, BOOL dead);
    u64 m_hSocket;
};
class CSocket : public CAsyncSocket {
public:
    CSocket();
    ~CSocket() override;
    CRuntimeClass* GetRuntimeClass() const override;
    BOOL Accept(CAsyncSocket&, sockaddr* = 0, int* = 0) override;
    void Close() override;
    int Receive(void*, int, int = 0) override;
    int Send(const void*, int, int = 0) override;
    void CancelBlockingCall();
    int m_nTimeOut;

protected:
    BOOL ConnectHelper(const sockaddr*, int) override;
    int ReceiveFromHelper(void*, int, sockaddr*, int*, int) override;
    int SendToHelper(const void*, int, const sockaddr*, int, int) override;
    virtual BOOL OnMessagePending();
    virtual BOOL PumpMessages(UINT);

public:
    BOOL* m_pbBlocking;
    int m_nConnectError;
    char rest[64];
};
class CSocketFile : public CFile {
public:
    explicit CSocketFile(CSocket*, BOOL archive_compatible = 1);
    ~CSocketFile() override;
    CRuntimeClass* GetRuntimeClass() const override;
    CFile* Duplicate() const override;
    u64 GetPosition() const override;
    BOOL Open(LPCTSTR, UINT, CFileException*) override;
#ifndef MFC90
    BOOL Open(LPCTSTR, UINT, ATL::CAtlTransactionManager*, CFileException*) override { return 0; }
#endif
    u64 Seek(i64, UINT) override;
    void SetLength(u64) override;
    u64 GetLength() const override;
    UINT Read(void*, UINT) override;
    void Write(const void*, UINT) override;
    void LockRange(u64, u64) override;
    void UnlockRange(u64, u64) override;
    void Abort() override;
    void Flush() override;
    void Close() override;
    UINT GetBufferPtr(UINT command, UINT count, void** start, void** max) override;
    CSocket* m_pSocket;
    BOOL m_bArchiveCompatible;
    char rest[64];
};
