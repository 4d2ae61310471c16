#pragma once
// Objects and classes that lines declare; their bodies are stored and loaded by tokens.
#include "view.h"
static Out out;
static CObject* objects[1 << 17];  // by ID, for storing
static CObject* seen[1 << 17];     // by order, for printing loaded ones
static int nseen;
static void store(CArchive&, const char*);
static void load(CArchive&, const char*);

// Classes whose name, schema and body are data.
enum { CLASSES = 16 };
static CRuntimeClass classes[CLASSES];
static const char* loads[CLASSES];
static CRuntimeClass* base() { return CObject::GetThisClass(); }
class Thing : public CObject {
public:
    int kind;
    const char* body;
    Out text;
    Thing(int k, const char* b) : kind(k), body(b) {
        text.data = 0;
        text.n = text.room = 0;
    }
    CRuntimeClass* GetRuntimeClass() const override { return &classes[kind]; }
    void Serialize(CArchive& ar) override;
};
template <int N> CObject* create() { return new Thing(N, ""); }
static CObject* (*creators[CLASSES])() = {create<0>,  create<1>,  create<2>,  create<3>, create<4>,  create<5>,
                                          create<6>,  create<7>,  create<8>,  create<9>, create<10>, create<11>,
                                          create<12>, create<13>, create<14>, create<15>};
static bool storing;
void Thing::Serialize(CArchive& ar) {
    if (storing) {
        store(ar, body);
        return;
    }
    Out outer = out;
    out.data = 0;
    out.n = out.room = 0;
    out.put("");
    try {
        load(ar, loads[kind]);
    } catch (CException*) {
        out = outer;
        throw;
    }
    text = out;
    out = outer;
}
