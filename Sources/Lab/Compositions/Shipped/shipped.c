// The composition files of this directory as bytes of the program. A new one needs a few lines here.

#include "ShippedCompositions.h"

// Clang has #embed in every standard of C, and says so.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char liburna[] = {
#embed "liburna.yaml"
};
static const unsigned char liburna_postgres[] = {
#embed "liburna-postgres.yaml"
};
static const unsigned char plain[] = {
#embed "plain.yaml"
};
static const unsigned char oar2[] = {
#embed "oar2.yaml"
};
static const unsigned char oar2_kamelot[] = {
#embed "oar2-kamelot.yaml"
};
static const unsigned char oar2_kao[] = {
#embed "oar2-kao.yaml"
};
static const unsigned char oar2_kamelot_kao[] = {
#embed "oar2-kamelot-kao.yaml"
};
static const unsigned char slurm[] = {
#embed "slurm.yaml"
};
static const unsigned char kubernetes[] = {
#embed "kubernetes.yaml"
};
static const unsigned char oar2_kubernetes[] = {
#embed "oar2-kubernetes.yaml"
};
static const unsigned char oar2_liburnad[] = {
#embed "oar2-liburnad.yaml"
};
static const unsigned char slurm_kubernetes[] = {
#embed "slurm-kubernetes.yaml"
};
static const unsigned char lender[] = {
#embed "lender.yaml"
};
static const unsigned char bebida_liburna[] = {
#embed "bebida-liburna.yaml"
};
static const unsigned char bebida_slurm[] = {
#embed "bebida-slurm.yaml"
};
static const unsigned char bebida_oar[] = {
#embed "bebida-oar.yaml"
};
static const unsigned char build_kubernetes[] = {
#embed "build-kubernetes"
};

#define SHIPPED(name, bytes) {name, bytes, sizeof bytes}

/// In the order in which they are listed.
static const shipped_composition all[] = {
    SHIPPED("liburna", liburna),
    SHIPPED("liburna-postgres", liburna_postgres),
    SHIPPED("plain", plain),
    SHIPPED("oar2", oar2),
    SHIPPED("oar2-kamelot", oar2_kamelot),
    SHIPPED("oar2-kao", oar2_kao),
    SHIPPED("oar2-kamelot-kao", oar2_kamelot_kao),
    SHIPPED("slurm", slurm),
    SHIPPED("kubernetes", kubernetes),
    SHIPPED("oar2-kubernetes", oar2_kubernetes),
    SHIPPED("oar2-liburnad", oar2_liburnad),
    SHIPPED("slurm-kubernetes", slurm_kubernetes),
    SHIPPED("lender", lender),
    SHIPPED("bebida-liburna", bebida_liburna),
    SHIPPED("bebida-slurm", bebida_slurm),
    SHIPPED("bebida-oar", bebida_oar),
};

static const shipped_composition files[] = {
    SHIPPED("build-kubernetes", build_kubernetes),
};

size_t shipped_composition_count(void) { return sizeof all / sizeof all[0]; }

shipped_composition shipped_composition_at(size_t place) { return all[place]; }

size_t shipped_file_count(void) { return sizeof files / sizeof files[0]; }

shipped_composition shipped_file_at(size_t place) { return files[place]; }
