// Tokens in, text out: the little that a line protocol needs without a C library.
#pragma once
#include "mfc.h"
struct Out {
    char* data;
    size_t n, room;
    void raw(const char* s, size_t k) {
        if (n + k + 1 > room) {
            room = (n + k + 1) * 2;
            data = (char*)realloc(data, room);
        }
        memcpy(data + n, s, k);
        n += k;
        data[n] = 0;
    }
    void put(const char* s) {
        size_t k = 0;
        while (s[k]) k++;
        raw(s, k);
    }
    void num(i64 v) {
        if (v < 0) {
            put("-");
            unum(0 - (u64)v);
        } else
            unum((u64)v);
    }
    void unum(u64 v) {
        char b[24];
        int i = 24;
        do {
            b[--i] = '0' + v % 10;
            v /= 10;
        } while (v);
        raw(b + i, 24 - i);
    }
    void hex(const void* p, size_t k) {
        const BYTE* b = (const BYTE*)p;
        for (size_t i = 0; i < k; i++) {
            char c[2] = {"0123456789abcdef"[b[i] >> 4], "0123456789abcdef"[b[i] & 15]};
            raw(c, 2);
        }
    }
    static size_t longest;
    // Longer blobs: the first bytes, the length and an FNV-1a hash of all
    void blob(const void* p, size_t k) {
        if (k <= longest) {
            hex(p, k);
            return;
        }
        u64 h = 14695981039346656037ull;
        for (size_t i = 0; i < k; i++) h = (h ^ ((const BYTE*)p)[i]) * 1099511628211ull;
        hex(p, 64);
        put("~");
        unum(k);
        put("~");
        hex(&h, 8);
    }
};
size_t Out::longest = 4096;
inline int digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }
inline i64 number(const char*& s) {
    bool minus = *s == '-';
    if (minus) s++;
    u64 v = 0;
    while (*s >= '0' && *s <= '9') v = v * 10 + (*s++ - '0');
    return minus ? (i64)(0 - v) : (i64)v;
}
struct Bytes {  // hex text -> bytes, with two zero bytes after
    BYTE* data;
    size_t n;
    Bytes(const char*& s) : data((BYTE*)malloc(1024)), n(0) {
        size_t room = 1024;
        while (digit(*s) >= 0 && digit(s[1]) >= 0) {
            if (n + 4 > room) data = (BYTE*)realloc(data, room *= 2);
            data[n++] = (BYTE)(digit(*s) * 16 + digit(s[1]));
            s += 2;
        }
        data[n] = data[n + 1] = 0;
    }
    ~Bytes() { free(data); }
    wchar_t* wide() { return (wchar_t*)data; }
    TCHAR* text() { return (TCHAR*)data; }
};
inline bool starts(const char*& s, const char* word) {  // consumes "word:" or "word" at a token's end
    const char* p = s;
    while (*word && *p == *word) {
        p++;
        word++;
    }
    if (*word) return false;
    if (*p == ':') {
        s = p + 1;
        return true;
    }
    if (*p == ' ' || *p == 0 || *p == '}') {
        s = p;
        return true;
    }
    return false;
}
